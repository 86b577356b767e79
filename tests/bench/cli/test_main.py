import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.cli.main import COMMANDS, run

ROOT = Path(__file__).parents[3]
SHAPES = "tests.bench.shapes"
ARGUMENTS = [
    *("run", "--model", f"{SHAPES}:ShapeSampler", "--segmenter", f"{SHAPES}:ShapeSegmenter"),
    *("--scorer", f"{SHAPES}:MeanScorer", "--colours", "red,blue", "--subjects", "potato,cup"),
    *("--templates", "single,control", "--name", "r"),
]
#: Seconds; a machine that also trains a model is slow.
PATIENCE = 300
HEAVY = ("torch", "diffusers", "open_clip", "skimage", "pandas", "numpy", "pyarrow", "scipy")


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT)])


def process(*arguments, **environment) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "bench", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_is_printed_also_where_nothing_is_asked(arguments, capsys):
    assert run(arguments) == 0
    printed = capsys.readouterr()
    assert not printed.err
    assert "\\b" not in printed.out
    lines = [line.strip() for line in printed.out.splitlines()]
    # An example keeps its line.
    assert "bench report                  look at them" in lines
    assert any(line.startswith("doctor ") for line in lines)


@pytest.mark.parametrize("own", [None, "ACTIVE"])
def test_threads_that_wait_sleep_unless_the_user_has_said_otherwise(own):
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    code = "import os; from bench.cli.main import main\ntry: main(['--version'])\n"
    code += "finally: print(os.environ['OMP_WAIT_POLICY'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment | {"PYTHONPATH": str(ROOT)} | ({"OMP_WAIT_POLICY": own} if own else {}),
    )
    assert done.stdout.split()[-1] == (own or "PASSIVE")


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
@pytest.mark.parametrize("own", [None, "65536"])
def test_freed_pages_are_used_again_unless_the_user_has_said_otherwise(own):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
    code = """if True:
        import resource
        from bench.cli.main import main
        try:
            main(["--version"])
        except SystemExit:
            pass
        import numpy as np
        def faults():
            return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        def batch():
            return [np.ones(2**17) for _ in range(40)]
        batch()
        before = faults()
        for _ in range(5):
            batch()
        print(faults() - before)
    """
    keys = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment | {"PYTHONPATH": str(ROOT)} | (dict.fromkeys(keys, own) if own else {}),
    )
    # A megabyte is 256 pages (of more NumPy asks for huge ones).
    pages = 5 * 40 * 256
    assert (int(done.stdout.split()[-1]) < pages / 10) is (own is None)


def test_the_garbage_collector_passes_by_what_is_loaded_first_and_works_as_usual_later():
    code = """if True:
        import gc, weakref
        from bench.cli.main import main
        from bench.memory import LIBRARY_OBJECTS
        usual = gc.get_threshold()
        try:
            main(["--version"])
        except SystemExit:
            pass
        loaded = [[] for _ in range(LIBRARY_OBJECTS // 2)]
        assert not gc.get_freeze_count()
        more = [[] for _ in range(LIBRARY_OBJECTS)]
        assert gc.get_freeze_count() > len(loaded)
        assert gc.get_threshold() == usual and not gc.callbacks
        class Ring:
            pass
        ring = Ring()
        ring.own, gone = ring, weakref.ref(ring)
        del ring
        even_more = [[] for _ in range(3 * usual[0])]
        assert gone() is None
    """
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )


def test_help_imports_nothing_heavy():
    code = "import sys; from bench.cli.main import run; run(['--help']); "
    code += f"print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.endswith("[]\n")
    for name in COMMANDS:
        assert f"  {name} " in done.stdout


@pytest.mark.parametrize(
    "arguments", [["prompts"], ["prompts", "--format", "csv"], ["models"], ["check", "--help"]]
)
def test_a_reader_that_has_gone_is_no_error(arguments):
    running = process(*arguments)
    running.stdout.close()
    told = running.stderr.read()
    running.stderr.close()
    assert running.wait(PATIENCE) == 0
    assert "error" not in told.lower()


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "--baseline", "b.json", "--margin", "nan"],
        ["check", "--baseline", "b.json", "--alpha", "nan"],
        ["plan", "--seconds", "inf"],
        ["run", "--model", "local", "--guidance-scale", "nan"],
        ["run", "--model", "openai-images:x", "--price", "nan"],
    ],
)
def test_what_is_no_number_is_refused(arguments, capsys):
    assert run(arguments) == 2
    assert re.search(r"(nan|inf)'? is (not a finite|no) number", capsys.readouterr().err)


def test_a_guidance_below_none_is_refused(capsys):
    assert run(["run", "--model", "local", "--guidance-scale", "-1"]) == 2
    assert "is not in the range x>=0" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, capsys):
    assert run([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"Usage: bench {name} ")


def test_run_show_and_run_again(capsys):
    assert run([*ARGUMENTS, "--json"]) == 0
    first = capsys.readouterr()
    summary = json.loads(first.out)
    assert summary["stored"] == 12
    assert "12 images made" in first.err
    assert run(ARGUMENTS) == 0
    second = capsys.readouterr()
    assert " 0 images made" in second.err
    assert "Binding score" in second.out
    assert run(["show"]) == 0
    assert re.search(r"Binding score +\d", capsys.readouterr().out)
    assert run(["show", "r", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["estimates"] == summary["estimates"]
    assert run(["show", "runs/r", "--csv"]) == 0
    head = "metric,group,value,low,high,images,scored,cells,population_low,population_high\n"
    assert capsys.readouterr().out.startswith(head)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["rnu"], 2, "unknown command 'rnu'; did you mean 'run'?"),
        (["run"], 2, "Missing option '--model'"),
        (["run", "--model", "locl"], 2, "did you mean 'local'?"),
        (["run", "--model", "local", "--colours", "bleu"], 2, "did you mean 'blue'"),
        (["run", "--model", "local", "--subjects", "potatoe"], 2, "did you mean 'potato'"),
        (["run", "--model", "local", "--preset", "defalt"], 2, "did you mean 'default'"),
        (["run", "--model", "local", "--seeds", "0"], 2, "--seeds"),
        ([*ARGUMENTS, "--scorer", "segmentatoin"], 2, "did you mean 'segmentation'?"),
        ([*ARGUMENTS, "--segmenter", "saliancy"], 2, "did you mean 'saliency'?"),
        ([*ARGUMENTS, "--guidance-scale", "3"], 2, "has no option 'guidance_scale'"),
        ([*ARGUMENTS, "--name", "a/b"], 2, "no name of a folder"),
        ([*ARGUMENTS, "--out", "/proc/no"], 3, "cannot make the folder /proc/no"),
        (["show"], 2, "there is no run in runs/"),
        (["show", "nothing"], 2, "there is no run 'nothing'"),
    ],
)
def test_bad_input_is_one_line_and_a_code(arguments, code, words, capsys):
    assert run(arguments) == code
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert words in err
    assert err.count("\n") == 1


def test_other_options_are_refused_with_the_field(capsys):
    assert run(ARGUMENTS) == 0
    capsys.readouterr()
    assert run([*ARGUMENTS, "--steps", "9"]) == 3
    assert "option steps 4, not 9" in capsys.readouterr().err


def test_unexpected_error_is_one_line_unless_debugging(capsys, monkeypatch):
    def broken(*arguments, **options):
        raise RuntimeError("a bug\nof two lines")

    monkeypatch.setattr("bench.run.run.run", broken)
    monkeypatch.setenv("BENCH_DEBUG", "0")
    assert run(ARGUMENTS) == 4
    assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.setenv("BENCH_DEBUG", "1")
    assert run(ARGUMENTS) == 4
    assert "Traceback" in capsys.readouterr().err


def test_dry_run_does_nothing(capsys, tmp_path):
    assert run([*ARGUMENTS, "--dry-run"]) == 0
    assert "12 to make of 12, 32 x 32" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_limit_is_told(capsys):
    assert run([*ARGUMENTS, "--limit", "6"]) == 0
    assert "not comparable" in capsys.readouterr().out


def test_invalid_images_fail_loudly(capsys, tmp_path):
    (tmp_path / "own_black.py").write_text(
        "from tests.bench.shapes import ShapeSampler\n"
        "from dataclasses import replace\n"
        "class Black(ShapeSampler):\n"
        "    def sample(self, samples):\n"
        "        for n, one in enumerate(super().sample(samples)):\n"
        "            yield replace(one, image=one.image * (n > 1))\n"
    )
    arguments = [*ARGUMENTS]
    arguments[2] = "own_black:Black"
    assert run(arguments) == 3
    printed = capsys.readouterr()
    assert "2 of 12 images are invalid (2 black), more than 1%" in printed.err
    assert "2 images are invalid" in printed.out


def begun(arguments, tmp_path, pause: str) -> subprocess.Popen:
    """A process that is sampling."""
    mark = tmp_path / "sampling"
    first = process(*arguments, SHAPES_PAUSE=pause, SHAPES_MARK=str(mark))
    while not mark.exists():
        assert first.poll() is None, first.communicate()
        time.sleep(0.02)
    return first


def test_ctrl_c_stores_what_is_in_hand_and_tells_how_to_go_on(tmp_path):
    arguments = [*ARGUMENTS, "--seeds", "40"]
    first = begun(arguments, tmp_path, "0.3")
    time.sleep(1)
    first.send_signal(signal.SIGINT)
    _, err = first.communicate(timeout=PATIENCE)
    assert first.returncode == 130, err
    done = int(re.search(r"interrupted: (\d+) of 240 images are finished", err).group(1))
    assert 0 < done < 240
    assert "run the same command again to go on" in err
    assert "Traceback" not in err
    second = process(*arguments)
    _, err = second.communicate(timeout=PATIENCE)
    assert second.returncode == 0
    assert f"{240 - done} images made" in err


def test_second_process_on_one_folder_says_so_and_stops(tmp_path):
    arguments = [*ARGUMENTS, "--seeds", "40"]
    first = begun(arguments, tmp_path, "100")
    try:
        second = process(*arguments)
        _, err = second.communicate(timeout=PATIENCE)
        assert second.returncode == 3
        assert f"is in use by process {first.pid} on " in err
    finally:
        first.kill()
        first.communicate()


def test_file_size_limit_stops_the_run_and_keeps_the_rest(tmp_path):
    """The system refuses to write a larger file, as a full disk would; then there is room again."""
    limited = (
        "import resource, sys; from bench.cli.main import run; import bench.store.run as store;"
        "store.RunWriter.__init__.__defaults__ = (0.05, 2**26);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000)); sys.exit(run(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited, *ARGUMENTS, "--seeds", "20"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SHAPES_PAUSE": "0.1"},
    )
    assert done.returncode == 3, done.stderr
    assert "File too large" in done.stderr
    assert "what is finished is kept" in done.stderr
    assert not list((tmp_path / "runs").rglob(".tmp-*"))
    assert run([*ARGUMENTS, "--seeds", "20"]) == 0


@pytest.mark.parametrize("code", [130, 0])
def test_ctrl_c_does_not_wait_for_threads_nor_show_a_traceback(code):
    program = f"""if True:
        import atexit, os, signal, threading, time, torch
        from bench.cli.main import leave
        atexit.register(print, "handlers")
        # What a shell starts in the background ignores the signal.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(target=lambda: time.sleep(100)).start()
        if {code} == 0:
            threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        leave({code})
    """
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=PATIENCE,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "handlers\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="on_exit is glibc's")
@pytest.mark.parametrize(("torch", "code"), [(True, 3), (False, -signal.SIGABRT)])
def test_a_process_with_torch_ends_without_the_destructors_of_its_libraries(torch, code):
    program = f"""if True:
        import atexit, ctypes, threading, time
        if {torch}:
            import torch
        from bench.cli.main import leave
        library = ctypes.CDLL(None)
        library.on_exit(library.abort, None)
        atexit.register(lambda: print("handlers"))
        threading.Thread(target=lambda: [time.sleep(0.2), print("threads")]).start()
        leave(3)
    """
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == code
    assert done.stdout.split() == ["threads", "handlers"]
    assert not done.stderr
