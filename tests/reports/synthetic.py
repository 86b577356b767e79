"""Run folders made up for tests: coloured shapes with known verdicts, in the documented schema."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from bench.run.accumulation import accumulation_rows
from bench.statistics.tabulate import tabulate
from bench.store.derived import (
    read_verdicts,
    write_accumulation,
    write_estimates,
    write_verdicts,
)
from bench.store.manifest import Maker, Manifest, grid_of, write_manifest
from bench.store.parts import PartWriter
from bench.store.run import Run
from prompts.cells import Binding, Cell, Sample, plan
from prompts.colours import COLOUR_NAMES, COLOURS
from prompts.subjects import SUBJECTS

SIZE = 64
OUTCOMES = ("bound", "spilled", "neighbour", "background", "mixed", "prior", "wrong", "absent")
MAIN_METRICS = ("presence", "bind", "prior", "leak_background", "leak_neighbour", "leak_excess")
FRAME_METRICS = ("presence", "bind", "prior", "leak_background", "leak_neighbour", "swap")
OTHER_METRICS = ("swap", "clip_bind", "clip_contrast")


def article(word: str) -> str:
    return ("an " if word[0] in "aeiou" else "a ") + word


def make_cells(colours, subjects, pairs: int = 0) -> list[Cell]:
    cells = []
    for subject in subjects:
        control = f"control/{subject}"
        cells.append(
            Cell(
                control,
                article(subject),
                (Binding(None, subject),),
                "control",
                control,
                tags=frozenset({"control"}),
            )
        )
        canonical = SUBJECTS[subject].canonical if subject in SUBJECTS else ()
        for number, colour in enumerate(colours):
            natural = "canonical" if colour in canonical else "uncanonical"
            if canonical and natural == "uncanonical" and number % 2:
                natural = "anti-canonical"
            seen = "seen" if colour in canonical or (number + len(subject)) % 3 else "novel"
            cells.append(
                Cell(
                    f"single/{colour}/{subject}",
                    f"{article(colour)} {subject}",
                    (Binding(colour, subject),),
                    "single",
                    control,
                    tags=frozenset({"single", natural, seen}),
                )
            )
    for number in range(pairs):
        first, second = subjects[number % len(subjects)], subjects[(number + 1) % len(subjects)]
        a, b = colours[number % len(colours)], colours[(number + 1) % len(colours)]
        control = f"control/{first}+{second}"
        bare = (Binding(None, first), Binding(None, second))
        text = f"{article(first)} and {article(second)}"
        cells.append(Cell(control, text, bare, "control", control, tags=frozenset({"control"})))
        cells.append(
            Cell(
                f"pair/{a}/{first}/{b}/{second}",
                f"{article(a)} {first} and {article(b)} {second}",
                (Binding(a, first), Binding(b, second)),
                "pair",
                control,
                tags=frozenset({"pair", "uncanonical", "novel"}),
            )
        )
    return cells


def shape(kind: int, cx: float, cy: float, size: float, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    u, v = (x - cx) / size, (y - cy) / size
    if kind % 4 == 0:
        return u**2 + (v * 1.3) ** 2 < 1
    if kind % 4 == 1:
        return (abs(u) < 0.8) & (abs(v) < 0.8)
    if kind % 4 == 2:
        return (v > -0.9) & (v < 0.8) & (abs(u) < (v + 1) * 0.6)
    return (abs(u) + abs(v)) < 1.05


def draw(sample: Sample, outcome: list[str], rng: np.random.Generator):
    """A picture, its labels and the colours of subjects, plate and wall."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    noise = np.random.default_rng(sample.seed % 2**32)
    jitter = noise.uniform(-4, 4, 2)
    wall = np.array((206, 200, 190.0)) + noise.uniform(-18, 18, 1)
    image = np.empty((SIZE, SIZE, 3))
    image[:] = wall
    floor = y > 44 + jitter[0] / 2
    image[floor] = wall * 0.72
    labels = np.zeros((SIZE, SIZE), np.uint8)
    bindings = sample.cell.bindings
    asked = [COLOURS[b.colour].srgb if b.colour in COLOURS else None for b in bindings]
    if asked[0] and outcome[0] == "background":
        image[:] = np.array(asked[0]) * np.where(floor, 0.75, 1.0)[..., None]
    centre_y = 36 + jitter[1] / 2
    plate = ((x - 32) / 27) ** 2 + ((y - 52) / 8) ** 2 < 1
    plate_colour = np.array((238.0, 238, 234))
    if asked[0] and outcome[0] in ("neighbour", "spilled", "mixed"):
        plate_colour = np.array(asked[0], float)
    image[plate] = plate_colour
    labels[plate] = 101
    observed = []
    for number, binding in enumerate(bindings):
        subject = SUBJECTS.get(binding.subject)
        canonical = subject.canonical[0] if subject and subject.canonical else "brown"
        name = canonical
        if binding.colour is not None and outcome[number] in ("bound", "spilled"):
            name = binding.colour
        elif outcome[number] == "mixed":
            name = canonical
        elif outcome[number] == "wrong":
            name = COLOUR_NAMES[(COLOUR_NAMES.index(canonical) + 4) % 11]
        elif outcome[number] == "swapped":
            name = bindings[1 - number].colour
        observed.append(name if name in COLOURS else "gray")
        if outcome[number] == "absent":
            continue
        cx = 32 + jitter[0] if len(bindings) == 1 else 18 + 28 * number
        mask = shape(len(binding.subject), cx, centre_y, 17 if len(bindings) == 1 else 12, y, x)
        base = np.array(COLOURS[observed[-1]].srgb, float)
        light = 1.12 - 0.5 * np.hypot(x - cx + 5, y - centre_y + 8)[..., None] / 34
        paint = base * light
        if outcome[number] == "mixed" and asked[number]:
            paint = np.where((x < cx)[..., None], np.array(asked[number]) * light, paint)
        image[mask] = paint[mask]
        labels[mask] = number + 1
    image += noise.normal(0, 2.5, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), labels, observed


def png(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def shares(outcome: str, number: int, rng: np.random.Generator) -> dict[str, float]:
    table = {
        "bound": (0.92, 0.02, 0.02, 0.03),
        "spilled": (0.90, 0.02, 0.05, 0.72),
        "neighbour": (0.03, 0.88, 0.04, 0.81),
        "background": (0.04, 0.85, 0.78, 0.10),
        "mixed": (0.46, 0.44, 0.05, 0.66),
        "prior": (0.03, 0.93, 0.02, 0.02),
        "swapped": (0.04, 0.05, 0.03, 0.05),
        "wrong": (0.05, 0.04, 0.03, 0.03),
        "absent": (float("nan"),) * 2 + (0.05, 0.04),
        "invalid": (float("nan"),) * 4,
    }
    bind, prior, background, neighbour = (
        float(np.clip(v + rng.normal(0, 0.02), 0, 1)) for v in table[outcome]
    )
    return {
        "presence": 0.03 if outcome == "absent" else float(rng.uniform(0.85, 1)),
        "bind": bind,
        "prior": prior,
        "leak_background": background,
        "leak_neighbour": neighbour,
        "leak_excess": max(background, neighbour) - 0.03,
        "swap": 0.9 if outcome == "swapped" else float("nan"),
        "clip_bind": bind,
        "clip_contrast": bind,
    }


def words(outcome: str, colour: str, subject: str, m: dict[str, float]) -> str:
    if outcome == "absent":
        return f"no {subject} was found in the picture"
    if outcome == "invalid":
        return "the picture is blank"
    return (
        f"{colour} covers {m['bind']:.0%} of the {subject}, {m['leak_neighbour']:.0%} of the plate"
        f" and {m['leak_background']:.0%} of the background"
    )


def write_run(
    folder: Path,
    *,
    colours=COLOUR_NAMES,
    subjects=tuple(SUBJECTS),
    seeds: int = 4,
    pairs: int = 0,
    quality: float = 0.7,
    seed: int = 0,
    frames: int = 0,
    images: int | None = None,
    parts: int = 3,
    run: dict | None = None,
    cells: list[Cell] | None = None,
    invalid: int = 0,
) -> Path:
    """Write a run folder and return its path."""
    rng = np.random.default_rng(seed)
    samples = plan(cells or make_cells(list(colours), list(subjects), pairs), seeds)[:images]
    rows, regions, scores, verdicts, trajectory = [], [], [], [], []
    noise = [round(1 - step / frames, 3) for step in range(frames)]
    for sample in samples:
        cell = sample.cell
        outcome = []
        for binding in cell.bindings:
            if binding.colour is None:
                outcome.append("bound")
                continue
            known = SUBJECTS.get(binding.subject)
            easy = 0.2 if known and binding.colour in known.canonical else -0.05
            chance = np.clip(quality + easy - (0.25 if "novel" in cell.tags else 0), 0.02, 0.98)
            others = ["swapped", *OUTCOMES[1:]] if len(cell.bindings) > 1 else OUTCOMES[1:]
            weights = np.array([1.0] * (len(others) - 7) + [2, 3, 3, 2, 3, 1, 1])
            pick = rng.choice(others, p=weights / weights.sum())
            outcome.append("bound" if rng.random() < chance else str(pick))
        void = len(rows) < invalid and "control" not in cell.tags
        if void:
            outcome = ["invalid"] * len(outcome)
        image, labels, observed = draw(sample, outcome, rng)
        if void:
            image = np.zeros_like(image)
        row = {
            "sample_id": sample.id,
            "cell_id": cell.id,
            "text": cell.text,
            "template": cell.template,
            "control_id": cell.control_id,
            "bindings": [{"colour": b.colour, "subject": b.subject} for b in cell.bindings],
            "scenery": [{"colour": b.colour, "subject": b.subject} for b in cell.scenery],
            "tags": sorted(cell.tags),
            "index": sample.index,
            "seed": sample.seed,
            "image": {"bytes": png(image), "path": None},
            "frames": None,
            "width": SIZE,
            "height": SIZE,
            "invalid": "blank picture" if void else None,
            "seconds": 0.02,
        }
        if frames:
            row["frames"] = [
                {"bytes": png(frame), "path": None} for frame in denoise(image, frames, rng)
            ]
        rows.append(row)
        found = [0.03 if o == "absent" else 0.97 for o in outcome]
        regions.append(
            {
                "sample_id": sample.id,
                "segmenter": "exact",
                "labels": png(labels),
                "found": found,
                "neighbours": ["plate"],
            }
        )
        for number, binding in enumerate(cell.bindings):
            m = shares(outcome[number], number, rng)
            terms = {f"subject_{c}": 0.94 * (c == observed[number]) for c in COLOUR_NAMES}
            terms |= {f"background_{c}": 0.9 * (c == "gray") + 0.01 for c in COLOUR_NAMES}
            terms |= {f"neighbour_{c}": 0.9 * (c == "white") + 0.01 for c in COLOUR_NAMES}
            if binding.colour is None:
                m |= dict.fromkeys(("bind", "leak_background", "leak_neighbour"), float("nan"))
            scores += [
                {
                    "sample_id": sample.id,
                    "binding": number,
                    "metric": metric,
                    "value": value,
                    "reason": "" if value == value else "no colour asked",
                }
                for metric, value in (m | terms).items()
                if not metric.startswith("clip")
            ]
            trajectory += [
                {
                    "sample_id": sample.id,
                    "binding": number,
                    "step": step,
                    "noise": level,
                    "metric": metric,
                    "value": value * (step + 1) / frames,
                    "reason": "" if value == value else "no colour asked",
                }
                for step, level in enumerate(noise)
                for metric, value in (m | terms).items()
                if metric in FRAME_METRICS or metric.startswith("subject_")
            ]
            if binding.colour is None:
                continue
            verdicts.append(
                {
                    "sample_id": sample.id,
                    "cell_id": cell.id,
                    "binding": number,
                    "colour": binding.colour,
                    "subject": binding.subject,
                    "template": cell.template,
                    "tags": sorted(cell.tags),
                    "index": sample.index,
                    "verdict": outcome[number],
                    "rule": f"rule for {outcome[number]}",
                    "value": m["bind"],
                    "threshold": 0.5,
                    "words": words(outcome[number], binding.colour, binding.subject, m),
                    **{name: m[name] for name in MAIN_METRICS + OTHER_METRICS},
                    "observed": None if outcome[number] == "absent" else observed[number],
                }
            )
    cells = list(dict.fromkeys(sample.cell for sample in samples))
    manifest = Manifest(
        name=folder.name,
        created="2025-01-01T00:00:00+00:00",
        finished="2025-01-01T00:10:00+00:00",
        grid=grid_of(cells, "made-up", {}),
        seeds=seeds,
        images=len(rows),
        sampler=Maker(kind="sampler", name="shapes"),
        segmenter=Maker(kind="segmenter", name="exact"),
        scorers={"segmentation": Maker(kind="scorer", name="segmentation")},
        image_size=(SIZE, SIZE),
        trajectory=noise if frames else None,
        **(run or {}),
    )
    folder.mkdir(parents=True)
    write_manifest(folder, manifest)
    write_folder(Run(folder, manifest), rows, regions, scores, verdicts, trajectory, parts)
    return folder


def denoise(image: np.ndarray, steps: int, rng: np.random.Generator) -> list[np.ndarray]:
    blur = image.mean((0, 1), keepdims=True)
    out = []
    for step in range(steps):
        t = (step + 1) / steps
        mix = blur * (1 - t) + image * t + rng.normal(0, 25 * (1 - t), image.shape)
        out.append(np.clip(mix, 0, 255).astype(np.uint8))
    return out


def write_folder(run: Run, rows, regions, scores, verdicts, trajectory, parts: int) -> None:
    tables = {"samples": rows, "regions": regions, "scores/segmentation": scores}
    if trajectory:
        tables["trajectory"] = trajectory
    for table, content in tables.items():
        writer = PartWriter(run.folder / table, table, run.manifest.id, run.manifest.made_by(table))
        step = max(1, -(-len(content) // parts))
        for start in range(0, len(content), step):
            writer.append(content[start : start + step])
            writer.close_part()
    write_verdicts(run, [verdicts])
    if trajectory:
        write_accumulation(run, [list(accumulation_rows(run))])
    write_estimates(run, tabulate(read_verdicts(run), resamples=200))
