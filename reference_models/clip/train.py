"""Train the bundled CLIP: ``python -m reference_models.clip.train``.

open_clip's own model and contrastive loss, on rendered scenes with every colour equally often on
every subject. About 25 minutes on one core. Run again, it goes on from the last checkpoint.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_NAMES
from reference_models.clip.captions import say, texts, truth
from reference_models.clip.data import (
    NOUNS,
    alone,
    draw,
    join,
    loosen,
    masked_crops,
)
from reference_models.clip.losses import SCALE, TruthfulClipLoss, patch_loss, soft_cross_entropy
from reference_models.clip.towers import FOLDER, build, patches_and_pooled, preprocess
from reference_models.clip.vocabulary import article
from reference_models.denormals import flushed

#: Images of a step: whole scenes, and crops of the subjects of some of them.
SCENES, CROPS = 96, 32
#: Subjects among the crops of one step: few, so that their eleven colours are cheap to encode.
CROP_SUBJECTS = 4
EMA = 0.997


def losses(
    model: Any, tokenizer: Any, clip_loss: TruthfulClipLoss, g: torch.Generator, bf16: bool
) -> Tensor:
    """Contrastive, patch, subject and colour losses of one fresh batch, (4,)."""
    chosen = torch.randperm(len(SUBJECT_NAMES), generator=g)[:CROP_SUBJECTS]
    place = torch.randint(CROP_SUBJECTS, (CROPS,), generator=g)
    close = draw(CROPS, g, True, torch.stack([chosen[place], torch.full((CROPS,), -1)], 1))
    wide = draw(SCENES - CROPS, g, True)
    crops = masked_crops(close.image, loosen(close.subjects[:, 0], g))
    scenes = join(close.scenes, wide.scenes, alone(close.scenes))
    sayings = say(scenes, g)
    colour_texts = [
        article(f"{colour} {SUBJECT_NAMES[i]}") for i in chosen.tolist() for colour in COLOUR_NAMES
    ]
    captions = [*texts(sayings), *(article(noun) for noun in NOUNS), *colour_texts]
    distinct = {caption: row for row, caption in enumerate(dict.fromkeys(captions))}
    order = torch.tensor([distinct[caption] for caption in captions])

    whole = torch.cat([close.image, wide.image])
    # Of the attention kernels, the plain one is the faster for short sequences in bfloat16.
    with sdpa_kernel(SDPBackend.MATH), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        pooled, patches = patches_and_pooled(model, preprocess(torch.cat([whole, crops])))
        text = model.encode_text(tokenizer(list(distinct)))
    text = F.normalize(text.float(), dim=-1)[order]
    n = len(scenes)
    said, nouns, colours = text[:n], text[n : n + len(NOUNS)], text[n + len(NOUNS) :]

    clip_loss.truth = truth(scenes, sayings)
    contrastive = clip_loss(pooled, said, model.logit_scale.exp())
    masks = torch.cat([close.nouns, wide.nouns])
    dense = patch_loss(patches[:SCENES], nouns, masks)
    present = F.one_hot(scenes.subject.clamp(min=0), len(SUBJECT_NAMES)).float()
    present = (present * (scenes.subject >= 0)[..., None]).sum(1)
    subject = soft_cross_entropy(SCALE * pooled @ nouns[: len(SUBJECT_NAMES)].T, present)
    per_subject = colours.view(CROP_SUBJECTS, len(COLOUR_NAMES), -1)[place]
    logits = SCALE * (per_subject @ pooled[SCENES:, :, None])[..., 0]
    colour = F.cross_entropy(logits, scenes.term[SCENES:, 0])
    return torch.stack([contrastive, dense, subject, colour])


def optimisers(model: Any, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the transformers, AdamW for the rest."""
    matrices: list[torch.nn.Parameter] = []
    rest: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        (matrices if "resblocks" in name and parameter.ndim == 2 else rest).append(parameter)
    return [
        torch.optim.Muon(matrices, lr=rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=rate, weight_decay=0.02, betas=(0.9, 0.98)),
    ]


def schedule(step: int, steps: int) -> float:
    """Factor on the learning rate: a short warm-up, then a cosine to nearly nothing."""
    warm = min(1.0, (step + 1) / 40)
    return warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def flatten_state(prefix: str, value: Any, out: dict[str, Tensor]) -> None:
    """Nested dictionaries and lists of tensors and numbers as one flat dictionary of tensors."""
    if isinstance(value, dict):
        for key, item in value.items():
            flatten_state(f"{prefix}/{key}", item, out)
    elif isinstance(value, Tensor):
        out[prefix] = value.detach().clone().contiguous()


def save_checkpoint(path: Path, step: int, model: Any, average: Any, opts: list[Any]) -> None:
    """Everything that a resume needs, as safetensors, written beside and renamed."""
    state: dict[str, Tensor] = {"step": torch.tensor(step)}
    flatten_state("model", model.state_dict(), state)
    flatten_state("average", average.state_dict(), state)
    for index, opt in enumerate(opts):
        flatten_state(f"opt{index}", opt.state_dict()["state"], state)
    save_file(state, path.with_suffix(".partial"))
    path.with_suffix(".partial").replace(path)


def load_checkpoint(path: Path, model: Any, average: Any, opts: list[Any]) -> int:
    """Restore what `save_checkpoint` wrote; the number of steps done."""
    state = load_file(path)
    for prefix, module in (("model/", model), ("average/", average)):
        module.load_state_dict(
            {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
        )
    for index, opt in enumerate(opts):
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in state.items():
            head, *tail = key.split("/")
            if head == f"opt{index}":
                slots.setdefault(int(tail[0]), {})[tail[1]] = value
        opt.load_state_dict({"state": slots, "param_groups": opt.state_dict()["param_groups"]})
    return int(state["step"])


@flushed()
def train(args: argparse.Namespace) -> None:
    """Train, report on stderr, and write the weights."""
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    model, tokenizer = build()
    average = copy.deepcopy(model)
    opts = optimisers(model, args.rate)
    args.folder.mkdir(parents=True, exist_ok=True)
    checkpoint = args.folder / "checkpoint.safetensors"
    first = load_checkpoint(checkpoint, model, average, opts) if checkpoint.exists() else 0
    clip_loss = TruthfulClipLoss()
    weights = torch.tensor([1.0, 1.0, 0.5, 0.5])
    started, mean = time.time(), torch.zeros(4)
    for step in range(first, args.steps):
        g = torch.Generator().manual_seed(args.seed * 1_000_003 + step)
        for opt in opts:
            for group in opt.param_groups:
                group["lr"] = args.rate * schedule(step, args.steps)
        parts = losses(model, tokenizer, clip_loss, g, args.bf16)
        (parts * weights).sum().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        for opt in opts:
            opt.step()
            opt.zero_grad(set_to_none=True)
        with torch.no_grad():
            model.logit_scale.clamp_(max=math.log(100))
            decay = min(EMA, (step + 1) / (step + 10))
            for slow, fast in zip(average.parameters(), model.parameters(), strict=True):
                slow.lerp_(fast, 1 - decay)
        mean = mean.lerp(parts.detach().float(), 1 / min(20, step - first + 1))
        if step % 20 == 19:
            pace = (time.time() - started) / (step + 1 - first)
            line = " ".join(f"{x:.3f}" for x in mean.tolist())
            left = pace * (args.steps - step - 1) / 60
            print(
                f"step {step + 1}/{args.steps} contrastive/patch/subject/colour {line} "
                f"{pace:.2f} s/step {left:.0f} min left",
                file=sys.stderr,
                flush=True,
            )
        if step % 100 == 99 or step + 1 == args.steps:
            save_checkpoint(checkpoint, step + 1, model, average, opts)
        if step % args.every == args.every - 1 or step + 1 == args.steps:
            from reference_models.clip.evaluate import evaluate

            result = evaluate(average, tokenizer, 400, seed=987_654)
            print(f"step {step + 1} {json.dumps(result)}", file=sys.stderr, flush=True)
            with (args.folder / "curve.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step + 1, **result}) + "\n")
    half = {name: value.half().contiguous() for name, value in average.state_dict().items()}
    save_file(half, args.out)


def main() -> None:
    """Read the options and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--every", type=int, default=200, help="steps between evaluations")
    parser.add_argument("--bf16", action="store_true", help="bfloat16 where the processor has it")
    parser.add_argument("--folder", type=Path, default=Path("training/clip"))
    parser.add_argument("--out", type=Path, default=FOLDER / "bundled.safetensors")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
