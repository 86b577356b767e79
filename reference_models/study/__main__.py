"""The page of the study: ``python -m reference_models.study``.

``reference_models.study.make`` trains, draws and judges; its lines become the small file
``docs/study/results.json``, and that becomes ``docs/study.md`` with five figures.
"""

from __future__ import annotations

from pathlib import Path

import click

from reference_models.errors import ModelError
from reference_models.study.comparisons import Results
from reference_models.study.drawings import from_lines, read_drawings, write_drawings
from reference_models.study.figures import figures
from reference_models.study.page import page
from reference_models.study.sheet import sheet

_PATH = click.Path(path_type=Path)
#: The picture of pictures; kept where it was made before.
PICTURES = "study-pictures.png"


@click.command()
@click.option("--lines", type=_PATH, multiple=True, help="results.jsonl; several are joined.")
@click.option("--sheets", type=_PATH, multiple=True, help="sheets.zip, for a picture of them.")
@click.option("--page", "target", type=_PATH, default=Path("docs/study.md"))
@click.option("--results", "store", type=_PATH, default=Path("docs/study/results.json"))
@click.option("--first", type=_PATH, default=Path("docs/study/first.json"))
def main(
    lines: tuple[Path, ...], sheets: tuple[Path, ...], target: Path, store: Path, first: Path
) -> None:
    """Write the page and its figures from what was made."""
    try:
        if lines:
            made = {}
            for path in lines:
                for one in from_lines(path.read_text(encoding="utf-8").splitlines()):
                    made[one.condition, one.seed, one.sampling] = one
            write_drawings(store, list(made.values()))
        before = Results(read_drawings(first)) if first.is_file() else None
        results = Results(read_drawings(store), before)
        drawn = figures(results)
        if sheets:
            drawn[PICTURES] = sheet(sheets)
    except (OSError, ModelError) as error:
        raise click.ClickException(str(error)) from error
    images = target.parent / "images"
    images.mkdir(parents=True, exist_ok=True)
    for name, content in drawn.items():
        (images / name).write_bytes(content)
    whole = page(results, (images / PICTURES).is_file())
    target.write_text(whole, encoding="utf-8")
    click.echo(str(target))


if __name__ == "__main__":
    main()
