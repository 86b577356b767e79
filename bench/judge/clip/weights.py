"""Weight files: only safetensors, checked before a model is built, hashed for the record."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from bench.errors import BenchError
from bench.judge.clip.spec import refuse_pickle
from prompts.hashing import file_sha256


def check_safetensors(path: Path) -> dict[str, str]:
    """Metadata of a safetensors file whose header and length agree.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict
        The ``__metadata__`` entry of the header; empty where there is none.

    Raises
    ------
    BenchError
        Where the file is a pickle, is cut short, or is no safetensors file.
    """
    refuse_pickle(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(8)
            if len(head) < 8:
                raise BenchError(f"{path} is truncated: {size} bytes, not even a header")
            (length,) = struct.unpack("<Q", head)
            if length > min(size - 8, 100_000_000):
                # A pickle's first bytes are no length; but a length may begin like a pickle.
                if head[:2] == b"PK" or head[:1] == b"\x80":
                    raise BenchError(
                        f"{path} is a pickle under another name, which can run code when it is "
                        "read; save it with safetensors.torch.save_file"
                    )
                raise BenchError(
                    f"{path} is not a whole safetensors file: the header wants {length} bytes, "
                    f"the file has {size}; download or copy it again"
                )
            header = json.loads(file.read(length))
        metadata = header.pop("__metadata__", {})
        end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
    except BenchError:
        raise
    except OSError as error:
        raise BenchError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise BenchError(
            f"{path} is not a safetensors file or its header is damaged ({error})"
        ) from error
    if 8 + length + end != size:
        raise BenchError(
            f"{path} is truncated or damaged: {size} bytes, the header promises "
            f"{8 + length + end}; download or copy it again"
        )
    return {str(key): str(value) for key, value in metadata.items()}


def file_hash(path: Path) -> str:
    """First 20 hexadecimal digits of the SHA-256 of a file."""
    return file_sha256(path)[:20]
