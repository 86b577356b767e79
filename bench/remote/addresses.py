"""Which addresses an image API may have, and which a picture of it."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from bench.errors import UsageError

OPENAI = "https://api.openai.com/v1"
OPENAI_KEY = "OPENAI_API_KEY"


def checked_base(
    url: str,
    allow_http: bool = False,
    option: str = "--base-url",
    key: str = "BENCH_API_KEY",
    allow: str = "--allow-http",
) -> str:
    """Return a base URL in one form.

    Parameters
    ----------
    url : str
    allow_http : bool
        Take plain http to another machine.
    option, key, allow : str
        For the messages: the option that names it, where the key is read from, and the option
        that takes plain http.

    Raises
    ------
    UsageError
        It is no http or https URL, holds a user, a password or a query, which would be stored, or
        is plain http to another machine.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise UsageError(f"{option} is no URL; expected https://host/v1") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        shown = url if "@" not in url else "..."
        raise UsageError(f"{option} {shown!r} is no http or https URL: expected https://host/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(
            f"{option} takes scheme, host, port and path only, since it is stored; the key is "
            f"read from {key}"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port is None else f"{host}:{port}"
    base = f"{parts.scheme}://{place}{parts.path.rstrip('/') or '/v1'}"
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        if is_openai(base.replace("http:", "https:", 1)):
            raise UsageError(f"{option} {base} is not encrypted; expected {OPENAI}")
        if not allow_http:
            raise UsageError(
                f"{option} {base} is not encrypted, and prompts and key would be read on the "
                f"way; give https://, or allow it with {allow}"
            )
    return base


def key_for(base: str, own: str, option: str = "--base-url") -> str | None:
    """Return the key for a server, from the environment; that of OpenAI is for OpenAI alone.

    Parameters
    ----------
    base : str
        As `checked_base` gives it.
    own : str
        Variable of the key for servers of this kind.
    option : str
        For the message: what names another server.

    Raises
    ------
    UsageError
        It holds a character that no key has, or there is none for OpenAI.
    """
    for name in (own, OPENAI_KEY) if is_openai(base) else (own,):
        key = os.environ.get(name, "").strip()
        if key:
            if not all("!" <= character <= "~" for character in key):
                raise UsageError(f"{name} holds a character that no key has; set it again")
            return key
    if is_openai(base):
        raise UsageError(
            f"no key for {base}: put it into the environment as {own}, or name your own server "
            f"with {option}"
        )
    return None


def is_openai(base: str) -> bool:
    """Whether a base URL is OpenAI's own, of any region."""
    parts = urlsplit(base)
    host = parts.hostname or ""
    return parts.scheme == "https" and (
        host == "api.openai.com" or host.endswith(".api.openai.com")
    )


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine's."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def require_public(url: str, base: str, clean: Callable[[str], str] = str) -> None:
    """Refuse a picture's address that a server should not have this machine fetch.

    An address must be public, or of the kind of the server itself: pictures of a server on this
    machine may be on this machine.

    Raises
    ------
    UsageError
        Another scheme than http and https, or a host on a private network or on this machine.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"the server gave the picture's address {clean(url)[:120]!r}, which is refused: only "
            "http and https are fetched"
        )
    own = _kinds(urlsplit(base).hostname or "")
    for kind in _kinds(parts.hostname):
        if kind != "public" and kind not in own:
            raise UsageError(
                f"the server gave the picture's address {clean(url)[:120]!r}, which is refused: it "
                f"is a {kind} address"
            )


def _kinds(host: str) -> set[str]:
    """Whether a host's addresses are public, private, loopback or link-local."""
    try:
        found = {str(one[4][0]) for one in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        # Not known here; a proxy may know it.
        return {"public"}
    addresses = [ipaddress.ip_address(one.partition("%")[0]) for one in found]
    return {_kind(getattr(one, "ipv4_mapped", None) or one) for one in addresses}


def _kind(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    for kind in ("loopback", "link_local"):
        if getattr(address, f"is_{kind}"):
            return kind.replace("_", "-")
    return "public" if address.is_global and not address.is_multicast else "private"
