"""What a run works with: one sampler, one segmenter, the scorers; built from their names."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench import registry
from bench.errors import BenchError, UsageError
from bench.judge.colour.named import own_codes
from bench.judge.device import require_device
from bench.protocols import Sampler, SamplerInfo, Scorer, Segmenter
from bench.records import Fingerprint
from bench.run.spec import ModelSource, PictureSource, RunSpec, run_folder
from bench.store.manifest import FILE, read_manifest
from prompts.colours import Colour
from prompts.subjects import SUBJECTS, Subject


@dataclass(frozen=True)
class Components:
    """What a run works with."""

    sampler: Sampler
    segmenter: Segmenter
    scorers: Mapping[str, Scorer]


@dataclass(frozen=True)
class Description:
    """What the record of a run needs to know of its components, wherever they are."""

    sampler: SamplerInfo
    segmenter: Fingerprint
    scorers: Mapping[str, Fingerprint]


def describe(components: Components) -> Description:
    """Return the description of components; it can be sent to another process."""
    info = components.sampler.info
    return Description(
        replace(info, fingerprint=_plain(info.fingerprint)),
        _plain(components.segmenter.fingerprint),
        {name: _plain(scorer.fingerprint) for name, scorer in components.scorers.items()},
    )


def _plain(given: Fingerprint) -> Fingerprint:
    return replace(given, options=dict(given.options), versions=dict(given.versions))


def build_sampler(source: ModelSource, device: str | None) -> Sampler:
    """Make the sampler of a model."""
    asked = {
        "steps": source.steps,
        "guidance_scale": source.guidance_scale,
        "dtype": source.dtype,
        "trajectory": source.trajectory,
        **source.options,
    }
    offered: dict[str, Any] = {"device": device, "batch_size": source.batch_size}
    if registry.address("sampler", source.model) != source.model:
        offered["model"] = source.model
    sampler: Sampler = build("sampler", source.model, asked, offered)
    return sampler


def build_components(
    spec: RunSpec, sampler: Sampler | None = None, colours: Iterable[Colour] = ()
) -> Components:
    """Make what a run works with.

    Parameters
    ----------
    spec : RunSpec
    sampler : Sampler, optional
        One that is there already, as for pictures that exist.
    colours : iterable of Colour
        Those that the prompts ask for.

    Raises
    ------
    UsageError
        An unknown name, or something that cannot be made.
    """
    require_names(spec.segmenter, spec.scorers)
    if spec.certificate is not None and "ood" not in spec.scorers:
        raise UsageError(
            f"--certificate {spec.certificate} is of the scorer ood, which is not among the "
            "scorers named; add --scorer ood"
        )
    subjects: Iterable[Subject] = ()
    if sampler is None:
        assert isinstance(spec.source, ModelSource)
        grid = spec.source.grid
        sampler, colours, subjects = (
            build_sampler(spec.source, spec.device),
            grid.colours,
            grid.subjects,
        )
    canonical = {
        one.name: one.canonical
        for one in subjects
        if one.canonical and SUBJECTS.get(one.name, Subject(one.name)).canonical != one.canonical
    }
    offered: dict[str, Any] = {
        "device": judge_device(spec, sampler),
        "clip": spec.clip,
        "vqa_url": spec.vqa_url,
        "vqa_concurrency": spec.vqa_concurrency,
        "vqa_allow_http": spec.vqa_allow_http or None,
        "certificate": spec.certificate,
    }
    return Components(
        sampler,
        build("segmenter", spec.segmenter, {}, offered),
        build_scorers(
            spec.scorers, offered | {"colours": own_codes(colours), "canonical": canonical or None}
        ),
    )


def with_choice(
    spec: RunSpec, say: Callable[[str], None], consent: Callable[[str], bool] | None = None
) -> RunSpec:
    """Return the run with what its ``auto`` segmenter is: chosen once, and kept when it goes on.

    Parameters
    ----------
    spec : RunSpec
    say : callable
        Told what the choice is, where it is not the best one.
    consent : callable, optional
        As `bench.judge.regions.auto.choose` has it.
    """
    if spec.segmenter != "auto":
        return spec
    from bench.judge.regions.auto import BUNDLED, choose, chosen_before

    folder = run_folder(spec)
    if not spec.fresh and (folder / FILE).is_file():
        stored = read_manifest(folder).segmenter
        if stored.name == "auto":
            return replace(spec, segmenter=chosen_before(stored.options))
    # What is misspelt or not there is told before anybody is asked for anything.
    require_names(spec.segmenter, spec.scorers)
    source = spec.source
    if isinstance(source, PictureSource):
        if not source.path.exists():
            return spec
    else:
        registry.address("sampler", source.model)
        if registry.training_seed(source.model)[0] in registry.SAMPLERS:
            # It draws the rendered world, on which the bundled networks are certified.
            return replace(spec, segmenter=BUNDLED)
    choice = choose(consent)
    if choice.reason:
        say(f"note: {choice.reason}; regions are by the bundled network")
    return replace(spec, segmenter=choice.name)


def judge_device(spec: RunSpec, sampler: Sampler | None = None) -> str:
    """Return where segmenter and scorers compute: where the sampler does, unless asked otherwise.

    Pictures that exist are judged on a GPU where there is one.

    Raises
    ------
    UsageError
        The device is not there.
    """
    device = spec.judge_device or spec.device
    if device is None and sampler is not None:
        device = sampler.info.fingerprint.options.get("device")
    if device is None and isinstance(spec.source, PictureSource):
        import torch

        device = "cuda" if torch.cuda.is_available() else "cpu"
    device = str(device or "cpu")
    if device != "cpu":
        require_device(device)
    return device


def build(
    kind: str, name: str, options: Mapping[str, Any], offered: Mapping[str, Any] | None = None
) -> Any:
    """Make a part from its name.

    Parameters
    ----------
    kind : str
        ``sampler``, ``segmenter`` or ``scorer``.
    name : str
        A name of the tables, or ``package.module:attribute``: a class or function that makes the
        part, or the part itself.
    options : mapping
        Options that the user set; the part must know them.
    offered : mapping, optional
        Options that the part may take or leave.

    Raises
    ------
    UsageError
        An unknown name, or an option that the part does not have.
    """
    part = registry.load(kind, name)
    if not inspect.isclass(part) and hasattr(part, _METHOD[kind]):
        return _checked(kind, name, part)
    if not callable(part):
        raise UsageError(f"{name!r} is no {kind} and makes none: it is a {type(part).__name__}")
    wanted = {key: value for key, value in options.items() if value is not None}
    known = _parameters(part)
    if kind == "segmenter" and registry.address(kind, name) != name:
        # Of a name such as auto:NAME the part reads what stands after the colon.
        offered = {**(offered or {}), "name": name}
    if known is not None:
        for key in wanted:
            if key not in known:
                raise UsageError(f"{kind} {name!r} has no option {key!r}")
    extra = {
        key: value
        for key, value in (offered or {}).items()
        if value is not None and known is not None and key in known
    }
    if _draws(kind, part):
        return _own_model(part, name, wanted, offered)
    try:
        made = part(**extra, **wanted)
    except BenchError:
        raise
    except FileNotFoundError as error:
        raise UsageError(f"{kind} {name!r} cannot be made: {error}") from error
    except (Exception, SystemExit) as error:
        if registry.address(kind, name) != name:
            raise
        raise registry.failed(f"{kind} {name!r} cannot be made", error) from error
    if kind == "sampler" and callable(made) and not hasattr(made, "sample"):
        return _own_model(made, name, {}, offered, made_with=wanted)
    return _checked(kind, name, made)


def require_names(segmenter: str, scorers: Sequence[str]) -> None:
    """Refuse unknown names before anything large is loaded."""
    registry.address("segmenter", segmenter)
    for name in scorers:
        registry.address("scorer", name)


def build_scorers(names: Sequence[str], offered: Mapping[str, Any]) -> dict[str, Scorer]:
    """Return the scorers of a run, by the name of their folder in the store."""
    scorers: dict[str, Scorer] = {}
    for name in names:
        family, _, model = name.partition(":")
        own = {"model": model or None} if family in registry.WITH_MODEL else {}
        folder = folder_name(name)
        if folder in scorers:
            raise UsageError(f"scorer {name} comes after another {folder}: a run has one of each")
        scorers[folder] = build("scorer", name, {}, {**offered, **own})
    return scorers


def folder_name(name: str) -> str:
    """Return a scorer's name as the name of a folder, without the weights that it names."""
    family = name.partition(":")[0]
    name = family if family in registry.WITH_MODEL else name
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in name)


def _parameters(part: Callable[..., Any]) -> frozenset[str] | None:
    """Names of the keyword parameters; None where any is taken."""
    parameters = inspect.signature(part).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return frozenset(
        parameter.name
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    )


def _draws(kind: str, part: Any) -> bool:
    if kind != "sampler":
        return False
    from bench.samplers.callable import is_draw

    return is_draw(part)


def _own_model(
    draw: Any,
    name: str,
    options: Mapping[str, Any],
    offered: Mapping[str, Any] | None,
    made_with: Mapping[str, Any] | None = None,
) -> Any:
    """A callable from prompts and generators to images, as a sampler."""
    from bench.samplers.callable import OwnModel

    module = sys.modules.get(name.partition(":")[0])
    file = getattr(module, "__file__", None)
    return OwnModel(
        draw,
        name,
        (offered or {}).get("batch_size"),
        options,
        made_with=made_with,
        source=Path(file) if file else None,
    )


_METHOD = {"sampler": "sample", "segmenter": "segment", "scorer": "score"}
_RECORD = {"sampler": ("info", SamplerInfo)}
#: Methods that a class inherits where it names its protocol as a base.
_INHERITED = {"sampler": ("close", "usage")}


def _checked(kind: str, name: str, part: Any) -> Any:
    """Return a part that has all that `bench.protocols` asks of its kind."""
    method = _METHOD[kind]
    if not callable(getattr(part, method, None)):
        raise UsageError(f"{name!r} is no {kind}: it has no method {method}()")
    attribute, record = _RECORD.get(kind, ("fingerprint", Fingerprint))
    if not isinstance(getattr(part, attribute, None), record):
        raise UsageError(
            f"{name!r} is no {kind}: it has no attribute `{attribute}` "
            f"(a bench.{record.__module__.removeprefix('bench.')}.{record.__name__}); "
            "docs/extending.md has an example"
        )
    for inherited in _INHERITED.get(kind, ()):
        if not callable(getattr(part, inherited, None)):
            raise UsageError(
                f"{name!r} is no {kind}: it has no method {inherited}(); a class with the base "
                f"bench.protocols.{kind.capitalize()} inherits it"
            )
    return part
