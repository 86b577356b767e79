"""Tables that people bring: CSV, TSV, JSON lines and JSON, row by row, each with its place.

The one reader of such files in the project. Text is UTF-8 or UTF-16, with or without a byte order
mark, and may be compressed by gzip; fields of a CSV are divided by commas, semicolons, tabs or
bars, whichever its header uses (spreadsheets of many countries write semicolons).
"""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

from prompts.errors import PromptError, shown
from prompts.source_location import Place

#: Endings that are read as tables.
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
#: Longer lines are no metadata; with a limit a file of one line cannot fill the memory.
LONGEST_LINE = 1 << 20
#: Characters of a JSON document, which is read whole.
LARGEST_DOCUMENT = 1 << 28
#: What a spreadsheet would run as a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_DELIMITERS = ",;\t|"
#: Endings by which one side of a JSON mapping is told to be the picture.
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff")

Row = tuple[Place, dict[str, Any]]


def guarded(value: object) -> object:
    """Return a field as a CSV should hold it: an apostrophe before what would run as a formula.

    A number is none.
    """
    if not isinstance(value, str) or not value.startswith(_FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return "'" + value
    return value


def unguarded(text: str) -> str:
    """Return a field without the apostrophe that `guarded` puts before a formula."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(_FORMULA) else text


def read_table(path: str | Path, kind: str = "") -> Iterator[Row]:
    """Yield the rows of a table by its ending.

    Parameters
    ----------
    path : str or Path
    kind : str, optional
        The ending to go by, such as ``.csv``; that of the path (before ``.gz``) by default.

    Yields
    ------
    (Place, dict)
        File and line, and the fields by the names of the columns or keys. A JSON text alone is a
        prompt. A JSON mapping gives a row an entry, see `document_rows`.

    Raises
    ------
    PromptError
        With file and line, where it cannot be read.
    """
    suffix = kind or PurePosixPath(str(path).lower().removesuffix(".gz")).suffix
    try:
        with open_text(path) as file:
            yield from rows_of(file, str(path), suffix)
    except UnicodeDecodeError as error:
        raise Place(str(path)).error(
            f"byte {error.start} is not UTF-8 text ({error.reason}); save the file as UTF-8"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise PromptError(
            f"cannot read {path}: {getattr(error, 'strerror', None) or error}", "file"
        ) from None


def rows_of(file: IO[str], path: str, suffix: str) -> Iterator[Row]:
    """Yield the rows of an open table, as `read_table` does."""
    if suffix == ".json":
        yield from _json_rows(file, path)
    elif suffix in (".jsonl", ".ndjson"):
        yield from _line_rows(_lines(file, path), path)
    else:
        yield from _csv_rows(_lines(file, path), path, "\t" if suffix == ".tsv" else "")


def open_text(path: str | Path, errors: str = "strict") -> IO[str]:
    """Open a text of UTF-8 or UTF-16, compressed or not; line ends are left as they are."""
    opener: Callable[..., Any] = gzip.open if str(path).lower().endswith(".gz") else open
    with opener(path, "rb") as file:
        head = file.read(4)
    text: IO[str] = opener(path, "rt", encoding=encoding_of(head), errors=errors, newline="")
    return text


def encoding_of(head: bytes) -> str:
    """Tell UTF-8 from UTF-16 by the first bytes of a text: a byte order mark, or zeros."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if len(head) >= 2 and 0 in head[:2] and head[:2] != b"\0\0":
        return "utf-16-le" if head[1] == 0 else "utf-16-be"
    return "utf-8-sig"


def _lines(file: IO[str], path: str) -> Iterator[str]:
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise Place(path).error(f"a line of more than {LONGEST_LINE} characters")
        yield line


def _csv_rows(lines: Iterator[str], path: str, delimiter: str) -> Iterator[Row]:
    before, first = 0, next(lines, "")
    while first and (not first.strip() or first.lower().startswith("sep=")):
        # Spreadsheets write `sep=;` above the header.
        delimiter = first.strip()[4:5] or delimiter
        before, first = before + 1, next(lines, "")
    reader = csv.reader(
        itertools.chain([first] if first else [], lines),
        delimiter=delimiter or _delimiter(first),
        strict=True,
    )
    header: list[str] | None = None
    head = 0
    try:
        for values in reader:
            place = Place(path, before + reader.line_num, head)
            if not any(value.strip() for value in values):
                continue
            if header is None:
                header, head = [value.strip() for value in values], place.line
                twice = next((name for name in header if name and header.count(name) > 1), None)
                if twice is not None:
                    raise place.error(f"two columns are called {shown(twice)}: rename one")
                continue
            if len(values) > len(header) and any(values[len(header) :]):
                raise place.error(
                    f"{len(values)} fields under {len(header)} columns; quote a prompt that holds "
                    "the delimiter"
                )
            yield place, dict(zip(header, map(unguarded, values), strict=False))
    except csv.Error as error:
        raise Place(path, before + reader.line_num).error(f"not CSV: {error}") from None


def _delimiter(header: str) -> str:
    bare = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=bare.count)


def _line_rows(lines: Iterator[str], path: str) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            place = Place(path, number)
            yield place, _fields(_json(line, place), place)


def _json(text: str, place: Place) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise place.error(f"not JSON: {error}") from None


def _fields(value: Any, place: Place) -> dict[str, Any]:
    if isinstance(value, str):
        return {"prompt": value}
    if not isinstance(value, dict):
        raise place.error(f"expected a JSON object, got {shown(json.dumps(value))}")
    return value


def _json_rows(file: IO[str], path: str) -> Iterator[Row]:
    text = file.read(LARGEST_DOCUMENT)
    if len(text) == LARGEST_DOCUMENT:
        raise Place(path).error(f"a document of more than {LARGEST_DOCUMENT} characters")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        if "Extra data" not in str(error):
            raise Place(path).error(f"not JSON: {error}") from None
        # JSON lines under the ending of JSON.
        yield from _line_rows(iter(text.splitlines()), path)
        return
    yield from document_rows(document, path)


def document_rows(document: Any, path: str) -> Iterator[Row]:
    """Yield the rows of a JSON document.

    Parameters
    ----------
    document : list or dict
        A list of objects or prompts; an object with one such list in it; ``{prompt: path}``,
        ``{prompt: [path, ...]}``, ``{path: prompt}``, or ``{path: {...}}``.
    path : str
        Of the document, for errors.
    """
    place = Place(path)
    if isinstance(document, dict):
        lists = [one for one in document.values() if _is_rows(one)]
        if len(lists) == 1 and not any(_is_picture(name) for name in document):
            document = lists[0]
    if isinstance(document, list):
        for number, value in enumerate(document, 1):
            where = Place(f"{path} entry {number}")
            yield where, _fields(value, where)
        return
    if not isinstance(document, dict):
        raise place.error(f"expected a JSON object, got {shown(json.dumps(document))}")
    for name, value in document.items():
        where = Place(f"{path} entry {shown(name)}")
        values = value if isinstance(value, list) else [value]
        for one in values:
            yield where, _entry(name, one, where)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _is_picture(name: object) -> bool:
    return isinstance(name, str) and name.lower().endswith(_PICTURES)


def _entry(name: str, value: Any, place: Place) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {("file_name" if _is_picture(name) else "prompt"): name, **value}
    if not isinstance(value, str):
        raise place.error(f"expected a text or an object, got {shown(json.dumps(value))}")
    if _is_picture(value):
        return {"prompt": name, "file_name": value}
    return {"file_name": name, "prompt": value} if _is_picture(name) else {"prompt": value}
