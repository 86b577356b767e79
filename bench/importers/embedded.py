"""The prompt that a program wrote into a picture: PNG text, EXIF, comments.

Known forms: AUTOMATIC1111's ``parameters`` and those who write alike (Forge, SD.Next, Fooocus),
also as EXIF ``UserComment`` of JPEG and WebP; ComfyUI's ``prompt`` and ``workflow``; InvokeAI's
``invokeai_metadata``, ``sd-metadata`` and ``Dream``; NovelAI's ``Comment``; the JSON of SwarmUI and
Draw Things; Midjourney's ``Description``. A negative prompt is never taken for the prompt.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bench.importers.comfyui import comfyui_prompt
from bench.judge.images import formats, quiet
from bench.judge.picture_arrays import MAX_PIXELS

#: Text chunks in the order in which they are looked at.
_CHUNKS = (
    *("parameters", "Parameters", "invokeai_metadata", "sd-metadata", "Dream", "prompt", "Prompt"),
    *(
        "Comment",
        "comment",
        "UserComment",
        "workflow",
        "Description",
        "ImageDescription",
        "caption",
    ),
)
#: Keys of a JSON text that hold the prompt, some within others.
_KEYS = ("positive_prompt", "prompt", "base_caption", "Prompt", "c", "text", "caption")
_WITHIN = ("sui_image_params", "image", "v4_prompt", "caption", "meta", "generation", "metadata")
_NEGATIVE = re.compile(r"(?:^|\n)\s*Negative prompt:", re.IGNORECASE)
_SETTINGS = re.compile(r"(?:^|\n)\s*Steps: ?\d+, ", re.IGNORECASE)
_NETWORK = re.compile(r"<(?:lora|lyco|hypernet):[^<>]*>", re.IGNORECASE)
#: Midjourney's: its options, and the id of the job.
_OPTIONS, _JOB = re.compile(r"\s--[a-z]"), re.compile(r"\s*Job ID: ?[0-9a-f-]{36}", re.IGNORECASE)
_BRACKETS = re.compile(r"\[[^\[\]]*\]")
_INVOKE, _COMMENTS = ("sd-metadata", "Dream"), ("Comment", "comment")
_DREAM = re.compile(r'^"(?P<prompt>.*)"\s+-\w', re.DOTALL)

_DESCRIPTION, _MAKE, _MODEL, _EXIF, _COMMENT, _XP = 0x010E, 0x010F, 0x0110, 0x8769, 0x9286, 0x9C9C

#: Where Pillow has the EXIF of a PNG.
_EXIF_OF_PNG = {"exif", "Raw profile type exif"}


def prompt_within(data: bytes) -> tuple[str, str]:
    """Return the prompt that stands in the file of a picture, and why there is none.

    Parameters
    ----------
    data : bytes
        The file. Its pixels are decoded only where its texts follow them.

    Returns
    -------
    (str, str)
        The prompt, empty where none is found; and the reason, empty where nothing was written.
    """
    texts = _texts(data)
    reason = ""
    for name in _CHUNKS:
        text = texts.get(name, "").strip("\0 \n\t")
        # A plain comment is the stock phrase of the program that saved the file.
        if not text or (name in _COMMENTS and text[0] != "{" and not _SETTINGS.search(text)):
            continue
        prompt, why = prompt_of_text(text)
        if prompt:
            # InvokeAI's older forms have what is not wanted in square brackets.
            return (_clean(_BRACKETS.sub("", prompt)) if name in _INVOKE else prompt), ""
        reason = reason or why
    return "", reason


def prompt_of_text(text: str) -> tuple[str, str]:
    """Return the prompt of a text that a program wrote in a known form, and why there is none."""
    text = text.replace("\r\n", "\n").strip("\0 \n\t")
    if text.startswith("{"):
        try:
            document = json.loads(text)
            if isinstance(document, dict):
                return prompt_of_document(document)
        except (ValueError, RecursionError):
            return "", "the JSON in it is damaged"
    dream = _DREAM.match(text)
    if dream is not None:
        return _clean(dream["prompt"]), ""
    for mark in (_NEGATIVE, _SETTINGS, _JOB, _OPTIONS):
        found = mark.search(text)
        text = text[: found.start()] if found else text
    prompt = _clean(text)
    return prompt, "" if prompt else "the text in it has no positive prompt"


def prompt_of_document(document: Mapping[str, Any]) -> tuple[str, str]:
    """Return the prompt of a JSON object that a program wrote, and why there is none."""
    if "nodes" in document or any(
        isinstance(node, Mapping) and "class_type" in node for node in document.values()
    ):
        prompt, why = comfyui_prompt(document)
        return _clean(prompt), why
    for key in _KEYS:
        value = document.get(key)
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            # InvokeAI's older form: a list of weighted prompts.
            value = value[0].get("prompt")
        if isinstance(value, str) and value.strip():
            return prompt_of_text(value) if not value.lstrip().startswith("{") else (value, "")
        if isinstance(value, Mapping):
            return prompt_of_document(value)
    for key in _WITHIN:
        if isinstance(document.get(key), Mapping):
            prompt, why = prompt_of_document(document[key])
            if prompt or why:
                return prompt, why
    return "", "the JSON in it names no prompt"


def _clean(text: str) -> str:
    return " ".join(_NETWORK.sub(" ", text).split()).strip(", ")


def _texts(data: bytes) -> dict[str, str]:
    """Texts of a file by the names of `_CHUNKS`; none where it is no picture."""
    from PIL import Image

    try:
        with quiet(), Image.open(io.BytesIO(data), formats=formats()) as picture:
            if picture.width * picture.height <= MAX_PIXELS and _texts_follow(data):
                # What stands after the pixels is known only when they have been read.
                picture.load()
            found = {str(key): _decoded(value) for key, value in picture.info.items()}
            # Asked for its EXIF, a PNG without any is decoded whole to look for one at its end.
            if picture.format != "PNG" or not _EXIF_OF_PNG.isdisjoint(picture.info):
                found.update(_of_exif(picture.getexif()))
            return found
    except Exception:
        # Whatever a decoder raises over damaged bytes: the picture is judged or not elsewhere.
        return {}


def _texts_follow(data: bytes) -> bool:
    """Whether a PNG has a text, or EXIF, after its pixels."""
    last = data.rfind(b"IDAT")
    return data[:4] == b"\x89PNG" and any(
        data.find(kind, last) > 0 for kind in (b"tEXt", b"iTXt", b"zTXt", b"eXIf")
    )


def _of_exif(exif: Any) -> Iterator[tuple[str, str]]:
    inner = exif.get_ifd(_EXIF)
    if _COMMENT in inner:
        yield "UserComment", _user_comment(inner[_COMMENT])
    # ComfyUI writes its two JSON texts into the tags of a camera's maker and model.
    camera = False
    for tag in (_MAKE, _MODEL):
        name, _, text = _decoded(exif.get(tag, "")).partition(":")
        if name in ("prompt", "workflow") and text.lstrip().startswith("{"):
            yield name, text
        else:
            camera = camera or bool(name)
    if not camera:
        # A camera writes its own name or a stock phrase there.
        yield "ImageDescription", _decoded(exif.get(_DESCRIPTION, ""))
        value = exif.get(_XP, b"")
        if isinstance(value, bytes) and value:
            yield "caption", value.decode("utf-16-le", "replace")


def _user_comment(value: Any) -> str:
    """EXIF 2.3, UserComment: eight bytes that name the encoding, then the text."""
    if not isinstance(value, bytes):
        return str(value)
    kind, text = value[:8], value[8:]
    if kind == b"UNICODE\0":
        # The standard leaves the order of bytes open; letters of Latin scripts have a zero byte.
        little = text[1::2].count(0) > text[::2].count(0)
        return text.decode("utf-16-le" if little else "utf-16-be", "replace")
    known = kind in (b"ASCII\0\0\0", b"JIS\0\0\0\0\0", bytes(8))
    return (text if known else value).decode("utf-8", "replace")


def _decoded(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else ""
