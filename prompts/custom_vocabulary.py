"""Colours and subjects of a user's own, checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prompts.colour_names import css_names, named_colour, parse_hex
from prompts.colours import COLOURS, Colour
from prompts.errors import nearest, shown
from prompts.grammar import ARTICLES, plural
from prompts.source_location import Place, check_word
from prompts.subjects import SUBJECTS, Subject

#: A prototype is achromatic where its channels differ by no more than this.
ACHROMATIC_SPREAD = 8

COLOUR_KEYS = ("name", "hex")
SUBJECT_KEYS = ("name", "article", "plural", "canonical", "strong", "kind")


def own_colour(name: object, code: object, place: Place) -> Colour:
    """Make a colour from its name and its hex code.

    Parameters
    ----------
    name : str
        A basic term keeps its own prototype, and a CSS or XKCD name needs no code.
    code : str or None
        ``#rrggbb`` or ``#rgb``.
    place : Place
        For errors.
    """
    word = check_word(name, "a colour", place)
    basic = COLOURS.get(word.casefold().replace("grey", "gray"))
    if basic is not None:
        if code is not None and parse_hex(str(code)) != basic.srgb:
            raise place.error(
                f"{basic.name} is a basic term with the prototype {basic.hex}; "
                f"give {shown(code)} another name, or leave hex out",
                "colour",
            )
        return basic
    if code is None:
        srgb = named_colour(word)
        if srgb is None:
            match = nearest(word, (*COLOURS, *css_names()))
            guess = f"; did you mean {shown(match)}?" if match else ""
            raise place.error(
                f"colour {shown(word)} is neither a basic term nor a CSS or XKCD name: "
                f'add hex, such as hex = "#1f6f8b"{guess}',
                "colour",
            )
    else:
        srgb = parse_hex(code) if isinstance(code, str) else None
        if srgb is None:
            raise place.error(
                f'hex of {shown(word)} is {shown(code)}: expected a text such as "#1f6f8b"',
                "colour",
            )
    return Colour(word, srgb, max(srgb) - min(srgb) <= ACHROMATIC_SPREAD)


def own_subject(entry: Mapping[str, Any], colours: Iterable[str], place: Place) -> Subject:
    """Make a subject from the keys of a table; keys left out are those of a released subject.

    Parameters
    ----------
    entry : mapping
        ``name``, and any of ``article``, ``plural``, ``canonical``, ``strong``, ``kind``.
    colours : iterable of str
        Colours that ``canonical`` can name besides the basic ones.
    place : Place
        For errors.
    """
    for key in entry:
        if key not in SUBJECT_KEYS:
            raise place.unknown_key(str(key), SUBJECT_KEYS)
    if "name" not in entry:
        raise place.error("a subject needs the key name", "subject")
    name = check_word(entry["name"], "a subject", place)
    base = SUBJECTS.get(name.casefold())
    if base is not None:
        name = base.name
    base = base or Subject(name)
    chosen = entry.get("article", base.article)
    if chosen not in ARTICLES:
        raise place.error(
            f"article of {shown(name)} is {shown(chosen)}: expected one of {', '.join(ARTICLES)}",
            "subject",
        )
    strong = entry.get("strong", base.strong)
    if not isinstance(strong, bool):
        raise place.error(f"strong of {shown(name)} must be true or false, got {shown(strong)}")
    return Subject(
        name,
        _canonical(entry.get("canonical", base.canonical), name, colours, place),
        check_word(entry.get("kind", base.kind), "kind", place),
        strong,
        check_word(entry.get("plural", base.plural or plural(name)), "plural", place),
        chosen,
    )


def _canonical(value: object, name: str, colours: Iterable[str], place: Place) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list | tuple):
        raise place.error(
            f"canonical of {shown(name)} must be a list of colours, got {shown(value)}", "subject"
        )
    own = {one.casefold(): one for one in colours}
    found = []
    for one in given:
        word = check_word(one, "a canonical colour", place)
        folded = word.casefold().replace("grey", "gray")
        if folded not in COLOURS and folded not in own:
            match = nearest(word, (*COLOURS, *own.values()))
            guess = f"; did you mean {shown(match)}?" if match else ""
            raise place.error(
                f"canonical colour {shown(word)} of {shown(name)} is not known: expected a basic "
                f"term or a colour of this file{guess}",
                "colour",
            )
        found.append(folded if folded in COLOURS else own[folded])
    return tuple(dict.fromkeys(found))
