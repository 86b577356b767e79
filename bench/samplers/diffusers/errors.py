"""What diffusers says: its errors as one line, its advice not at all."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator

from bench.errors import BenchError, UsageError


@contextlib.contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn what a library raises over its input into one line that says what was tried."""
    try:
        yield
    except BenchError:
        raise
    except (OSError, ValueError, KeyError, TypeError, ImportError, AttributeError) as error:
        raise UsageError(f"{what}: {shortened(error)}") from error
    except RuntimeError as error:
        if "size mismatch" not in str(error) and "Error(s) in loading" not in str(error):
            raise
        raise UsageError(f"{what}: {shortened(error)}") from error


@contextlib.contextmanager
def quiet(bars: bool = False) -> Iterator[None]:
    """No advice of the libraries, and no bars unless asked for; errors come through."""
    import diffusers.utils.logging as diffusers_log
    import transformers.utils.logging as transformers_log

    before = diffusers_log.get_verbosity(), transformers_log.get_verbosity()
    diffusers_log.set_verbosity_error()
    transformers_log.set_verbosity_error()
    if not bars:
        diffusers_log.disable_progress_bar()
        transformers_log.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        diffusers_log.set_verbosity(before[0])
        transformers_log.set_verbosity(before[1])


def shortened(error: BaseException, most: int = 400) -> str:
    """What an error says, on one line, with no more than so many characters."""
    said = " ".join(str(error).split()) or type(error).__name__
    return said if len(said) <= most else f"{said[:most].rsplit(' ', 1)[0]} ..."
