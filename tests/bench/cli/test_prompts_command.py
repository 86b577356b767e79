import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from bench.cli.grid_options import resolve_grid
from bench.cli.prompts import command
from bench.errors import UsageError
from bench.importers.caption_files import read_captions, read_manifest
from prompts.grids import build_grid
from prompts.manifest import TrainingManifest


def run(*arguments):
    result = CliRunner().invoke(command, [str(one) for one in arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result


def test_text():
    result = run("--preset", "quick")
    assert result.stdout.splitlines() == [cell.text for cell in build_grid("quick")]
    assert "150 prompts, 150 images" in result.stderr


def test_a_large_file_is_told_before_it_is_read(tmp_path):
    path = tmp_path / "own.jsonl"
    rows = [{"prompt": f"a {colour} cup", "note": "x" * 600_000} for colour in ("red", "blue")]
    path.write_text("\n".join(map(json.dumps, rows)))
    assert run("--grid", path).stderr.startswith(f"reading {path}, 1 MB\n")
    path.write_text(json.dumps(rows[0]))
    assert "reading" not in run("--grid", path).stderr


def test_default_is_the_default_grid():
    assert len(run().stdout.splitlines()) == 522


@pytest.mark.parametrize("layout", ["csv", "jsonl"])
def test_what_is_printed_can_be_read_again(layout, tmp_path):
    path = tmp_path / f"own.{layout}"
    path.write_text(run("--preset", "default", "--format", layout).stdout, encoding="utf-8")
    again = resolve_grid(grid_file=path, seeds=2)
    assert again.hash == build_grid("default").hash
    assert again.cells == build_grid("default").cells


def test_count():
    lines = dict(line.rsplit(maxsplit=1) for line in run("--count").stdout.splitlines())
    assert lines["prompts"] == "522"
    assert lines["images"] == "1044"
    assert lines["template single"] == "297"
    counts = json.loads(run("--count", "--format", "jsonl").stdout)
    assert counts["hash"] == build_grid("default").hash
    assert run("--count", "--format", "csv").stdout.startswith("what,count\nprompts,522\n")


def test_part():
    result = run("--colors", "blue,grey", "--subjects", "potato", "--subjects", "cup",
                 "--templates", "single")  # fmt: skip
    assert result.stdout.splitlines() == [
        "a blue potato", "a blue cup", "a gray potato", "a gray cup", "a potato", "a cup",
    ]  # fmt: skip


def captions_files(folder):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = ["a blue potato", None, "two red cups", "a cup"]
    folder.mkdir(exist_ok=True)
    (folder / "c.txt").write_text("\n".join(row or "" for row in rows))
    (folder / "c.jsonl").write_text("\n".join(json.dumps({"text": row}) for row in rows))
    table = pa.table({"id": [1, 2, 3, 4], "caption": rows})
    pq.write_table(table, folder / "c.parquet")
    return [folder / "c.txt", folder / "c.jsonl", folder / "c.parquet"]


def test_captions(tmp_path):
    expected = TrainingManifest(
        {("blue", "potato"): 1, ("red", "cup"): 1}, {"potato": 1, "cup": 2}, 3
    )
    for path in captions_files(tmp_path):
        assert read_manifest(path) == expected
        grid = resolve_grid(subjects=["potato"], colours=["blue", "red"], captions=path)
        tags = {cell.id: cell.tags for cell in grid}
        assert "seen" in tags["single/blue/potato"]
        assert "novel" in tags["single/red/potato"]
    expected.save(tmp_path / "m.json")
    assert read_manifest(tmp_path / "m.json") == expected
    assert list(read_captions(tmp_path / "c.parquet"))[1] == "two red cups"


def test_caption_errors(tmp_path):
    paths = captions_files(tmp_path)
    (tmp_path / "empty.txt").write_text("\n\n")
    (tmp_path / "bad.parquet").write_bytes(paths[2].read_bytes()[:-40])
    (tmp_path / "bad.txt.gz").write_bytes(b"no gzip")
    for path, part in (
        (tmp_path / "none.txt", "cannot read"),
        (tmp_path / "none.parquet", "cannot read"),
        (tmp_path / "empty.txt", "no caption"),
        (tmp_path / "bad.parquet", "cannot read"),
        (tmp_path / "bad.txt.gz", "cannot read"),
    ):
        with pytest.raises(UsageError, match=part):
            read_manifest(path)
    with pytest.raises(UsageError, match="no column 'capton'"):
        read_manifest(paths[2], key="capton")
    with pytest.raises(UsageError, match="must hold text"):
        read_manifest(paths[2], key="id")


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"preset": "quik"}, "did you mean 'quick'"),
        ({"colours": ["blu"]}, "did you mean 'blue'"),
        ({"subjects": ["potatoe"]}, "did you mean 'potato'"),
        ({"templates": ["wal"]}, "did you mean 'wall'"),
        ({"preset": "quick", "grid_file": "x.toml"}, "two grids"),
        ({"grid_file": "x.toml", "scenery": ["red"]}, "write scenery"),
        ({"grid_file": "x.toml"}, "cannot read x.toml"),
        ({"captions": "none.txt"}, "cannot read the captions"),
    ],
)
def test_errors_are_usage_errors(options, part):
    with pytest.raises(UsageError, match=part) as caught:
        resolve_grid(**options)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


def test_importing_the_command_is_light():
    code = (
        "import sys; import bench.cli.prompts; "
        "print([m for m in sys.modules if m.split('.')[0] in "
        "('numpy', 'pyarrow', 'torch', 'pandas', 'prompts')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
