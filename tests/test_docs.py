"""What is written for people is true of the program."""

import importlib.util
import re
import shlex

import pytest

from bench.cli.main import COMMANDS
from tests.bundled import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")])


def code_blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("cli_reference", ROOT / "docs/cli_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_reference_is_what_the_commands_say(reference):
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), (
        "python -m docs.cli_reference writes it again"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_stands_in_the_readme_and_the_reference(name, reference):
    assert re.search(rf"`bench {name}\b", README)
    assert f"## bench {name}\n" in reference.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_and_options_in_the_pages_exist(path, reference):
    """Every `bench ...` in code names a command of the table and options that it has."""
    text = path.read_text(encoding="utf-8")
    known = reference.page()
    code = re.findall(r"`(bench [^`]+)`", text)
    for block in code_blocks(text, r"(?:bash|sh|shell|console)"):
        code += re.findall(r"(?:^|/|&& |\$ )(bench [^&|;#\n]+)", block, re.MULTILINE)
    for line in code:
        words = shlex.split(line)[1:]
        if not words or words[0].startswith("-") or not words[0].islower():
            continue
        assert words[0] in COMMANDS, line
        section = known.split(f"## bench {words[0]}\n")[1].split("\n## ")[0]
        for word in words[1:]:
            if word.startswith("--") and word != "--help":
                assert f"`{word.partition('=')[0]}`" in section, line


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_between_files_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (path.parent / target).exists(), target


def test_readme_opens_with_its_two_commands():
    first, second = (block.strip() for block in code_blocks(README, "bash")[:2])
    for command in (first, second):
        assert "\n" not in command
        assert "pip install -c constraints.txt" in command
    assert "bench run --model local" in first
    assert "bench report" in first
    assert "pytest" in second
    assert second in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_ci_is_executable():
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_constraints_are_plain_pins():
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            assert re.fullmatch(r"[a-z0-9-]+==[0-9][a-z0-9.]*", line), line


def test_version_stands_in_the_changelog():
    import tomllib

    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert re.search(rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(), re.M)
