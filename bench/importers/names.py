"""The prompt in the name of a picture's file, or of its folder.

T2I-CompBench writes ``PROMPT_000000.png`` [1]_; web interfaces put a number, a seed or an id before
or after it; Midjourney writes ``user_PROMPT_id.png`` with underscores, cut off after some 60
characters.

References
----------
.. [1] Huang et al., "T2I-CompBench: A Comprehensive Benchmark for Open-world Compositional
   Text-to-image Generation", NeurIPS 2023.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import unquote

#: A sheet of several samples: T2I-CompBench's ``PROMPT-grid-0004``, web interfaces' ``grid-0004``.
_SHEET = re.compile(r"(?:^|[-_])(?:grid|contact[-_ ]?sheet|montage)(?:[-_ ]?\d+)*$", re.IGNORECASE)
_ID = re.compile(
    r"[-_ ](?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32,64})(?:_\d+)?$", re.IGNORECASE
)
_BEFORE = re.compile(
    r"^(?:DALL.E [\d .:_-]+ - |(?:\d{3,}[-_. ]+)+|\d+[-_. ]+(?=(?:an?|the|one|two|photo)[-_ ]))",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"(?:[-_ ,]+(?:(?:seed|s|idx|index|img|image|sample|no|step|steps|cfg|v)[-_ =]?)?\d+(?:\.\d+)?"
    r"|[-_ ]*\(\d+\)|[-_ ]copy)$",
    re.IGNORECASE,
)
_START = re.compile(r"(?:an?|the|one|two|three|photo|picture|image)")
#: Letters after which Midjourney cuts user and prompt off, and bytes of the longest file name that
#: common systems allow (255) with room for an ending and a number.
_MIDJOURNEY, _LONGEST = 60, 230


def is_sheet(name: str) -> bool:
    """Whether the name of a file says that it is a contact sheet of several samples."""
    return _SHEET.search(PurePosixPath(name).stem) is not None


def prompt_of_name(name: str) -> tuple[str, str]:
    """Return the prompt in the name of a file, else in that of its folder, and why there is none.

    Parameters
    ----------
    name : str
        Relative path.
    """
    path = PurePosixPath(name)
    stem = _SHEET.sub("", path.stem)
    prompt, reason = _prompt(stem)
    if not prompt and not reason and path.parent.name:
        prompt, reason = _prompt(path.parent.name)
    return prompt, reason or ("" if prompt else "no prompt beside it, in it or in its name")


def _prompt(text: str) -> tuple[str, str]:
    if len(text.encode(errors="replace")) >= _LONGEST:
        return "", "the name of its file is so long that the prompt may be cut off"
    text = unquote(text)
    head = _ID.sub("", text)
    if head != text and "_" in head and " " not in head:
        if len(head) >= _MIDJOURNEY:
            return "", "the name of its file may cut the prompt off"
        head = _without_user(head)
    text, before = head, ""
    while text != before:
        before, text = text, _AFTER.sub("", _BEFORE.sub("", text)).strip(" -_,")
    if " " not in text:
        text = text.replace("_", " ")
    if " " not in text and text.count("-") > 1:
        text = text.replace("-", " ")
    text = " ".join(text.split())
    return (text, "") if len(re.findall(r"[^\W\d_]+", text)) > 1 else ("", "")


def _without_user(head: str) -> str:
    """Drop the name of Midjourney's user, which can hold underscores itself."""
    words = head.split("_")
    for number, word in enumerate(words[1:4], 1):
        if _START.fullmatch(word.lower()):
            return "_".join(words[number:])
    return "_".join(words[1:])
