"""The same pictures in every layout give the same scores as the run that drew them."""

import json

import pytest

from bench.cli.main import run
from bench.errors import UsageError
from bench.importers.layouts import LAYOUTS, open_set
from bench.store.run import Run
from tests.bench.importers import sets
from tests.bench.runs import make_run, table_of

WRITERS = {
    "imagefolder csv": ("imagefolder", lambda root, p: sets.imagefolder(root, p)),
    "imagefolder jsonl": ("imagefolder", lambda root, p: sets.imagefolder(root, p, "jsonl")),
    "imagefolder parquet": (
        "imagefolder",
        lambda root, p: sets.imagefolder(root, p, "parquet", "caption"),
    ),
    "list csv": ("list", lambda root, p: sets.listing(root, p)),
    "list jsonl": ("list", lambda root, p: sets.listing(root, p, "jsonl")),
    "parquet struct": ("parquet", lambda root, p: sets.parquet(root, p)),
    "parquet bytes": ("parquet", lambda root, p: sets.parquet(root, p, struct=False)),
    "webdataset txt": ("webdataset", lambda root, p: sets.webdataset(root, p)),
    "webdataset json": ("webdataset", lambda root, p: sets.webdataset(root, p, "json")),
    "webdataset gz": ("webdataset", lambda root, p: sets.webdataset(root, p, mode="w:gz")),
    "geneval": ("geneval", lambda root, p: sets.geneval(root, sets.samples())),
    "geneval 5 digits": (
        "geneval",
        lambda root, p: sets.geneval(root, sets.samples(), digits=5),
    ),
    "geneval without samples/": (
        "geneval",
        lambda root, p: sets.geneval(root, sets.samples(), ".", 5),
    ),
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("drawn") / "r")


@pytest.mark.parametrize("name", WRITERS)
def test_same_pictures_same_scores(name, drawn, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    layout, write = WRITERS[name]
    path = write(tmp_path / "set", sets.named(sets.samples()))
    assert run(["score", str(path), *sets.PARTS, "--json"]) == 0
    printed = capsys.readouterr()
    assert f"layout {layout}" in printed.err
    assert "16 pictures: 16 matched to 8 cells (4 pictures are controls), 0 not matched" in (
        printed.err
    )
    summary = json.loads(printed.out)
    assert summary["stored"] == 16
    scored = Run(next((tmp_path / "runs").iterdir()))
    assert table_of(scored, "regions").equals(table_of(drawn, "regions"))
    assert table_of(scored, f"scores/{sets.SCORER}").equals(table_of(drawn, "scores/mean"))
    verdicts = [one for one in summary["estimates"] if one["metric"] == "leak_excess"]
    assert verdicts[0]["scored"] == 12, "controls are paired by index"


@pytest.mark.parametrize("name", WRITERS)
def test_layout_can_be_forced(name, tmp_path):
    layout, write = WRITERS[name]
    path = write(tmp_path / "set", sets.named(sets.samples()))
    forced = open_set(path, layout)
    found = open_set(path)
    assert forced.layout == found.layout == layout
    assert sum(one.is_sample for one in forced.pictures()) == 16
    assert set(LAYOUTS) >= {layout}


def test_places_are_stored_with_the_pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sets.imagefolder(tmp_path / "set", sets.named(sets.samples()))
    assert run(["score", "set", *sets.PARTS]) == 0
    scored = Run(tmp_path / "runs/score-set")
    (_, part), *_ = scored.parts("samples")
    assert [row["path"] for row in part["image"].to_pylist()][:2] == ["00000.png", "00001.png"]
    record = scored.manifest
    assert (record.sampler.kind, record.sampler.name) == ("pictures", "set")
    assert len(record.sampler.weights) == 16
    assert record.grid.options == {
        "layout": "imagefolder",
        "pictures": 16,
        "matched": 16,
        "unmatched": 0,
    }
    assert str(tmp_path) not in (scored.folder / "run.json").read_text()


def test_splits_of_an_imagefolder(tmp_path):
    pictures = sets.named(sets.samples())
    sets.imagefolder(tmp_path / "set/test", pictures[:4])
    sets.imagefolder(tmp_path / "set/train", pictures[4:], "jsonl")
    found = list(open_set(tmp_path / "set").pictures())
    assert [one.place for one in found][::15] == ["test/00000.png", "train/00015.png"]


def test_picture_that_no_metadata_names_is_told(tmp_path):
    pictures = sets.named(sets.samples())
    sets.imagefolder(tmp_path / "set", pictures)
    (tmp_path / "set/stray.jpg").write_bytes(b"")
    last = list(open_set(tmp_path / "set").pictures())[-1]
    assert (last.place, last.why_not) == ("stray.jpg", "no metadata names it")


def test_columns_by_other_names(tmp_path):
    sets.write_files(tmp_path / "p", sets.named(sets.samples()[:1]))
    (tmp_path / "l.csv").write_text("where,what\n00000.png,a potato\n")
    source = open_set(
        tmp_path / "l.csv", image_column="where", prompt_column="what", images=tmp_path / "p"
    )
    (picture,) = source.pictures()
    assert picture.said == {"prompt": "a potato"}
    assert picture.read().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: None, "no such file or folder"),
        (lambda p: p.mkdir(), "has no layout that is known: geneval"),
        (lambda p: p.write_text("x"), "has no layout that is known"),
        (lambda p: (p.mkdir(), (p / "run.json").touch()), "is a run folder"),
    ],
)
def test_path_that_is_no_set(make, words, tmp_path):
    make(tmp_path / "set")
    with pytest.raises(UsageError, match=words):
        open_set(tmp_path / "set")


def test_unknown_layout_and_option(tmp_path):
    sets.parquet(tmp_path / "set", sets.named(sets.samples()))
    with pytest.raises(UsageError, match="did you mean 'parquet'"):
        open_set(tmp_path / "set", "parquett")
    with pytest.raises(UsageError, match="layout parquet has no option --images"):
        open_set(tmp_path / "set", images=tmp_path)


DAMAGED = {
    "csv": ("l.csv", b'path,prompt\n"a.png', "not CSV"),
    "fields": ("l.csv", b"path,prompt\na.png,a,b\n", "l.csv:2: 3 fields under 2 columns"),
    "no path": ("l.csv", b"pth,prompt\na.png,a red cup\n", "no column for the path"),
    "empty path": ("l.csv", b"path,prompt\n,a red cup\n", "l.csv:2: path is empty"),
    "json": ("l.jsonl", b'{"path": "a.png"}\n{"pa\n', "l.jsonl:2: not JSON"),
    "no object": ("l.jsonl", b"[1]\n", "expected a JSON object"),
    "latin-1": ("l.csv", b"path,prompt\na.png,caf\xe9\n", "not UTF-8"),
    "long line": ("l.jsonl", b"x" * (1 << 21), "a line of more than"),
    "parquet": ("l.parquet", b"PAR1" + bytes(100), "cannot read"),
    "tar": ("l.tar", b"no tar at all" * 100, "cannot read"),
    "empty tar": ("l.tar", bytes(10240), "is an empty archive"),
    "empty csv": ("l.csv", b"", "has no pictures"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_set_is_one_line(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file, data, words = DAMAGED[name]
    (tmp_path / file).write_bytes(data)
    assert run(["score", file]) == 2
    printed = capsys.readouterr()
    *notes, last = printed.err.splitlines()
    notes = [note for note in notes if not note.startswith("note: ")]
    assert notes in ([], [f"{file}: layout {open_set(tmp_path / file).layout}"])
    assert last.startswith("error: ")
    assert words in last
    assert printed.out == ""
    assert not (tmp_path / "runs").exists()


def test_tar_that_is_cut_off(tmp_path):
    path = sets.webdataset(tmp_path, sets.named(sets.samples()))
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(UsageError, match="cannot read|cut off"):
        list(open_set(path).pictures())


def test_parquet_of_other_types(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"image": ["a.png"], "prompt": ["a cup"]}), tmp_path / "a.parquet")
    with pytest.raises(UsageError, match="expected the bytes of image files"):
        list(open_set(tmp_path / "a.parquet").pictures())
    pq.write_table(pa.table({"image": [b"x"], "label": ["a cup"]}), tmp_path / "a.parquet")
    with pytest.raises(UsageError, match="no column for the prompt"):
        list(open_set(tmp_path / "a.parquet").pictures())
