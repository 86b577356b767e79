"""What the page calls things: the verdicts, the places a colour can go, the measurements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bench.records import LEAKS, VERDICTS
from bench.statistics.metrics import SHARES, Share


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
        How it fails, to follow "Where it fails"; empty where it is no failure.
    """

    name: str
    label: str
    meaning: str
    failing: str = ""


_KNOWN = {
    words.name: words
    for words in (
        VerdictWords("bound", "Bound", "the colour is on the subject, and only there"),
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
            "it went to the wall, or to what the subject stands on",
            "the colour goes to the background",
        ),
        VerdictWords(
            "mixed",
            "Part of the subject",
            "only a part of the subject has the colour; it leaked nowhere",
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
        VerdictWords(
            "unjudged", "Unjudged", "nothing tells which thing is the subject: counted in no rate"
        ),
        VerdictWords("invalid", "Invalid", "blank, broken or withheld picture"),
    )
}


#: Verdicts that have words, and a mark, of their own.
MARKED = frozenset(_KNOWN)


def verdict_words(name: str) -> VerdictWords:
    """Return the words of a verdict; of one that the page does not know, its own name."""
    return _KNOWN.get(name) or VerdictWords(name, name.replace("_", " ").capitalize(), name)


def verdict_order(found: Iterable[str] = ()) -> tuple[str, ...]:
    """Return all verdicts of the suite in order, and after them those found beside them."""
    return (*VERDICTS, *sorted(set(found) - set(VERDICTS)))


_SHARE = {share.name: share for share in SHARES}
SCORE: Share = _SHARE["binding_score"]
#: Verdicts that count: all others are of images on which nothing could be said.
JUDGED: tuple[str, ...] = SCORE.among
#: Shares that the heatmap offers.
RATES: tuple[Share, ...] = tuple(
    share for share in SHARES if not set(share.hits) & {"invalid", "unjudged"}
)


@dataclass(frozen=True, slots=True)
class Destination:
    """Somewhere that the requested colour can end up, and the verdicts that say so."""

    name: str
    label: str
    verdicts: tuple[str, ...]


_DESTINATIONS = (
    Destination("subject", "Subject", ("bound",)),
    Destination("part", "Part of the subject", ("mixed",)),
    Destination("both", "Subject and elsewhere", ("spilled",)),
    Destination("neighbour", "Neighbour", ("neighbour",)),
    Destination("background", "Background", ("background",)),
    Destination("other", "Other subject", ("swapped",)),
    Destination("nowhere", "Nowhere", ("prior", "wrong")),
    Destination("missing", "Subject missing", ("absent",)),
)
_PLACED = {verdict for place in _DESTINATIONS for verdict in place.verdicts}
#: Every judged verdict belongs to one, so that the shares of a colour sum to one.
DESTINATIONS: tuple[Destination, ...] = (
    *_DESTINATIONS,
    *(
        Destination(name, verdict_words(name).label, (name,))
        for name in JUDGED
        if name not in _PLACED
    ),
)

#: Parts of the leakage rate: the metric, and the verdict that it is the share of.
LEAK_PARTS: tuple[tuple[str, str], ...] = tuple((f"leakage_{name}", name) for name in LEAKS)

#: Metric columns of the verdict table that a reader can sort by, with their names on the page.
METRIC_WORDS: dict[str, str] = {
    "bind": "Colour on subject",
    "prior": "Own colour on subject",
    "leak_neighbour": "Colour on neighbours",
    "leak_background": "Colour on background",
    "leak_support": "Colour on support",
    "leak_excess": "Leak beyond control",
    "swap": "Other's colour on subject",
    "presence": "Presence",
    "clip_bind": "CLIP: colour of the crop",
    "clip_contrast": "CLIP: prompt against rivals",
    "clip_disagrees": "CLIP disagrees",
    "vqa_presence": "VQA: it is there",
    "vqa_bind": "VQA: it has the colour",
    "vqa_leak": "VQA: another thing has it",
    "vqa_disagrees": "VQA disagrees",
    "blipvqa": "BLIP-VQA",
    "blipvqa_disagrees": "BLIP-VQA disagrees",
    "geneval_bind": "GenEval-like: it has the colour",
    "geneval_disagrees": "GenEval-like disagrees",
}

#: Words of this suite that the page explains where they stand.
HELP: dict[str, tuple[str, str]] = {
    "cell": (
        "cell",
        "One prompt of the grid, with all its seeds. The cell is the unit of every interval: its"
        " pictures are averaged first, so that a prompt with more seeds weighs no more.",
    ),
    "control": (
        "control",
        "The same prompt without the colour word, from the same noise: “a potato” for “a blue"
        " potato”. What the control has too was not caused by the colour word.",
    ),
    "leak_excess": (
        "leak beyond the control",
        "How much more of the surroundings has the requested colour than in the control of the"
        " same seed. Zero means that the colour word added nothing there.",
    ),
    "judged": (
        "judged",
        "Pictures on which the scorer has evidence for a verdict. Those that are invalid or not"
        " judged count in no rate, and are counted here.",
    ),
    "kinds": (
        "singles, scenes, pairs",
        "Singles ask for one coloured subject; scenes name another thing or place beside it; pairs"
        " ask for two coloured subjects. They fail differently and are always shown apart.",
    ),
    "interval": (
        "interval",
        "Two questions, two 95% intervals. This list of prompts: where the value would lie with"
        " other seeds of the same prompts. Prompts like these: with other subjects and colours as"
        " well. Both are made from whole cells, not from single pictures.",
    ),
}
