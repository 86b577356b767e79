"""The imagefolder of the ``datasets`` library: pictures, and ``metadata.csv|jsonl|parquet``.

Each metadata file stands beside its pictures or above them; its column ``file_name`` is a path
relative to it, and ``prompt``, ``text`` or ``caption`` is what the picture was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bench.errors import UsageError
from bench.importers.picture import SUFFIXES, ImportedPicture, find_column, said_of
from bench.importers.tables import Placed
from bench.importers.trees import Tree

FILES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
#: Names that a path goes by, here and in lists.
PATH_KEYS = (
    *("file_name", "path", "file", "filename", "image", "image_path", "image_file"),
    *("images", "image_paths"),
)


def detect(tree: Tree) -> bool:
    """Whether a tree has this layout."""
    return any(_is_metadata(name) for name in tree.names)


def pictures(
    tree: Tree, prompt_column: str | None = None, image_column: str | None = None
) -> Iterator[ImportedPicture]:
    """Yield the pictures in the order of their metadata, then those that no metadata names.

    Raises
    ------
    UsageError
        Damaged metadata, a column that is missing, or a path that leaves the folder.
    """
    names = tree.names
    seen: set[str] = set()
    for table in filter(_is_metadata, names):
        base = table.rpartition("/")[0]
        rows = tree.rows(table)
        for name, picture in listed(tree, rows, table, base, prompt_column, image_column):
            seen.add(name)
            yield picture
    for name in names:
        if name not in seen and name.lower().endswith(tuple(SUFFIXES)):
            yield ImportedPicture(
                f"{tree.label}{name}", {}, tree.reader(name), "no metadata names it"
            )


def listed(
    tree: Tree,
    rows: Iterable[Placed],
    table: str,
    base: str = "",
    prompt_column: str | None = None,
    image_column: str | None = None,
) -> Iterator[tuple[str, ImportedPicture]]:
    """Yield the names and the pictures that the rows of a table name; a list names several.

    Parameters
    ----------
    tree : Tree
        Where the pictures are.
    rows : iterable
        Of the table, each with its place.
    table : str
        Name of the table, for errors.
    base : str
        Folder in the tree that the paths are relative to, and may not leave.
    prompt_column, image_column : str, optional
        Columns by other names than the usual ones.
    """
    column: str | None = None
    for place, row in rows:
        if column is None or column not in row:
            column = find_column(row, PATH_KEYS, image_column, "path", table)
            if prompt_column is not None:
                find_column(row, (), prompt_column, "prompt", table)
        given = row[column]
        if given in (None, "", []):
            raise UsageError(f"{place}: {column} is empty: expected the path of a picture")
        said = said_of({key: value for key, value in row.items() if key != column}, prompt_column)
        for one in given if isinstance(given, list) else [given]:
            name = tree.locate(base, one, place)
            yield name, ImportedPicture(f"{tree.label}{name}", said, tree.reader(name))


def _is_metadata(name: str) -> bool:
    return name.rpartition("/")[2] in FILES
