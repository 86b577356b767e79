"""Prompts within pictures: each program's form, and never the negative prompt."""

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from bench.importers.embedded import prompt_of_text, prompt_within

PROMPT = "a purple teapot on a shelf"
A1111 = (
    f"{PROMPT} <lora:shelf_v2:0.8>\nNegative prompt: a green teapot,\nugly\n"
    "Steps: 30, Sampler: DPM++ 2M, CFG scale: 7, Seed: 5, Size: 64x64, Model: m, Version: v1.9"
)


def png(**texts):
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_text(name.replace("_dash_", "-"), text, zip=len(text) > 200)
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (9, 99, 199)).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def with_exif(kind, tags, comment=None):
    exif = Image.Exif()
    for tag, value in tags.items():
        exif[tag] = value
    if comment is not None:
        exif.get_ifd(0x8769)[0x9286] = comment
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (9, 99, 199)).save(file, kind, exif=exif)
    return file.getvalue()


def graph(**more):
    """A ComfyUI prompt with a sampler, both texts, and what is given."""
    nodes = {
        "1": {"class_type": "KSampler", "inputs": {"positive": ["2", 0], "negative": ["3", 0]}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": PROMPT, "clip": ["9", 1]}},
        "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "a green teapot"}},
        "9": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "m.safetensors"}},
    }
    return json.dumps({**nodes, **more})


def node(kind, **inputs):
    return {"class_type": kind, "inputs": inputs}


FLUX = json.dumps(
    {
        "a": node("SamplerCustomAdvanced", guider=["b", 0], noise=["n", 0]),
        "b": node("BasicGuider", conditioning=["c", 0], model=["m", 0]),
        "c": node("FluxGuidance", conditioning=["d", 0], guidance=3.5),
        "d": node("CLIPTextEncodeFlux", clip_l=PROMPT, t5xxl=PROMPT, guidance=3.5),
        "m": node("UNETLoader", unet_name="flux"),
        "n": node("RandomNoise", noise_seed=3),
    }
)
WORKFLOW = json.dumps(
    {
        "nodes": [
            {
                "id": 4,
                "type": "KSampler",
                "inputs": [{"name": "positive", "link": 7}, {"name": "negative", "link": 8}],
                "widgets_values": [1, "randomize", 20, 8, "euler", "normal", 1],
            },
            {"id": 5, "type": "CLIPTextEncode", "inputs": [], "widgets_values": [PROMPT]},
            {"id": 6, "type": "CLIPTextEncode", "inputs": [], "widgets_values": ["a green teapot"]},
            {"id": 7, "type": "CLIPTextEncode", "mode": 4, "widgets_values": ["muted"]},
        ],
        "links": [[7, 5, 0, 4, 1, "CONDITIONING"], [8, 6, 0, 4, 2, "CONDITIONING"]],
    }
)
FORMS = {
    "A1111": png(parameters=A1111),
    "A1111 without a negative prompt": png(
        parameters=f"{PROMPT}\nSteps: 20, Sampler: Euler, CFG scale: 7"
    ),
    "A1111 as EXIF of a JPEG": with_exif("JPEG", {}, b"UNICODE\0" + A1111.encode("utf-16-be")),
    "A1111 as EXIF of a WebP, little-endian": with_exif(
        "WEBP", {}, b"UNICODE\0" + A1111.encode("utf-16-le")
    ),
    "ASCII comment": with_exif("JPEG", {}, b"ASCII\0\0\0" + A1111.encode()),
    "description": with_exif("JPEG", {0x010E: PROMPT}),
    "Fooocus": png(parameters=json.dumps({"prompt": PROMPT, "negative_prompt": "green"})),
    "SwarmUI": png(parameters=json.dumps({"sui_image_params": {"prompt": PROMPT, "seed": 3}})),
    "ComfyUI": png(prompt=graph(), workflow=WORKFLOW),
    "ComfyUI with a switched text": png(
        prompt=graph(
            **{
                "2": node("CLIPTextEncode", text=["5", 0]),
                "5": node("PrimitiveString", value=PROMPT),
            }
        )
    ),
    "ComfyUI with two passes": png(
        prompt=graph(
            **{
                "8": node("KSamplerAdvanced", positive=["7", 0], negative=["3", 0]),
                "7": node("ControlNetApplyAdvanced", positive=["2", 0], negative=["3", 0]),
            }
        )
    ),
    "ComfyUI with Flux": png(prompt=FLUX),
    "ComfyUI's workflow alone": png(workflow=WORKFLOW),
    "ComfyUI as EXIF of a WebP": with_exif("WEBP", {0x0110: f"prompt:{graph()}"}),
    "InvokeAI": png(
        invokeai_metadata=json.dumps({"positive_prompt": PROMPT, "negative_prompt": "green"})
    ),
    "InvokeAI 2": png(
        sd_dash_metadata=json.dumps({"image": {"prompt": [{"prompt": f"{PROMPT} [green]"}]}}),
        Dream=f'"{PROMPT} [green]" -s 50 -S 3',
    ),
    "InvokeAI 1": png(Dream=f'"{PROMPT} [green, ugly]" -s 50 -S 3 -W 64'),
    "NovelAI": png(
        Title="AI generated image",
        Description="see the comment",
        Comment=json.dumps({"steps": 28, "prompt": PROMPT, "uc": "green"}),
    ),
    "NovelAI 4": png(
        Comment=json.dumps({"v4_prompt": {"caption": {"base_caption": PROMPT}}, "uc": "green"})
    ),
    "NovelAI before": png(Description=PROMPT, Comment=json.dumps({"steps": 28, "uc": "green"})),
    "Draw Things": with_exif(
        "JPEG", {}, b"ASCII\0\0\0" + json.dumps({"c": PROMPT, "uc": "green"}).encode()
    ),
    "Midjourney": png(
        Description=f"{PROMPT} --ar 1:1 --v 6.1 Job ID: 0123abcd-0123-4567-89ab-0123456789ab",
        Author="somebody",
    ),
    "Easy Diffusion": png(prompt=PROMPT, negative_prompt="a green teapot"),
}


@pytest.mark.parametrize("name", FORMS)
def test_prompt_of_each_program(name):
    assert prompt_within(FORMS[name]) == (PROMPT, "")


def test_text_after_the_pixels():
    plain, told = png(), png(parameters=A1111)
    start = told.index(b"tEXt") - 4
    chunk = told[start : told.index(b"IDAT") - 4]
    assert prompt_within(plain[:-12] + chunk + plain[-12:]) == (PROMPT, "")


def test_exif_of_a_png_before_and_after_the_pixels():
    plain, told = png(), with_exif("PNG", {0x010E: PROMPT})
    start = told.index(b"eXIf") - 4
    chunk = told[start : start + 12 + int.from_bytes(told[start : start + 4])]
    before = told.replace(chunk, b"")
    assert before == plain
    for data in (told, plain[:33] + chunk + plain[33:], plain[:-12] + chunk + plain[-12:]):
        assert prompt_within(data) == (PROMPT, "")


def test_pixels_before_which_all_is_told_are_not_decoded(monkeypatch):
    decoded = []
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda one: decoded.append(one))
    for data in (png(), png(parameters=A1111), with_exif("PNG", {0x010E: PROMPT})):
        prompt_within(data)
    assert not decoded


NOTHING = {
    "no text": (png(), ""),
    "stock phrase of a program": (png(Comment="Created with GIMP"), ""),
    "stock phrase of a camera": (with_exif("JPEG", {0x010E: "OLYMPUS", 0x010F: "OLYMPUS"}), ""),
    "negative prompt alone": (
        png(parameters="Negative prompt: a green teapot\nSteps: 20, Sampler: Euler"),
        "no positive prompt",
    ),
    "two prompts in one graph": (
        png(
            prompt=graph(
                **{"8": node("KSampler", positive=["7", 0]),
                   "7": node("CLIPTextEncode", text="a red cup")}
            )
        ),
        "2 positive prompts",
    ),
    "two prompts combined": (
        png(
            prompt=graph(
                **{"1": node("KSampler", positive=["6", 0]),
                   "6": node("ConditioningCombine", conditioning_1=["2", 0],
                             conditioning_2=["3", 0])}
            )
        ),
        "cannot be followed",
    ),
    "prompt made by a node": (
        png(
            prompt=graph(
                **{"2": node("CLIPTextEncode", text=["5", 0]),
                   "5": node("Join", a="a red", b="cup")}
            )
        ),
        "cannot be followed",
    ),
    "a graph that leads to itself": (
        png(prompt=graph(**{"2": node("ConditioningZeroOut", conditioning=["2", 0])})),
        "cannot be followed",
    ),
    "no sampler": (png(prompt=json.dumps({"2": node("CLIPTextEncode", text="x")})), "no sampler"),
    "damaged JSON": (png(prompt='{"2": {"class_type"'), "is damaged"),
    "deep JSON": (png(parameters='{"image":' * 900 + "1" + "}" * 900), ""),
    "no picture": (b"hello", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_is_read_where_it_is_not_known(name):
    data, reason = NOTHING[name]
    prompt, why = prompt_within(data)
    assert prompt == ""
    assert reason in why


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_any_text_is_a_prompt_or_a_reason(text):
    prompt, why = prompt_of_text(text)
    assert "\n" not in prompt
    assert bool(prompt) != bool(why)


def test_bomb_of_text_is_not_unpacked():
    import zlib

    body = b"zTXt" + b"parameters\0\0" + zlib.compress(bytes(200 << 20), 9)
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    data = png()
    assert prompt_within(data[:33] + chunk + data[33:]) == ("", "")
