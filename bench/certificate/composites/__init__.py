"""Composed pictures: icons over photographs and plates, with exact masks and known verdicts."""

from bench.certificate.composites.compose import compose
from bench.certificate.composites.icon import Icon
from bench.certificate.composites.icons import drawn_icons, read_icons

__all__ = ["Icon", "compose", "drawn_icons", "read_icons"]
