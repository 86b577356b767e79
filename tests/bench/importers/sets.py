"""Sets of pictures on the disk, in every layout, of the shapes of `tests.bench.shapes`."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from bench.records import Generation
from prompts.cells import Binding, Sample, plan
from tests.bench.shapes import ShapeSampler, cells, draw

SHAPES = "tests.bench.shapes"
SCORER = f"{SHAPES}-MeanScorer"
PARTS = ["--segmenter", f"{SHAPES}:ShapeSegmenter", "--scorer", f"{SHAPES}:MeanScorer"]


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def samples(seeds: int = 2) -> list[Sample]:
    return plan(cells(), seeds)


def named(wanted: list[Sample]) -> list[tuple[str, str, bytes]]:
    """File name, prompt and bytes of each sample."""
    return [
        (f"{number:05d}.png", sample.cell.text, png(draw(sample)))
        for number, sample in enumerate(wanted)
    ]


def write_files(root: Path, pictures) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for name, _, data in pictures:
        (root / name).write_bytes(data)


def csv_text(rows, header) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(header)
    writer.writerows(rows)
    return file.getvalue()


def jsonl(rows) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def imagefolder(root: Path, pictures, kind: str = "csv", column: str = "text") -> Path:
    write_files(root, pictures)
    rows = [{"file_name": name, column: prompt} for name, prompt, _ in pictures]
    path = root / f"metadata.{kind}"
    if kind == "csv":
        path.write_text(csv_text([row.values() for row in rows], ["file_name", column]))
    elif kind == "jsonl":
        path.write_text(jsonl(rows))
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    return root


def listing(root: Path, pictures, kind: str = "csv") -> Path:
    write_files(root / "pictures", pictures)
    rows = [{"path": f"pictures/{name}", "prompt": prompt} for name, prompt, _ in pictures]
    path = root / f"list.{kind}"
    path.write_text(
        jsonl(rows) if kind == "jsonl" else csv_text([r.values() for r in rows], ["path", "prompt"])
    )
    return path


def parquet(root: Path, pictures, struct: bool = True) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    rows = [
        {"image": {"bytes": data, "path": name} if struct else data, "prompt": prompt}
        for name, prompt, data in pictures
    ]
    half = len(rows) // 2
    pq.write_table(pa.Table.from_pylist(rows[:half]), root / "train-00000-of-00002.parquet")
    pq.write_table(pa.Table.from_pylist(rows[half:]), root / "train-00001-of-00002.parquet")
    return root


def add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


def webdataset(root: Path, pictures, kind: str = "txt", mode: str = "w") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    path = root / ("set.tar.gz" if mode == "w:gz" else "set.tar")
    with tarfile.open(path, mode) as archive:
        for name, prompt, data in pictures:
            key = name.removesuffix(".png")
            text = prompt if kind == "txt" else json.dumps({"caption": prompt, "width": 32})
            add(archive, f"{key}.{kind}", text.encode())
            add(archive, name, data)
    return path


def geneval(root: Path, wanted: list[Sample], folder: str = "samples", digits: int = 4) -> Path:
    """A folder a prompt; metadata as GenEval writes it."""
    by_cell: dict[str, list[Sample]] = {}
    for sample in wanted:
        by_cell.setdefault(sample.cell.id, []).append(sample)
    for number, group in enumerate(by_cell.values()):
        place = root / f"{number:05d}"
        (place / folder).mkdir(parents=True)
        include = []
        for binding in group[0].cell.bindings:
            entry = {"class": binding.subject, "count": 1}
            if binding.colour is not None:
                entry["color"] = binding.colour
            include.append(entry)
        about = {"tag": "colors", "include": include, "prompt": group[0].cell.text}
        (place / "metadata.jsonl").write_text(json.dumps(about))
        (place / "grid.png").write_bytes(b"no sample")
        for sample in group:
            data = png(draw(sample))
            (place / folder / f"{sample.index:0{digits}d}.png").write_bytes(data)
    return root


class Painter(ShapeSampler):
    """Draws the shapes of the first thing asked for, in colours outside the basic ones too."""

    def sample(self, samples):
        for sample in samples:
            first = sample.cell.bindings[0]
            shade = {"turquoise": "blue"}.get(first.colour, first.colour)
            binding = Binding(shade, first.subject)
            yield Generation(sample, draw(replace_first(sample, binding)), 0.0)


def replace_first(sample: Sample, binding: Binding) -> Sample:
    return replace(sample, cell=replace(sample.cell, bindings=(binding,)))


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
