"""The example that walks from a base model to a gated checkpoint runs, and its runs are whole."""

import os
import subprocess
import sys

from bench.store.manifest import read_manifest
from tests.bundled import ROOT


def test_the_road_is_walked_to_its_end(tmp_path):
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples/fine_tune.py"), str(tmp_path / "road")],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    runs = tmp_path / "road" / "runs"
    weights = {}
    for name in ("base", "tuned", "checkpoint-4", "checkpoint-8"):
        manifest = read_manifest(runs / name)
        assert manifest.complete
        weights[name] = manifest.sampler.weights
    assert weights["base"] != weights["tuned"] == weights["checkpoint-4"]
    for name in ("checkpoint-4", "checkpoint-8"):
        (adapter,) = read_manifest(runs / name).sampler.options["loras"]
        assert adapter["layers"] > 0
        assert adapter["dropped"] == 0
    assert done.stdout.count("binding score went from") == 2
    assert (tmp_path / "road" / "page.html").stat().st_size > 100_000
