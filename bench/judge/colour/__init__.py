"""Colour naming: what people call a colour, and how near it is to an asked one.

``memberships`` gives the eleven basic terms, ``memberships_of`` any asked colours, ``name`` one
term, ``match`` and ``delta_e`` the distance to a named colour. Nothing heavy is imported until a
table is needed.
"""

from bench.judge.colour.difference import TOLERANCE, delta_e, match, memberships_of
from bench.judge.colour.named import basic_term, resolve
from bench.judge.colour.naming import memberships, name
from bench.judge.colour.spaces import to_lab

__all__ = [
    "TOLERANCE",
    "basic_term",
    "delta_e",
    "match",
    "memberships",
    "memberships_of",
    "name",
    "resolve",
    "to_lab",
]
