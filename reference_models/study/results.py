"""What is kept of the study's runs: one small file, from which the page can be made again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from reference_models.errors import ModelError

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Value:
    """A mean over cells with its 95% interval, each None where there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    scored: int = 0
    cells: int = 0

    @property
    def measured(self) -> bool:
        """Whether there are a value and an interval."""
        return None not in (self.value, self.low, self.high)

    @property
    def triple(self) -> tuple[float, float, float]:
        """Value, low and high, of what was measured."""
        assert self.value is not None
        assert self.low is not None
        assert self.high is not None
        return self.value, self.low, self.high


@dataclass(frozen=True, slots=True)
class Bin:
    """Binding on the pairs whose count in the training captions lies in [first, last]."""

    first: int
    last: int
    value: Value


@dataclass(frozen=True, slots=True)
class Result:
    """What is kept of one run.

    Attributes
    ----------
    name : str
        Of the experiment.
    model : str
        Of the family, without a seed.
    facts : mapping
        Which run it was: seed of the training, grid, images, weights, pictures seen, versions.
    estimates : mapping of (str, str) to Value
        By metric and group.
    seen : tuple of Bin
        Binding by the number of times a pair was seen in training.
    noise : tuple of float
        Noise level of each frame, where frames were kept.
    curves : mapping of str to tuple of Value
        A value a frame: ``subject``, ``background``, ``neighbour``, and ``control_`` each.
    """

    name: str
    model: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    estimates: Mapping[tuple[str, str], Value] = field(default_factory=dict)
    seen: tuple[Bin, ...] = ()
    noise: tuple[float, ...] = ()
    curves: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)

    def of(self, metric: str, group: str = "all") -> Value:
        """An estimate; one without a value where there is none."""
        return self.estimates.get((metric, group), Value(None))

    @property
    def is_own(self) -> bool:
        """Whether it is the whole grid by a member's own training, not another seed's."""
        return self.name == f"member-{self.model}"


#: Results by name of the experiment, in the order of the plan.
Results = Mapping[str, Result]


def seeds_of(results: Results, model: str) -> list[Result]:
    """Finished default runs of a member, its own training first."""
    name = f"member-{model}"
    own = [results[name]] if name in results else []
    more = [one for key, one in sorted(results.items()) if key.startswith(f"{name}-seed")]
    return [*own, *more]


def read_results(path: Path) -> tuple[dict[str, Result], dict[str, Any]]:
    """Results by name, and the lightness of pictures; both empty where there is no file.

    Raises
    ------
    ModelError
        It is no such file.
    """
    if not path.is_file():
        return {}, {}
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["format"] != FORMAT:
            raise ValueError(f"format {stored['format']!r}")
        return {name: _result(name, one) for name, one in stored["runs"].items()}, stored["tone"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} is no file of the study's results of format {FORMAT} ({error!r}); "
            "take it from the repository again, or give another --results"
        ) from error


def write_results(path: Path, results: Iterable[Result], tone: Mapping[str, Any]) -> None:
    """Write results sorted by name, a line a value, so that a change can be reviewed."""
    runs = {one.name: _plain(one) for one in sorted(results, key=lambda one: one.name)}
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {"format": FORMAT, "runs": runs, "tone": tone}
    path.write_text(_lines(whole) + "\n", encoding="utf-8")


def _plain(one: Result) -> dict[str, Any]:
    kept: dict[str, Any] = {"model": one.model, "facts": dict(one.facts)}
    kept["estimates"] = {
        f"{metric} {group}": _row(value) for (metric, group), value in one.estimates.items()
    }
    if one.seen:
        kept["seen"] = [[row.first, row.last, *_row(row.value)] for row in one.seen]
    if one.noise:
        kept["noise"] = list(one.noise)
        kept["curves"] = {name: [_row(v) for v in values] for name, values in one.curves.items()}
    return kept


def _row(value: Value) -> list[float | int | None]:
    return [round(v, 5) if isinstance(v, float) else v for v in asdict(value).values()]


def _result(name: str, stored: Mapping[str, Any]) -> Result:
    keys = ((key.partition(" "), row) for key, row in stored["estimates"].items())
    return Result(
        name,
        stored["model"],
        stored["facts"],
        {(metric, group): Value(*row) for (metric, _, group), row in keys},
        tuple(Bin(row[0], row[1], Value(*row[2:])) for row in stored.get("seen", ())),
        tuple(stored.get("noise", ())),
        {
            name: tuple(Value(*row) for row in rows)
            for name, rows in stored.get("curves", {}).items()
        },
    )


def _lines(value: Any, indent: int = 0) -> str:
    """JSON with sorted keys in which a list stands on one line."""
    if not isinstance(value, dict) or not value:
        return json.dumps(value, sort_keys=True)
    pad = " " * (indent + 1)
    rows = (f"{pad}{json.dumps(key)}: {_lines(value[key], indent + 1)}" for key in sorted(value))
    return "{\n" + ",\n".join(rows) + "\n" + " " * indent + "}"
