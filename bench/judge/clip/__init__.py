"""CLIP as an instrument: loading through open_clip, text and image towers, dense patch features."""

from bench.judge.clip.load import load_clip

__all__ = ["load_clip"]
