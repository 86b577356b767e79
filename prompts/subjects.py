"""The subjects of the released grids: what can be asked for in a colour.

Every basic colour term is canonical for at least one subject, so that the prior ("bananas are
yellow") and the word ("yellow") can be told apart for each of the eleven.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Subject:
    """A thing that a prompt can ask for.

    Attributes
    ----------
    name : str
        The noun in the prompt, singular, lower case.
    canonical : tuple of str
        Basic colour terms in which the thing is mostly seen, commonest first; empty for a user's
        subject of unknown prior.
    kind : str
        One of ``food``, ``animal``, ``artefact``; ``thing`` for a user's subject.
    strong : bool
        True where nature or custom fixes the colour (a carrot), False where it is one of many
        (a car).
    plural : str
        Plural noun.
    article : str
        ``auto`` (by sound, none before stuff), or ``a``, ``an``, ``the``, ``some``, ``none``.
    """

    name: str
    canonical: tuple[str, ...] = ()
    kind: str = "thing"
    strong: bool = False
    plural: str = ""
    article: str = "auto"


SUBJECT_LIST: tuple[Subject, ...] = (
    Subject("potato", ("brown",), "food", True, "potatoes"),
    Subject("apple", ("red", "green"), "food", True, "apples"),
    Subject("orange", ("orange",), "food", True, "oranges"),
    Subject("banana", ("yellow",), "food", True, "bananas"),
    Subject("carrot", ("orange",), "food", True, "carrots"),
    Subject("pear", ("green", "yellow"), "food", True, "pears"),
    Subject("eggplant", ("purple",), "food", True, "eggplants"),
    Subject("egg", ("white",), "food", True, "eggs"),
    Subject("sandwich", ("brown",), "food", True, "sandwiches"),
    Subject("taco", ("yellow",), "food", True, "tacos"),
    Subject("pig", ("pink",), "animal", True, "pigs"),
    Subject("elephant", ("gray",), "animal", True, "elephants"),
    Subject("frog", ("green",), "animal", True, "frogs"),
    Subject("fish", ("orange",), "animal", False, "fish"),
    Subject("whale", ("blue",), "animal", True, "whales"),
    Subject("tire", ("black",), "artefact", True, "tires"),
    Subject("bucket", ("gray",), "artefact", False, "buckets"),
    Subject("cup", ("white",), "artefact", False, "cups"),
    Subject("bottle", ("green",), "artefact", False, "bottles"),
    Subject("chair", ("brown",), "artefact", False, "chairs"),
    Subject("book", ("blue",), "artefact", False, "books"),
    Subject("car", ("red",), "artefact", False, "cars"),
    Subject("house", ("white",), "artefact", False, "houses"),
    Subject("hat", ("black",), "artefact", False, "hats"),
    Subject("umbrella", ("black",), "artefact", False, "umbrellas"),
    Subject("balloon", ("red",), "artefact", False, "balloons"),
    Subject("clock", ("white",), "artefact", False, "clocks"),
)

SUBJECT_NAMES: tuple[str, ...] = tuple(subject.name for subject in SUBJECT_LIST)
SUBJECTS: dict[str, Subject] = {subject.name: subject for subject in SUBJECT_LIST}

#: Scenery that a distractor prompt can name, and that is never the subject. ``wall`` and ``table``
#: belong to the background; ``plate`` and ``picture frame`` are neighbours.
NEIGHBOURS: tuple[str, ...] = ("plate", "picture frame")
BACKGROUNDS: tuple[str, ...] = ("wall", "table")
SCENERY: tuple[str, ...] = NEIGHBOURS + BACKGROUNDS
