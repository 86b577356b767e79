"""Openly licensed sets of icons: their packages, what is taken of them, and how they are read.

A package of this kind holds all drawings of a set in one file, ``icons.json`` (SVG by name), and
says in ``info.json`` who drew them and under which licence.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from reference_models.errors import ModelError

#: The packages that the bundled network learned on, with their versions.
PACKAGES = ("@iconify-json/noto@1.2.9", "@iconify-json/fluent-emoji-flat@1.2.6")
#: Licences (SPDX) that let everybody change the drawings and pass on what comes of them.
OPEN = frozenset({"Apache-2.0", "MIT", "CC0-1.0"})
#: Side of an icon in pixels.
SIDE = 96
#: Smaller ones (share of the square that is drawn) are marks and signs.
LEAST = 0.08

#: Names of icons that show a subject.
SHOWN: dict[str, tuple[str, ...]] = {
    "potato": ("potato",),
    "apple": ("apple", "green-apple", "red-apple"),
    "orange": ("tangerine",),
    "banana": ("banana",),
    "carrot": ("carrot",),
    "pear": ("pear",),
    "eggplant": ("eggplant",),
    "egg": ("egg",),
    "sandwich": ("hamburger", "sandwich"),
    "taco": ("taco",),
    "pig": ("boar", "pig", "pig-face"),
    "elephant": ("elephant", "mammoth"),
    "frog": ("frog",),
    "fish": ("blowfish", "fish", "tropical-fish"),
    "whale": ("spouting-whale", "whale"),
    "tire": ("wheel",),
    "bucket": ("bucket",),
    "cup": ("cup-with-straw", "hot-beverage", "teacup-without-handle"),
    "bottle": ("baby-bottle", "bottle-with-popping-cork", "lotion-bottle", "sake"),
    "chair": ("chair", "seat"),
    "book": (
        *("blue-book", "closed-book", "green-book", "ledger", "notebook"),
        *("notebook-with-decorative-cover", "orange-book"),
    ),
    "car": (
        *("automobile", "oncoming-automobile", "oncoming-taxi", "racing-car"),
        *("sport-utility-vehicle", "taxi"),
    ),
    "house": ("derelict-house", "house", "house-with-garden"),
    "hat": ("cowboy-hat", "graduation-cap", "rescue-workers-helmet", "top-hat", "womans-hat"),
    "umbrella": (
        *("closed-umbrella", "umbrella", "umbrella-on-ground", "umbrella-with-rain-drops"),
    ),
    "balloon": ("balloon",),
    "clock": ("alarm-clock", "mantelpiece-clock", "one-oclock", "timer-clock", "watch"),
}
_SUBJECT = {name: subject for subject, names in SHOWN.items() for name in names}
#: Signs, and people, who come in hundreds of variants; icons of a subject are taken all the same.
_LEFT_OUT = re.compile(
    "flag|button|skin-tone|oclock|keycap|-thirty|arrow|sign|zodiac|letter|input|squared|square|"
    "triangle|diamond-|circle|mark|parenthes|kiss|couple|family|people|men-|women-|man-|woman-|"
    "person-|-man|-woman|blood-type|japanese|heart"
)
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'viewBox="0 0 {width} {height}" width="{side}" height="{side}">{body}</svg>'
)


@dataclass(frozen=True, slots=True)
class IconSet:
    """A package of icons, read.

    Attributes
    ----------
    name : str
        Of the set: ``Noto Emoji``.
    package, version : str
    licence : str
        SPDX identifier, as the package tells it.
    author, url : str
        Who drew it, and where the licence is.
    drawings : mapping
        The content of ``icons.json``.
    """

    name: str
    package: str
    version: str
    licence: str
    author: str
    url: str
    drawings: Mapping[str, Any]

    def record(self) -> dict[str, str]:
        """Where it is from and under which licence, for a manifest."""
        names = ("name", "package", "version", "licence", "author", "url")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True, eq=False)
class DrawnIcon:
    """An icon: its name in the set, the subject that it shows or "", and its pixels.

    ``rgba`` is uint8 (SIDE, SIDE, 4), not premultiplied.
    """

    key: str
    subject: str
    rgba: np.ndarray


def fetch(package: str, folder: Path) -> Path:
    """Fetch a package with npm; return the path of its archive.

    Raises
    ------
    ModelError
        npm is not there or fails.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise ModelError(
            f"npm, which fetches {package}, is not on this machine: give the package or its "
            "unpacked folder with --package PATH"
        )
    command = [npm, "pack", package, "--silent", "--pack-destination", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip() or "no reason told").splitlines()[-1]
        raise ModelError(f"npm cannot fetch {package}: {reason}")
    return folder / done.stdout.strip().splitlines()[-1]


def read_set(path: Path) -> IconSet:
    """Read a package: an archive, or the folder that it was unpacked to.

    Raises
    ------
    ModelError
        It is no such package, or its licence is not one of `OPEN`.
    """
    try:
        about, info, drawings = _contents(path)
        found = IconSet(
            name=info["name"],
            package=about["name"],
            version=about["version"],
            licence=info["license"]["spdx"],
            author=info["author"]["name"],
            url=info["license"]["url"],
            drawings=drawings,
        )
        _ = drawings["icons"].items()
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} is no package of icons ({type(error).__name__}: {error}): expected "
            "package.json, info.json and icons.json in a .tgz of npm, or in a folder"
        ) from error
    if found.licence not in OPEN:
        raise ModelError(
            f"{found.name} ({path}) is under {found.licence}, which is none of "
            f"{', '.join(sorted(OPEN))}: a network that is passed on cannot learn on it"
        )
    return found


def _contents(path: Path) -> list[Any]:
    names = ("package.json", "info.json", "icons.json")
    if path.is_dir():
        return [json.loads((path / name).read_text(encoding="utf-8")) for name in names]
    with tarfile.open(path, "r:*") as archive:
        files = [archive.extractfile(f"package/{name}") for name in names]
        return [json.loads(file.read()) for file in files if file is not None]


def draw(icons: IconSet) -> Iterator[DrawnIcon]:
    """Draw the icons of a set that are things, in the order of the package.

    Raises
    ------
    ModelError
        The library that draws SVG is not installed.
    """
    try:
        from resvg_py import svg_to_bytes
    except ImportError as error:
        raise ModelError(
            "icons are drawn by resvg, which is not installed; pip install 'binding-bench[icons]'"
        ) from error
    for key, icon in icons.drawings["icons"].items():
        subject = _SUBJECT.get(key, "")
        if icon.get("hidden") or (not subject and _LEFT_OUT.search(key)):
            continue
        svg = _SVG.format(
            width=icon.get("width", icons.drawings.get("width", 16)),
            height=icon.get("height", icons.drawings.get("height", 16)),
            side=SIDE,
            body=icon["body"],
        )
        try:
            png = svg_to_bytes(svg_string=svg, skip_system_fonts=True)
        except ValueError as error:
            raise ModelError(f"{icons.name}: cannot draw {key!r}: {error}") from error
        with Image.open(io.BytesIO(png)) as image:
            rgba = np.array(image.convert("RGBA"))
        if (rgba[..., 3] > 128).mean() >= LEAST:
            yield DrawnIcon(key, subject, rgba)
