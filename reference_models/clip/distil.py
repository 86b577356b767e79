"""Distil the small tower: ``python -m reference_models.clip.distil --scenes FOLDER``.

It learns to say of a picture what the vision transformer says (Hinton, Vinyals and Dean 2015): the
feature itself, and the shares that the `clip` scorer makes of it. The teacher looks at every
picture as the student does, so that pictures can be changed at will. Several shapes learn side by
side from the same pictures. On a GPU a step is one CUDA graph.

The bundled tower is ``blocks``, learned beside the two others with the defaults, ``--device cuda
--workers 14`` and 1,605 scenes of `reference_models.photoreal.generate`, 200 of them
``--hard``: a minute of rendering and 45 seconds on an H200. Its header has steps and pictures.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from reference_models.clip.answers import Answers
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
#: Peak rates of Adam and Muon, decay of the average, steps of the warm-up.
LR, MATRIX_LR, EMA, WARM = 2e-3, 0.02, 0.999, 200
#: Pictures kept out of the training, for the report.
HELD = 2048
_BEFORE_GRAPH = 3


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

    def averaged(self) -> dict[str, PooledTower]:
        """The students with the moving average of their weights."""
        found = {name: copy.deepcopy(one) for name, one in self.students.items()}
        for name, one in found.items():
            one.load_state_dict(self.optimisers[name].average)
        return found

    def features(
        self, image: Tensor, students: dict[str, PooledTower]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Unit vectors of the teacher and of each student."""
        x = (image - self.mean) / self.std
        with self._bfloat16(not self.cuda), torch.no_grad():
            taught = self.teacher(x)
        with self._bfloat16(True):
            found = {name: one(x) for name, one in students.items()}
        return _unit(taught), {name: _unit(one) for name, one in found.items()}

    def _bfloat16(self, wanted: bool) -> Any:
        if not wanted:
            return nullcontext()
        kind = "cuda" if self.cuda else "cpu"
        return torch.autocast(kind, torch.bfloat16, cache_enabled=False)

    def _body(self) -> None:
        rows = torch.randint(HELD, len(self.pictures), (self.batch,), device=self.device)
        image = varied(self.pictures[rows].float() / 255)
        teacher, found = self.features(image, self.students)
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
        averaged = self.averaged()
        said: dict[str, list[Tensor]] = {name: [] for name in self.students}
        for part in self.pictures[:HELD].split(256):
            teacher, found = self.features(part.float() / 255, averaged)
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
    facts = {"steps": steps, "pictures": len(pictures), "batch": args.batch}
    found = training.report()
    for name, tower in training.averaged().items():
        path = args.out / f"{name}.safetensors"
        save_pooled(path, tower, {**facts, "held": found[name]})


def main() -> None:
    """Read the options and train."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pictures", type=int, default=120_000, help="scenes to render")
    parser.add_argument("--drawn", type=int, default=6_000, help="pictures by bundled models")
    parser.add_argument("--scenes", type=Path, help="folder of photoreal scenes")
    parser.add_argument("--scene-repeats", type=int, default=4)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=["blocks"])
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=2500)
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
