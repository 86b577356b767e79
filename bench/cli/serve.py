"""``bench serve``: the judge behind HTTP, as a reward for trainers elsewhere."""

from __future__ import annotations

from typing import Any

import click

#: Where the token is read from.
TOKEN = "BENCH_SERVE_TOKEN"
#: A token shorter than this is guessed.
LEAST_TOKEN = 16


@click.command("serve")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="NAME",
    help=f"Another than this machine's own asks for a token in {TOKEN}.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8770, show_default=True, help="0: any free."
)
@click.option("--segmenter", default="auto", show_default=True, metavar="NAME")
@click.option(
    "--clip", metavar="SPEC", help="CLIP: bundled, tipsv2, ViT-B-16:openai, model:tag=FILE."
)
@click.option("--device", metavar="NAME", help="cpu, cuda, cuda:1, mps.")
@click.option(
    "--batch-size",
    type=click.IntRange(1, 1024),
    default=32,
    show_default=True,
    help="Pictures judged together, of all requests.",
)
@click.option(
    "--most-items",
    type=click.IntRange(min=1),
    default=256,
    show_default=True,
    help="Pictures of a request.",
)
@click.option(
    "--most-megabytes",
    type=click.IntRange(min=1),
    default=256,
    show_default=True,
    help="Size of a request.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.001),
    default=300.0,
    show_default=True,
    help="Seconds until a picture that is not judged is given up.",
)
def command(**options: Any) -> None:
    """Judge pictures that are sent by HTTP: POST /score, GET /health.

    A request has pictures and prompts; the answer has for each a score, a verdict and the reason.
    What is wrong with one picture is told of it, and the others are judged. Prints its address.
    """
    import os
    import socket

    from bench.errors import UsageError
    from bench.remote.addresses import is_loopback

    try:
        import uvicorn

        from bench.serve.app import Limits, application
    except ModuleNotFoundError as error:
        raise UsageError(
            f"bench serve needs the library {error.name}: pip install 'binding-bench[serve]'"
        ) from error
    host, token = options["host"], os.environ.get(TOKEN, "").strip() or None
    if token is not None and len(token) < LEAST_TOKEN:
        raise UsageError(f"{TOKEN} has {len(token)} characters, expected {LEAST_TOKEN} or more")
    if token is None and not is_loopback(host):
        raise UsageError(
            f"--host {host} can be reached from other machines: put a token of {LEAST_TOKEN} or "
            f"more characters into the environment as {TOKEN}"
        )
    limits = Limits(
        options["most_items"],
        options["most_megabytes"],
        options["timeout"],
        options["batch_size"],
    )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, options["port"]))
        except OSError as error:
            raise UsageError(
                f"--host {host} --port {options['port']} cannot be used ({error.strerror or error})"
            ) from error
        judge = _judge(options["segmenter"], options["clip"], options["device"])
        app = application(judge.rows, {"segmenter": options["segmenter"]}, limits, token, host)
        name = f"[{host}]" if ":" in host else host
        click.echo(f"http://{name}:{listener.getsockname()[1]}")
        config = uvicorn.Config(app, log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])


def _judge(segmenter: str, clip: str | None, device: str | None) -> Any:
    """Load the judge before the first request, by one picture."""
    import numpy as np

    from bench.api import ImageJudge

    judge = ImageJudge(segmenter, ("segmentation",), clip, device, None, ())
    list(judge.rows([np.zeros((64, 64, 3), np.uint8)], ["a blue potato"]))
    return judge
