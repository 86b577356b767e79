"""``bench validate``: the certificate on stdout, how far it is on stderr."""

import json
import re

from bench.certificate.conditions import QUICK
from bench.cli.main import run


def test_progress_names_each_trial_and_from_the_second_on_the_time_left(capsys):
    assert run(["validate", "--quick", "--scenes", "10", "--json"]) == 0
    out, err = capsys.readouterr()
    assert list(json.loads(out)["trials"]) == list(QUICK)
    lines = err.splitlines()
    assert len(lines) == len(QUICK)
    assert "left" not in lines[0]
    for number, (line, name) in enumerate(zip(lines, QUICK, strict=True), 1):
        assert line.startswith(f"trial {number} of {len(QUICK)}: {name}, 10 scenes")
        assert number == 1 or re.search(r"; about (\d+ s|[\d:]+) left$", line)


def test_a_place_that_cannot_be_written_is_told_before_the_scenes_are_drawn(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run(["validate", "--quick", "--out", str(tmp_path / "file/certificate.json")]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert "is a file" in err
    assert "trial" not in err
