"""The way of one prompt through the program stays short."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd

from bench.records import Generation
from benchmarks.walk import CELL, PROMPT, ROOT, carries
from prompts.cells import Cell, Sample

#: Files that a prompt may cross between the command line and the page. The last three that came:
#: the threads that judge pictures side by side, the tokenizer of the bundled CLIP, and the scorer
#: that tells pictures unlike the certified ones.
MOST = 38


def test_prompt_crosses_few_files():
    # In a process of its own: files are counted where they first see the prompt.
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.walk"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    walk = json.loads(done.stdout)["walk"]
    assert "bench/judge/verdict.py" in walk
    assert "reports/page.py" in walk
    assert len(walk) <= MOST, "\n".join(walk)


def test_what_carries_the_prompt():
    cell = Cell(CELL, PROMPT, (), "single", CELL)
    image = np.zeros((2, 2, 3), np.uint8)
    for value in (PROMPT, CELL, cell, [Sample(cell, 0)], Generation(Sample(cell, 0), image)):
        assert carries(value)
    assert carries(pd.DataFrame({"prompt": [PROMPT]}))
    for value in ("a red cup", 3, None, image, [1, 2], {"a": 1}, pd.DataFrame({"value": [1]})):
        assert not carries(value)
