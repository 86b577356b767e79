"""The web application of ``bench serve``: ``POST /score`` and ``GET /health``."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware

from bench.serve.batches import Batcher, FullError, Judge, Result

#: Names by which this machine is called on itself; another one in a request is a page elsewhere.
LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may ask for.

    Attributes
    ----------
    items : int
        Pictures of a request.
    megabytes : int
        Its body.
    seconds : float
        Until an item that is not judged is given up.
    batch : int
        Items judged together.
    waiting : int
        Items of all requests that may wait.
    """

    items: int = 256
    megabytes: int = 256
    seconds: float = 300.0
    batch: int = 32
    waiting: int = 4096


def application(
    judge: Judge,
    about: dict[str, Any],
    limits: Limits | None = None,
    token: str | None = None,
    host: str = LOOPBACK[0],
) -> FastAPI:
    """Make the application.

    Parameters
    ----------
    judge : callable
    about : dict
        What judges: told to who may ask.
    limits : Limits, optional
    token : str, optional
        Asked of every request but ``/health``; without one the service is for this machine.
    host : str
        Name of this machine that it listens to.
    """
    limits = limits or Limits()
    batcher = Batcher(judge, limits.batch, limits.waiting)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(batcher.close)

    app = FastAPI(title="Binding Bench", docs_url=None, redoc_url=None, lifespan=lifespan)
    if token is None:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, host])

    def permit(request: Request) -> bool:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        return token is None or hmac.compare_digest(given.encode(), token.encode())

    @app.get("/health")
    async def health(request: Request) -> dict[str, Any]:
        known = {**about, "waiting": batcher.waiting} if permit(request) else {}
        return {"status": "ok", **known}

    @app.post("/score")
    async def score(request: Request) -> dict[str, Any]:
        if not permit(request):
            raise HTTPException(401, "the token is missing or wrong: Authorization: Bearer TOKEN")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise HTTPException(415, f"the body is {kind or 'of no type'}; expected JSON")
        body = await _body(request, limits.megabytes)
        items, spoilt = await run_in_threadpool(_items, body, limits.items)
        try:
            futures = batcher.submit([one for one in items if one is not None])
        except FullError:
            raise HTTPException(
                503, "too many pictures wait; try again later", {"Retry-After": "5"}
            ) from None
        waiting = [asyncio.wrap_future(one) for one in futures]
        if waiting:
            await asyncio.wait(waiting, timeout=limits.seconds)
        judged = iter(waiting)
        results = [
            _settled(next(judged), limits.seconds) if item is not None else spoilt[number]
            for number, item in enumerate(items)
        ]
        return {"results": [asdict(one) for one in results]}

    return app


def _settled(future: asyncio.Future[Result], seconds: float) -> Result:
    if future.done() and not future.cancelled():
        return future.result()
    future.cancel()
    return Result.none(f"not judged within {seconds:g} s")


async def _body(request: Request, megabytes: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > megabytes << 20:
            raise HTTPException(413, f"the body is larger than {megabytes} MB; send fewer pictures")
        parts.append(part)
    return b"".join(parts)


def _items(body: bytes, most: int) -> tuple[list[tuple[bytes, str] | None], dict[int, Result]]:
    """Pictures and prompts of a body; a bad one is None, with its result beside."""
    try:
        given = json.loads(body)
        listed = given["items"]
        if not isinstance(listed, list) or not listed:
            raise TypeError
    except (ValueError, RecursionError, LookupError, TypeError):
        raise HTTPException(
            422, 'expected {"items": [{"image": "<base64 of a PNG or JPEG>", "prompt": "..."}]}'
        ) from None
    if len(listed) > most:
        raise HTTPException(413, f"{len(listed)} items, at most {most} a request")
    items: list[tuple[bytes, str] | None] = []
    spoilt: dict[int, Result] = {}
    for number, one in enumerate(listed):
        try:
            text = one["image"].partition(",")[2] if one["image"][:5] == "data:" else one["image"]
            if not isinstance(one["prompt"], str):
                raise TypeError
            items.append((base64.b64decode(text, validate=True), one["prompt"]))
        except (LookupError, TypeError, AttributeError, ValueError, binascii.Error):
            items.append(None)
            spoilt[number] = Result.none("no item: image in base64 and prompt are expected")
    return items, spoilt
