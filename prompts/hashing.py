"""Content hashes: the one place where names become ids and seeds."""

from __future__ import annotations

import hashlib
from pathlib import Path

#: Parts are joined by a character that no prompt holds, so that ("ab", "c") is not ("a", "bc").
_SEPARATOR = "\x1f"


def content_hash(*parts: str, length: int = 20) -> str:
    """First ``length`` hexadecimal digits of the SHA-256 of the parts."""
    return hashlib.sha256(_SEPARATOR.join(parts).encode()).hexdigest()[:length]


def file_sha256(path: Path) -> str:
    """SHA-256 of the content of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seed_from(*parts: str) -> int:
    """Return a seed in [0, 2**63) from the parts: what ``torch.Generator.manual_seed`` accepts."""
    digest = hashlib.sha256(_SEPARATOR.join(("seed", *parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
