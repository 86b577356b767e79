"""The one type of options that take a number: finite, within bounds."""

from __future__ import annotations

import math
from typing import Any

import click


class Number(click.FloatRange):
    """Like ``click.FloatRange``, and refuses what is no number (``nan``) or no finite one."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> float:
        """Return a finite float within the bounds."""
        number = float(super().convert(value, param, context))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, context)
        return number
