"""Distil the small tower: ``python -m reference_models.clip.distil --scenes FOLDER``.

It learns to say of a picture what the vision transformer says (Hinton, Vinyals and Dean 2015): the
feature itself, and the shares that the `clip` scorer makes of it. The teacher looks at every
picture as the student does, so that pictures can be changed at will. Several shapes learn side by
side from the same pictures. On a GPU a step is one CUDA graph.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from prompts.colours import COLOUR_NAMES
from prompts.grammar import noun_phrase
from prompts.subjects import SUBJECT_NAMES, SUBJECTS, Subject
from reference_models.clip.lessons import drawn, of_scenes
from reference_models.clip.network import MEAN, STD, load_network
from reference_models.clip.pooled import PooledShape, PooledTower, save_pooled
from reference_models.denormals import flushed
from reference_models.device_optimiser import DeviceOptimiser

FOLDER = Path(__file__).parent / "weights"
_STEM = ((3, 2, 16), (3, 2, 48), (3, 2, 128))
#: What can be distilled.
SHAPES: dict[str, PooledShape] = {
    "conv": PooledShape((*_STEM, (3, 1, 128), (3, 2, 256), (3, 1, 256)), 0),
    "deep": PooledShape((*_STEM, (3, 1, 128), (3, 2, 256), (3, 1, 256), (3, 1, 256)), 0),
    "blocks": PooledShape((*_STEM, (3, 2, 192)), 3),
}
#: Inverse temperature of the scorer, and of the losses of the teacher.
SCALE = 16.0
#: Weight of one minus the cosine beside the two divergences.
COSINE = 10.0
#: What is asked of every picture, be it there or not: share of the loss.
ANY = 0.2
#: Peak rates of Adam and Muon, decay of the average, steps of the warm-up.
LR, MATRIX_LR, EMA, WARM = 2e-3, 0.02, 0.999, 200
#: Pictures kept out of the training, for the report.
HELD = 2048
_BEFORE_GRAPH = 3


class Answers:
    """What the texts of the scorer make of a feature.

    Parameters
    ----------
    model, tokenizer
        Of the teacher, on its device.
    """

    def __init__(self, model: Any, tokenizer: Any, device: str) -> None:
        subjects = [SUBJECTS[name] for name in SUBJECT_NAMES]
        plates = [noun_phrase(c, Subject("plate")) for c in COLOUR_NAMES]
        walls = [noun_phrase(c, Subject("wall")) for c in COLOUR_NAMES]
        texts = [noun_phrase(None, subject) for subject in subjects]
        for subject in subjects:
            bare = noun_phrase(None, subject)
            texts += [noun_phrase(colour, subject) for colour in COLOUR_NAMES]
            texts += [f"{bare} on {plate}" for plate in plates]
            texts += [f"{bare} in front of {wall}" for wall in walls]
        with torch.no_grad():
            found = [model.encode_text(tokenizer(texts[k : k + 64]).to(device))
                     for k in range(0, len(texts), 64)]  # fmt: skip
            self.table = F.normalize(torch.cat(found).float(), dim=-1)
        many = len(COLOUR_NAMES)
        places = torch.full((len(subjects), many, 5), -1)
        for row, subject in enumerate(subjects):
            own = [COLOUR_NAMES.index(name) for name in subject.canonical]
            for colour in range(many):
                others = [natural for natural in own if natural != colour]
                asked = [colour, colour + many, colour + 2 * many, *others]
                places[row, colour, : len(asked)] = torch.tensor(asked)
        self._none = (places < 0).to(device)
        self._places = places.clamp(min=0).flatten(1).to(device)

    def __call__(self, feature: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log shares of features (N, D), unit vectors.

        Returns
        -------
        subject : Tensor (N, S)
            Among the subjects.
        colour : Tensor (N, S, C)
            Of each subject, among its colours.
        rival : Tensor (N, S, C, R)
            Of each coloured subject, among the ways in which its colour could go astray.
        """
        n, many = len(feature), len(COLOUR_NAMES)
        logits = SCALE * feature @ self.table.T
        bare, rest = logits[:, : len(SUBJECT_NAMES)], logits[:, len(SUBJECT_NAMES) :]
        rest = rest.view(n, len(SUBJECT_NAMES), 3 * many)
        asked = rest.gather(2, self._places.expand(n, -1, -1)).view(n, *self._none.shape)
        rival = asked.masked_fill(self._none, -1e4).log_softmax(-1)
        return bare.log_softmax(-1), rest[:, :, :many].log_softmax(-1), rival

    def divergence(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Loss of a student's features by those of its teacher (N, D), both unit vectors."""
        subject, colour, rival = self(teacher)
        _, own_colour, own_rival = self(student)
        asked = (1 - ANY) * subject.exp() + ANY / subject.shape[1]
        apart = (colour.exp() * (colour - own_colour)).sum(-1)
        astray = (rival.exp() * (rival - own_rival)).sum(-1)
        shown = 0.5 * colour.exp() + 0.5 / colour.shape[-1]
        cosine = 1 - (student * teacher).sum(-1)
        loss: Tensor = COSINE * cosine + (asked * (apart + (shown * astray).sum(-1))).sum(-1)
        return loss.mean()


def varied(image: Tensor) -> Tensor:
    """Pictures (N, 3, H, W) in [0, 1], each mirrored, moved and tinted by chance."""
    n, device = len(image), image.device

    def draw(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(n, *shape, device=device)

    moved = (draw(0, 1) < 0.5).float()
    zoom = 1 + moved * draw(-0.25, 0.2)
    theta = torch.zeros(n, 2, 3, device=device)
    theta[:, 0, 0] = zoom * (1 - 2 * (draw(0, 1) < 0.5).float())
    theta[:, 1, 1] = zoom * (1 + moved * draw(-0.1, 0.1))
    theta[:, :, 2] = moved[:, None] * draw(-0.12, 0.12, 2)
    grid = F.affine_grid(theta, list(image.shape), align_corners=False)
    image = F.grid_sample(image, grid, "bicubic", "border", align_corners=False)
    tinted = (draw(0, 1, 1, 1, 1) < 0.3).float()
    gain = 1 + tinted * (draw(-0.2, 0.15, 1, 1, 1) + draw(-0.06, 0.06, 3, 1, 1))
    # Other colours of the same things: the channels change places.
    turned = (draw(0, 1, 1, 1, 1) < 0.08).float()
    order = torch.rand(n, 3, device=device).argsort(1)[:, :, None, None].expand_as(image)
    image = image + turned * (image.gather(1, order) - image)
    return (image * gain).clamp(0, 1)


class Distillation:
    """Students of one teacher, a step at a time.

    Parameters
    ----------
    students : dict of str to PooledTower
    pictures : Tensor, uint8 (N, 3, side, side)
        The first ``HELD``, of the rendered world, are not learned from.
    batch : int
    device : str
    """

    def __init__(
        self, students: dict[str, PooledTower], pictures: Tensor, batch: int, device: str
    ) -> None:
        model, tokenizer = load_network(FOLDER / "bundled.json", FOLDER / "bundled.safetensors")
        self.device, self.cuda = device, device.startswith("cuda")
        self.teacher = model.to(device).visual
        self.answers = Answers(model, tokenizer, device)
        self.mean, self.std = (torch.tensor(v, device=device).view(3, 1, 1) for v in (MEAN, STD))
        self.students = {
            name: one.to(device).to(memory_format=torch.channels_last)
            for name, one in students.items()
        }
        self.optimisers = {
            name: DeviceOptimiser(one, LR, MATRIX_LR, EMA) for name, one in self.students.items()
        }
        self.pictures, self.batch = pictures, batch
        self.number = torch.zeros((), device=device)
        self.steps = torch.ones((), device=device)
        self.losses = torch.zeros(len(students), device=device)
        self._graph: Any = None
        self._tried = False

    def features(self, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Unit vectors of the teacher, who looks at the mirror image too, and of each student."""
        x = (image - self.mean) / self.std
        with self._bfloat16(not self.cuda), torch.no_grad():
            taught = self.teacher(torch.cat([x, x.flip(-1)])).view(2, len(x), -1).mean(0)
        with self._bfloat16(True):
            found = {name: one(x) for name, one in self.students.items()}
        return _unit(taught), {name: _unit(one) for name, one in found.items()}

    def _bfloat16(self, wanted: bool) -> Any:
        if not wanted:
            return nullcontext()
        kind = "cuda" if self.cuda else "cpu"
        return torch.autocast(kind, torch.bfloat16, cache_enabled=False)

    def _body(self) -> None:
        rows = torch.randint(HELD, len(self.pictures), (self.batch,), device=self.device)
        image = varied(self.pictures[rows].float() / 255)
        teacher, found = self.features(image)
        losses = [self.answers.divergence(one, teacher) for one in found.values()]
        torch.stack(losses).sum().backward()
        self.number += 1
        rise = (self.number / WARM).clamp(max=1)
        fall = 0.5 + 0.5 * torch.cos(torch.pi * (self.number / self.steps).clamp(max=1))
        for name, one in self.students.items():
            torch.nn.utils.clip_grad_norm_(one.parameters(), 1.0)
            self.optimisers[name].step(self.number, rise * fall)
            for parameter in one.parameters():
                parameter.grad = None
        self.losses.lerp_(torch.stack(losses).detach(), 0.02)

    def advance(self, count: int) -> None:
        """Take some steps."""
        if self.cuda and not self._tried:
            self._tried = True
            self._record()
        for _ in range(count):
            if self._graph is None:
                self._body()
            else:
                self._graph.replay()
        if self.cuda:
            torch.cuda.synchronize()

    def _record(self) -> None:
        """Record a step; where it cannot be, the training goes on without a graph."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_BEFORE_GRAPH):
                self._body()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                self._body()
        except RuntimeError as error:
            print(f"no graph: {error}", file=sys.stderr)
            for one in self.students.values():
                one.zero_grad(set_to_none=True)
        else:
            self._graph = graph

    @torch.no_grad()
    def report(self) -> dict[str, dict[str, float]]:
        """How far the averaged students are from the teacher on the pictures held out.

        ``cosine``; ``bind`` and ``contrast``, mean absolute differences of the shares of the
        likeliest subject in its likeliest colour.
        """
        live = {name: {k: v.clone() for k, v in one.state_dict().items()}
                for name, one in self.students.items()}  # fmt: skip
        for name, one in self.students.items():
            one.load_state_dict(self.optimisers[name].average)
        said: dict[str, list[Tensor]] = {name: [] for name in self.students}
        for part in self.pictures[:HELD].split(256):
            teacher, found = self.features(part.float() / 255)
            subject, colour, rival = self.answers(teacher)
            row = torch.arange(len(part), device=part.device)
            named = subject.argmax(1)
            asked = colour[row, named].argmax(1)
            for name, feature in found.items():
                _, own_colour, own_rival = self.answers(feature)
                bind = own_colour[row, named, asked].exp() - colour[row, named, asked].exp()
                first = (row, named, asked, torch.zeros_like(row))
                contrast = own_rival[first].exp() - rival[first].exp()
                cosine = (feature * teacher).sum(-1)
                said[name].append(torch.stack([cosine, bind.abs(), contrast.abs()]))
        for name, one in self.students.items():
            one.load_state_dict(live[name])
        return {
            name: dict(zip(("cosine", "bind", "contrast"), _rounded(torch.cat(parts, 1)),
                           strict=True))
            for name, parts in said.items()
        }  # fmt: skip


def _unit(feature: Tensor) -> Tensor:
    return F.normalize(feature.float(), dim=-1)


def _rounded(values: Tensor) -> list[float]:
    return [round(float(one), 5) for one in values.float().mean(1)]


@flushed()
def train(args: argparse.Namespace) -> None:
    """Gather the pictures, train, report on stderr, and write the weights."""
    started = time.time()

    def note(text: str) -> None:
        print(f"{time.time() - started:.0f} s: {text}", file=sys.stderr, flush=True)

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    world = drawn(args.pictures, args.drawn, args.seed, args.workers)
    scenes = [*of_scenes(args.scenes)] * args.scene_repeats if args.scenes else []
    note(f"{len(scenes)} blocks of photoreal scenes")
    pictures = torch.cat([part.to(args.device) for part in (*world, *scenes)])
    note(f"{len(pictures)} pictures")
    students = {name: PooledTower(SHAPES[name]) for name in args.shapes}
    training = Distillation(students, pictures, args.batch, args.device)
    first = min(20, args.steps)
    training.advance(min(5, first))
    begun = time.time()
    training.advance(max(1, first - 5))
    pace = (time.time() - begun) / max(1, first - 5)
    steps = min(args.steps, int(args.seconds / pace)) if args.seconds else args.steps
    training.steps.fill_(steps)
    note(f"{steps} steps of {pace:.4f} s")
    while (done := int(training.number)) < steps:
        training.advance(min(args.every, steps - done))
        note(f"step {int(training.number)} {json.dumps(training.report())}")
    args.out.mkdir(parents=True, exist_ok=True)
    for name, shape in ((name, SHAPES[name]) for name in args.shapes):
        save_pooled(args.out / f"{name}.safetensors", shape, training.optimisers[name].average)
    report = {"steps": steps, "pictures": len(pictures), "batch": args.batch,
              "held": training.report()}  # fmt: skip
    (args.out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Read the options and train."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pictures", type=int, default=150_000, help="scenes to render")
    parser.add_argument("--drawn", type=int, default=12_000, help="pictures by bundled models")
    parser.add_argument("--scenes", type=Path, help="folder of photoreal scenes")
    parser.add_argument("--scene-repeats", type=int, default=4)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=["conv"])
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--seconds", type=float, help="fewer steps, so that they take no longer")
    parser.add_argument("--every", type=int, default=500, help="steps between reports")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1, help="processes that render")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("training/pooled"))
    train(parser.parse_args())


if __name__ == "__main__":
    main()
