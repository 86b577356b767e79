"""What the page calls things: the verdicts, the places a colour can go, and the rates."""

from __future__ import annotations

from dataclasses import dataclass

from bench.records import LEAKS, NOT_JUDGED, VERDICTS


@dataclass(frozen=True, slots=True)
class VerdictWords:
    """How the page names one verdict.

    Attributes
    ----------
    name : str
        The verdict, one of `bench.records.VERDICTS`.
    label : str
        A few words, for a card or a chip.
    meaning : str
        What it says about the picture, to follow "In this picture".
    failing : str
        How it fails, to follow "Where it fails"; empty where it does not.
    """

    name: str
    label: str
    meaning: str
    failing: str


VERDICT_WORDS: dict[str, VerdictWords] = {
    words.name: words
    for words in (
        VerdictWords("bound", "Bound", "the colour is on the subject, and only there", ""),
        VerdictWords(
            "spilled",
            "Spilled",
            "on the subject, and on the surroundings too",
            "the surroundings take the colour too",
        ),
        VerdictWords(
            "neighbour",
            "On a neighbour",
            "it went to another object: the blue plate",
            "the colour goes to another object",
        ),
        VerdictWords(
            "background",
            "On the background",
            "it went to the setting: the blue wall",
            "the colour goes to the setting",
        ),
        VerdictWords(
            "mixed",
            "Mixed",
            "the subject has the colour in part",
            "only a part of the subject takes the colour",
        ),
        VerdictWords(
            "prior",
            "Kept its own colour",
            "the subject looks as usual; colour nowhere",
            "the subject keeps its own colour",
        ),
        VerdictWords(
            "swapped",
            "Swapped",
            "the subject took the colour asked for the other one",
            "the subject takes the other one's colour",
        ),
        VerdictWords(
            "wrong",
            "Another colour",
            "the subject has a colour nobody asked for",
            "the subject takes a colour that nobody asked for",
        ),
        VerdictWords(
            "absent",
            "Subject missing",
            "the subject is not in the picture",
            "the subject is missing",
        ),
        VerdictWords("unjudged", "Unjudged", "nothing tells which thing is the subject", ""),
        VerdictWords("invalid", "Invalid", "blank, broken or withheld picture", ""),
    )
}
if tuple(VERDICT_WORDS) != VERDICTS:  # pragma: no cover - a verdict was added without words
    raise RuntimeError("reports.labels and bench.records do not name the same verdicts")


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere that the requested colour can end up, and the verdicts that say so."""

    name: str
    label: str
    verdicts: tuple[str, ...]


#: Every valid verdict belongs to one place, so that the shares of a colour sum to one.
PLACES: tuple[Place, ...] = (
    Place("subject", "Subject", ("bound",)),
    Place("part", "Part of the subject", ("mixed",)),
    Place("both", "Subject and elsewhere", ("spilled",)),
    Place("neighbour", "Neighbour", ("neighbour",)),
    Place("background", "Background", ("background",)),
    Place("other", "Other subject", ("swapped",)),
    Place("nowhere", "Nowhere", ("prior", "wrong")),
    Place("missing", "Subject missing", ("absent",)),
)


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of pictures: those with a verdict in ``hits`` among those not in ``without``.

    The names are those of the estimates of a run, where it has the same.
    """

    name: str
    label: str
    hits: tuple[str, ...]
    without: tuple[str, ...]
    higher_is_better: bool


RATES: tuple[Rate, ...] = (
    Rate("binding_score", "Bound", ("bound",), NOT_JUDGED, True),
    Rate("binding_given_drawn", "Bound, given drawn", ("bound",), (*NOT_JUDGED, "absent"), True),
    Rate("leakage_rate", "Leaked anywhere", LEAKS, NOT_JUDGED, False),
    Rate("leakage_spilled", "Spilled to the surroundings", ("spilled",), NOT_JUDGED, False),
    Rate("leakage_neighbour", "Leaked to a neighbour", ("neighbour",), NOT_JUDGED, False),
    Rate("leakage_background", "Leaked to the background", ("background",), NOT_JUDGED, False),
    Rate("mixed", "Only partly on the subject", ("mixed",), NOT_JUDGED, False),
    Rate("leakage_swapped", "On the other subject", ("swapped",), NOT_JUDGED, False),
    Rate("kept_prior", "Kept its own colour", ("prior",), NOT_JUDGED, False),
    Rate("missing", "Subject missing", ("absent",), NOT_JUDGED, False),
)

#: Metric columns of the verdict table that a reader can sort by, with their names on the page.
METRIC_WORDS: dict[str, str] = {
    "bind": "Colour on subject",
    "prior": "Own colour on subject",
    "leak_neighbour": "Colour on neighbours",
    "leak_background": "Colour on background",
    "leak_excess": "Leak beyond control",
    "swap": "Other's colour on subject",
    "presence": "Presence",
    "clip_bind": "CLIP: colour of the crop",
    "clip_contrast": "CLIP: prompt against rivals",
}
