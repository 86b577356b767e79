"""What changes a score, and by how much: one thing at a time against one reference run.

``python -m benchmarks.precision`` prints the tables of docs/precision.md, and ``--write`` writes
that page anew. Each variant is made by `bench run` on the prompts of `quick` with one thing in one
colour; images are paired by prompt and seed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from bench.cli.main import run as bench
from bench.judge.clip.load import load_clip
from bench.judge.scorers.measured import REVISION
from bench.statistics.compare import compare, pair
from bench.statistics.tabulate import tabulate
from bench.store.derived import read_verdicts
from bench.store.pictures import decode_png
from bench.store.run import Run

PAGE = Path(__file__).parents[1] / "docs" / "precision.md"
HEAD = f"""\
# Precision: what changes a score, and by how much

Written by `python -m benchmarks.precision --write`: one thing at a time against one reference run,
on the prompts of `quick` with one thing in one colour, images paired by prompt and seed. "Verdicts
changed" counts changes in both directions; the score moves by what is left of them. All in float32,
on one thread and with regions by `clip`, where nothing else is said; measured by revision
{REVISION} of the judge's code. How right the verdicts are with exact masks and with the segmenter's
own is in the certificate of `bench validate` and in [metrics.md](metrics.md).
"""

CLIP = "BENCH_SCORING_DTYPE"
#: Name of a variant of the sampling, options of the run, threads, precision of the scorers.
SAMPLING: tuple[tuple[str, list[str], int, str], ...] = (
    ("the same again", [], 1, "float32"),
    ("model in bfloat16", ["--dtype", "bfloat16"], 1, "float32"),
    ("scorers in bfloat16", [], 1, "bfloat16"),
    ("batch size 5", ["--batch-size", "5"], 1, "float32"),
    ("2 threads", [], 2, "float32"),
    ("2 steps of 4", ["--steps", "2"], 1, "float32"),
    ("8 steps of 4", ["--steps", "8"], 1, "float32"),
)
GUIDANCE = (2.0, 4.0, 6.0, 8.0)
SEGMENTERS = ("auto", "saliency")
JPEG = (95, 75, 50, 30)


def make(
    out: Path, name: str, options: Sequence[str], threads: int = 1, clip: str = "float32"
) -> Run:
    """Make a run, or what is missing of it."""
    command = ["run", "--preset", "quick", "--templates", "single,control", "--out", str(out)]
    torch.set_num_threads(threads)
    os.environ[CLIP] = clip
    load_clip.cache_clear()
    with contextlib.redirect_stdout(io.StringIO()):
        code = bench([*command, "--name", name, *options])
    if code:
        raise SystemExit(code)
    return Run(out / name)


def pictures(run: Run) -> dict[str, np.ndarray]:
    """Stored images by sample id."""
    found = {}
    for _, part in run.parts("samples", ["sample_id", "image"]):
        for row in part.to_pylist():
            found[row["sample_id"]] = decode_png(row["image"]["bytes"])
    return found


def line(name: str, before: pd.DataFrame, after: pd.DataFrame, pixels: str) -> str:
    """One row: how the score moved, and how many verdicts with it."""
    pairs = pair(before, after)
    one = compare(pairs, slices=False)[0]
    changed = (pairs.before[:, 0] != pairs.after).mean()
    interval = "" if one.low is None else f"{100 * one.low:+.1f} to {100 * one.high:+.1f}"
    return (
        f"| {name} | {one.before:.1%} | {one.after:.1%} | {100 * one.difference:+.1f} | {interval} "
        f"| {changed:.1%} | {pixels} |"
    )


def pixel_words(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> str:
    """Share of images that are the same to the bit, and the mean difference of the others."""
    common = sorted(first.keys() & second.keys())
    means = [np.abs(first[k].astype(int) - second[k]).mean() for k in common]
    same = np.mean([mean == 0 for mean in means])
    return f"{same:.0%} the same, mean difference {np.mean(means):.2f} of 255"


def head(title: str) -> str:
    """Title and head of a table."""
    names = "| changed | score before | after | points | 95% interval | verdicts changed | images |"
    return f"\n### {title}\n\n{names}\n|---|---:|---:|---:|---|---:|---|"


def jpeg(image: np.ndarray, quality: int) -> bytes:
    """Encode with chroma subsampling, as most programs do."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def sampling(out: Path, plain: Sequence[str], reference: Run, seeds: int) -> Iterator[str]:
    """How the images are made."""
    before, images = read_verdicts(reference), pictures(reference)
    before = before[before["index"] < seeds]
    yield head(f"Sampling: `local-clean`, {seeds} images a prompt")
    for number, (name, options, threads, clip) in enumerate(SAMPLING):
        options = [*plain, "--seeds", str(seeds), *options]
        run = make(out, f"sampling-{number}", options, threads, clip)
        yield line(name, before, read_verdicts(run), pixel_words(images, pictures(run)))


def segmenters(out: Path, plain: Sequence[str], reference: Run, seeds: int) -> Iterator[str]:
    """The same images by other regions."""
    yield head("Segmenter, against `clip`")
    for name in SEGMENTERS:
        shutil.copytree(reference.folder, out / name / "reference", dirs_exist_ok=True)
        # The last of an option given twice counts.
        options = [*plain, "--seeds", str(seeds), "--segmenter", name]
        after = read_verdicts(make(out / name, "reference", options))
        yield line(f"`{name}`", read_verdicts(reference), after, "the same")


def encodings(reference: Run) -> Iterator[str]:
    """JPEG against PNG, without controls on both sides."""
    from bench import score_images

    images, texts = pictures(reference), {}
    columns = ["sample_id", "text", "control_id", "cell_id", "index"]
    for _, part in reference.parts("samples", columns):
        for row in part.to_pylist():
            if row["cell_id"] != row["control_id"] and row["index"] < 2:
                texts[row["sample_id"]] = row["text"]

    def judged(encode: object) -> pd.DataFrame:
        chosen = [encode(images[key]) if callable(encode) else images[key] for key in texts]
        frame = score_images(chosen, list(texts.values()), segmenter="auto")
        return frame.assign(index=frame["image"])

    before = judged(None)
    yield head("JPEG of the same images (64 x 64), regions by `auto`, without controls")
    for quality in JPEG:
        after = judged(lambda image, quality=quality: jpeg(image, quality))
        yield line(f"quality {quality}", before, after, "re-encoded")


def seeds_of(verdicts: pd.DataFrame, most: int) -> Iterator[str]:
    """The score with more and more images a prompt."""
    yield "\n### Images a prompt\n\n| seeds | score | 95% interval | width |\n|---:|---:|---|---:|"
    for seeds in range(1, most + 1):
        some = verdicts[verdicts["index"] < seeds]
        one = next(
            e
            for e in tabulate(some, each_cell=False)
            if (e.metric, e.group) == ("binding_score", "all")
        )
        low, high = one.low or 0.0, one.high or 0.0
        yield f"| {seeds} | {one.value:.1%} | {low:.1%} to {high:.1%} | {100 * (high - low):.1f} |"
    bound = verdicts.assign(bound=verdicts["verdict"].eq("bound"))
    alone = bound.groupby("index")["bound"].mean()
    yield (
        f"\nOne seed alone gives {alone.min():.1%} to {alone.max():.1%} over the {most} seeds "
        f"(standard deviation {100 * alone.std():.1f} points)."
    )


def guidance(out: Path, plain: Sequence[str]) -> Iterator[str]:
    """The guided model by guidance scale."""
    runs: Mapping[float, Run] = {
        scale: make(
            out,
            f"guidance-{scale:g}",
            [*plain, "--model", "local-teacher", "--guidance-scale", str(scale)],
        )
        for scale in GUIDANCE
    }
    yield head("Guidance scale of `local-teacher`, against 4, one image a prompt")
    middle = read_verdicts(runs[4.0])
    for scale, run in runs.items():
        words = pixel_words(pictures(runs[4.0]), pictures(run))
        yield line(f"{scale:g}", middle, read_verdicts(run), words)


def tables(out: Path, seeds: int) -> Iterator[str]:
    """All tables, line by line."""
    plain = ["--model", "local-clean", "--dtype", "float32", "--segmenter", "clip"]
    reference = make(out, "reference", [*plain, "--seeds", str(seeds)])
    yield from sampling(out, plain, reference, min(2, seeds))
    yield from segmenters(out, plain, reference, seeds)
    yield from encodings(reference)
    yield from guidance(out, plain)
    yield from seeds_of(read_verdicts(reference), seeds)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8, help="images a prompt of the reference")
    parser.add_argument("--out", type=Path, help="keep the runs here, and go on with them")
    parser.add_argument("--write", action="store_true", help="write docs/precision.md")
    given = parser.parse_args()
    out = given.out or Path(tempfile.mkdtemp())
    lines = [HEAD.rstrip()]
    for text in tables(out, given.seeds):
        print(text, flush=True)
        lines.append(text)
        if given.write:
            PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if given.out is None:
        shutil.rmtree(out)


if __name__ == "__main__":
    main()
