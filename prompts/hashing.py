"""Content hashes: the one place where names become ids and seeds."""

from __future__ import annotations

import hashlib

#: Parts are joined by a character that no prompt holds, so that ("ab", "c") is not ("a", "bc").
_SEPARATOR = "\x1f"


def content_hash(*parts: str, length: int = 20) -> str:
    """First ``length`` hexadecimal digits of the SHA-256 of the parts."""
    return hashlib.sha256(_SEPARATOR.join(parts).encode()).hexdigest()[:length]


def seed_from(*parts: str) -> int:
    """Return a seed in [0, 2**63) from the parts: what ``torch.Generator.manual_seed`` accepts."""
    digest = hashlib.sha256(_SEPARATOR.join(("seed", *parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
