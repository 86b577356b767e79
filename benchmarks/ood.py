"""How well pictures unlike the certified ones are told: ``python -m benchmarks.ood``.

False alarms on pictures of the certificate (none took part in the fit) and after what means
nothing, and detection on pictures made here: noise, flat colours, gradients, drawings, text,
textures, photographs, blurred scenes. ``--pictures FOLDER`` adds a folder of your own. Printed is
a JSON line a set: how many, the share called unlike, and the area under the ROC curve against the
certified pictures of the same size.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy.stats import rankdata

from bench.certificate.certified_pictures import composites, photoreal, rendered
from bench.certificate.conditions import REPORT_SEED
from bench.certificate.photoreal import FOLDER
from bench.certificate.scenes import known_answers
from bench.errors import BenchError, UsageError
from bench.judge.images import as_rgb8
from bench.judge.readings import DISTANCE
from bench.judge.regions.cutout import CutoutSegmenter
from bench.judge.scorers.ood import OodScorer

Pictures = list[np.ndarray]


def made_of(
    count: int, side: int, draw: Callable[[np.random.Generator, int], np.ndarray]
) -> Pictures:
    """So many pictures of one kind, each of its own seed."""
    return [draw(np.random.default_rng(seed), side) for seed in range(count)]


def noise(rng: np.random.Generator, side: int) -> np.ndarray:
    """White, gray or coarse noise."""
    cells = int(rng.choice((side, side // 4, side // 16)))
    drawn = rng.integers(0, 256, (cells, cells, 3)).astype(np.uint8)
    return np.array(Image.fromarray(drawn).resize((side, side), Image.Resampling.BICUBIC))


def flat(rng: np.random.Generator, side: int) -> np.ndarray:
    """One colour."""
    return np.full((side, side, 3), rng.integers(0, 256, 3), np.uint8)


def gradient(rng: np.random.Generator, side: int) -> np.ndarray:
    """From one colour to another."""
    rows, columns = np.mgrid[:side, :side] / side
    angle = rng.uniform(0, 2 * np.pi)
    ramp = rows * np.sin(angle) + columns * np.cos(angle)
    ramp = (ramp - ramp.min()) / np.ptp(ramp)
    one, two = rng.integers(0, 256, (2, 3))
    return np.asarray(one + (two - one) * ramp[..., None]).astype(np.uint8)


def line_drawing(rng: np.random.Generator, side: int) -> np.ndarray:
    """Dark strokes on paper."""
    picture = Image.new("RGB", (2 * side, 2 * side), "white")
    pen = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(4, 14))):
        x, y = rng.uniform(0, 1.6 * side, 2)
        w, h = rng.uniform(20, side, 2)
        width = int(rng.integers(2, 8))
        kind = int(rng.integers(3))
        if kind == 0:
            pen.ellipse((x, y, x + w, y + h), outline="black", width=width)
        elif kind == 1:
            pen.rectangle((x, y, x + w, y + h), outline="black", width=width)
        else:
            points = [(float(a), float(b)) for a, b in rng.uniform(0, 2 * side, (5, 2))]
            pen.line(points, fill="black", width=width)
    return np.array(picture.resize((side, side)))


def cartoon(rng: np.random.Generator, side: int) -> np.ndarray:
    """Faces in flat colours with black outlines before a horizon."""

    def paint() -> tuple[int, int, int]:
        red, green, blue = rng.integers(30, 256, 3)
        return int(red), int(green), int(blue)

    whole = 2 * side
    picture = Image.new("RGB", (whole, whole), paint())
    pen = ImageDraw.Draw(picture)
    width = max(2, whole // 90)
    pen.rectangle((0, int(whole * rng.uniform(0.5, 0.8)), whole, whole), paint(), "black", width)
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(0.2, 0.8, 2) * whole
        r = rng.uniform(0.1, 0.28) * whole
        pen.ellipse((x - 0.7 * r, y, x + 0.7 * r, y + 2 * r), paint(), "black", width)
        pen.ellipse((x - r, y - r, x + r, y + r), paint(), "black", width)
        for eye in (x - 0.4 * r, x + 0.4 * r):
            pen.ellipse((eye - 0.2 * r, y - 0.4 * r, eye + 0.2 * r, y + 0.1 * r), "white", "black")
            pen.ellipse((eye - 0.07 * r, y - 0.2 * r, eye + 0.07 * r, y), "black")
        pen.arc((x - 0.5 * r, y, x + 0.5 * r, y + 0.6 * r), 20, 160, "black", width)
    return np.array(picture.resize((side, side)))


def text(rng: np.random.Generator, side: int) -> np.ndarray:
    """A page of letters."""
    picture = Image.new("RGB", (side, side), "white")
    pen = ImageDraw.Draw(picture)
    for y in range(6, side, 14):
        letters = "".join(chr(int(one)) for one in rng.integers(97, 123, 60))
        pen.text((6, y), letters, fill="black")
    return np.array(picture)


def cut_from(names: tuple[str, ...]) -> Callable[[np.random.Generator, int], np.ndarray]:
    """Pieces of photographs that scikit-image ships."""
    from skimage import data

    def draw(rng: np.random.Generator, side: int) -> np.ndarray:
        whole = Image.fromarray(getattr(data, str(rng.choice(names)))()).convert("RGB")
        reach = int(rng.integers(min(whole.size) // 2, min(whole.size) + 1))
        x, y = (int(rng.integers(length - reach + 1)) for length in whole.size)
        return np.array(whole.crop((x, y, x + reach, y + reach)).resize((side, side)))

    return draw


def blurred(image: np.ndarray) -> np.ndarray:
    """Out of focus by a thirtieth of the picture."""
    radius = max(image.shape) / 30
    return np.array(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))


def resized(image: np.ndarray, side: int) -> np.ndarray:
    """Another size."""
    return np.array(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


def compressed(image: np.ndarray, quality: int = 95) -> np.ndarray:
    """Through JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer))


def certified(count: int) -> dict[str, Pictures]:
    """Pictures of the certificate by kind, and of the rendered world those of 64 px alone."""
    scenes = [one for one, _ in rendered(max(10, count // 3), REPORT_SEED)]
    plain = known_answers(count, REPORT_SEED)
    return {
        "rendered": [one for one in scenes if max(one.shape) > 64],
        "rendered, 64 px": [a.generation.image for a in plain if a.verdicts[0] != "invalid"],
        "composites": [one for one, _ in composites(2 * count, REPORT_SEED)],
        "photoreal": [one for one, _ in photoreal(FOLDER)],
    }


def sets(count: int, folder: Path | None) -> Iterator[tuple[str, str, Pictures]]:
    """All sets: group, name, pictures."""
    inside = certified(count)
    for name, pictures in inside.items():
        yield "certified", name, pictures
    for name, pictures in inside.items():
        some = pictures[:: max(1, len(pictures) // count)]
        yield "certified", f"{name}, mirrored", [one[:, ::-1].copy() for one in some]
        yield "certified", f"{name}, JPEG 95", [compressed(one) for one in some]
        if name != "rendered, 64 px":
            yield "certified", f"{name}, 512 px", [resized(one, 512) for one in some]
            yield "certified", f"{name}, 200 px", [resized(one, 200) for one in some]
    for side in (256, 64):
        group = f"unlike, {side} px"
        for draw in (noise, flat, gradient, line_drawing, cartoon, text):
            yield group, draw.__name__.replace("_", " "), made_of(count, side, draw)
        yield group, "texture", made_of(count, side, cut_from(("brick", "grass", "gravel")))
        yield (
            group,
            "photograph",
            made_of(count, side, cut_from(("coffee", "rocket", "cat", "retina"))),
        )
        for name in ("photoreal", "composites"):
            some = [resized(one, side) for one in inside[name][:count]]
            yield group, f"{name}, blurred", [blurred(one) for one in some]
    yield (
        "unlike, 64 px",
        "rendered, 64 px, blurred",
        [blurred(one) for one in inside["rendered, 64 px"][:count]],
    )
    yield "unlike, 64 px", "photoreal", [resized(one, 64) for one in inside["photoreal"][:count]]
    if folder is not None:
        yield "own", folder.name, own_pictures(folder)


def own_pictures(folder: Path) -> Pictures:
    """All pictures of a folder; one that cannot be read, or none, is an error of a line."""
    own = []
    for path in sorted(folder.iterdir()):
        try:
            own.append(as_rgb8(path.read_bytes()))
        except (OSError, UsageError) as error:
            raise click.UsageError(f"{path}: {error}; take it out of the folder") from None
    if not own:
        raise click.UsageError(f"{folder} has no picture; expected a folder of pictures")
    return own


def area(inside: np.ndarray, outside: np.ndarray) -> float:
    """Area under the ROC curve: the chance that one outside is farther than one inside."""
    ranks = rankdata(np.concatenate([inside, outside]))[len(inside) :]
    return float(
        (ranks.sum() - len(outside) * (len(outside) + 1) / 2) / (len(inside) * len(outside))
    )


@click.command()
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=60,
    show_default=True,
    help="Pictures of a set.",
)
@click.option(
    "--pictures",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of yours.",
)
@click.option("--certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(count: int, pictures: Path | None, certificate: Path | None) -> None:
    """Print a JSON line a set."""
    try:
        networks, scorer = CutoutSegmenter(), OodScorer(certificate=certificate)
    except BenchError as error:
        raise click.UsageError(str(error)) from None
    if pictures is not None:
        own_pictures(pictures)
    inside: dict[bool, list[float]] = {True: [], False: []}
    for group, name, images in sets(count, pictures):
        found = np.array([scorer.distances(one)[DISTANCE][0] for one in networks.pooled(images)])
        small = max(images[0].shape) <= 128
        row = {
            "group": group,
            "set": name,
            "n": len(found),
            "unlike": round(float((found > 1).mean()), 3),
        }
        if group == "certified":
            inside[small] += found.tolist()
        else:
            row["auroc"] = round(area(np.array(inside[small]), found), 3)
        click.echo(json.dumps(row))


if __name__ == "__main__":
    main()
