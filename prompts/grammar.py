"""English for prompts: the article that a phrase takes, plurals, and phrases from their parts.

The rules know more nouns of pictures than `inflect` (which says hoody, moustach, beany for the
singulars of hoodies, moustaches, beanies), and are read at once.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from prompts.subjects import Subject


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: What ``Subject.article`` can be: by rule, forced before the bare noun, or the same everywhere.
ARTICLES: tuple[str, ...] = ("auto", "a", "an", "the", "some", "none")

#: Nouns of stuff: no article, no plural.
UNCOUNTABLE = _words(
    "bread butter cheese chocolate clay clothing coffee corn cotton flour fog food fruit furniture "
    "garlic glue gold grass hair honey ice ink jam jewelry juice ketchup lava lightning luggage "
    "meat milk money mud music mustard paint paper pasta popcorn rain rice salt sand silver smoke "
    "snow soap soup spaghetti steam sugar tea tofu water wax wine wood wool yogurt"
)

#: Nouns that are plural as they stand.
PLURAL_ONLY = _words(
    "binoculars cattle clothes glasses goggles grapes headphones jeans leggings noodles pajamas "
    "pants people pliers police pyjamas scissors shorts stairs sunglasses tights tongs trousers "
    "tweezers"
)

_IRREGULAR = {
    "calf": "calves",
    "dwarf": "dwarves",
    "elf": "elves",
    "hoof": "hooves",
    "child": "children",
    "foot": "feet",
    "goose": "geese",
    "half": "halves",
    "knife": "knives",
    "leaf": "leaves",
    "life": "lives",
    "loaf": "loaves",
    "man": "men",
    "mouse": "mice",
    "ox": "oxen",
    "scarf": "scarves",
    "shelf": "shelves",
    "thief": "thieves",
    "tooth": "teeth",
    "wife": "wives",
    "wolf": "wolves",
    "woman": "women",
}
_SINGULAR = {plural: singular for singular, plural in _IRREGULAR.items()}
#: Singulars whose plurals look like those of others: "cookies" is no plural of "cooky".
_IN_IE = _words(
    "auntie beanie birdie bookie bowtie brownie budgie calorie collie cookie cutie doggie foodie "
    "freebie genie goalie hippie hoodie junkie laddie lassie magpie movie necktie newbie nightie "
    "onesie pinkie pixie potpie prairie rookie selfie smoothie sortie sweetie talkie veggie zombie"
)
_IN_CHE = _words(
    "ache avalanche brioche cache creche headache moustache mustache niche pastiche quiche "
    "stomachache toothache"
)
_IN_USE = _words("abuse excuse fuse muse recluse ruse use")
_IN_MEN = _words("abdomen acumen amen dolmen lumen omen ramen regimen specimen stamen yemen")
_UNCHANGED = _words("aircraft deer fish moose salmon sheep shrimp spacecraft squid trout")
_ES_AFTER_O = _words("potato tomato hero echo mango torpedo volcano mosquito domino")
#: Singular nouns in a plain s.
_SINGULAR_IN_S = _words("asparagus atlas bias canvas chaos christmas gas iris lens pancreas")

#: Spelt with a vowel and spoken with a consonant: "a unicorn", "a one-eyed fish", "a euro".
_CONSONANT_SOUND = re.compile(
    r"uni(?![dmn])|unanim|unidirect|unimod|ubi|uk[ru]|ur[aio]|ut[aeio]|us[aeibu]|ufo|eu|ew|one\b|once\b|ouija"
)
#: Spelt with h and spoken without: "an hour", "an heir".
_SILENT_H = re.compile(r"hour|heir|honest|hono(u)?r|herb(?!i)")
#: Letters whose names begin with a vowel: "an X-ray", "an SUV".
_VOWEL_NAMES = frozenset("aefhilmnorsx")


@lru_cache(maxsize=4096)
def begins_with_vowel_sound(phrase: str) -> bool:
    """Say whether a phrase is spoken with a vowel first, so that it takes "an".

    Parameters
    ----------
    phrase : str
        Any text; leading quotes and punctuation do not count. Numbers are read out (8, 11, 18 and
        80 begin with vowels), letters are named ("x-ray"), short capitals are spelt ("SUV").

    Returns
    -------
    bool
        False for scripts without Latin vowels.
    """
    match = re.search(r"[^\W_]+(?:['’-]?[^\W_]+)*", phrase[:400])
    if match is None:
        return False
    plain = unicodedata.normalize("NFKD", match.group())
    word = "".join(mark for mark in plain if not unicodedata.combining(mark))
    first = re.split(r"['’-]", word)[0]
    if first[:1].isdigit():
        return re.match(r"8|1[18](?!\d)", first) is not None
    letters = len(first) == 1 and len(word) > 1
    spelt = 2 <= len(first) <= 3 and first.isupper()
    lower = word.lower()
    if letters or spelt:
        return lower[0] in _VOWEL_NAMES
    if _CONSONANT_SOUND.match(lower):
        return False
    return lower[0] in "aeiou" or _SILENT_H.match(lower) is not None


def article(phrase: str) -> str:
    """Return "an" or "a", by the sound of the phrase that follows."""
    return "an" if begins_with_vowel_sound(phrase) else "a"


def is_uncounted(subject: Subject) -> bool:
    """Say whether a subject takes no "a": stuff (rice) or a plural as it stands (grapes)."""
    head = subject.name.lower().rsplit(" ", 1)[-1]
    if subject.plural == subject.name and head.endswith("s"):
        return True
    return head in UNCOUNTABLE or head in PLURAL_ONLY


def noun_phrase(colour: str | None, subject: Subject) -> str:
    """Write a thing with its article and its colour: "a blue potato", "an orange", "blue rice".

    Parameters
    ----------
    colour : str or None
        The colour word, or None for the bare thing.
    subject : Subject
        ``subject.article`` decides where it is not ``auto``: ``none``, ``some`` and ``the`` stand
        everywhere; ``a`` and ``an`` before the bare noun, while before a colour its sound decides.
    """
    words = subject.name if colour is None else f"{colour} {subject.name}"
    chosen = subject.article
    if chosen == "auto":
        chosen = "none" if is_uncounted(subject) else article(words)
    elif chosen in ("a", "an") and colour is not None:
        chosen = article(words)
    return words if chosen == "none" else f"{chosen} {words}"


def plural(noun: str) -> str:
    """Return the plural of a singular noun, by rule and a short list of irregular ones."""
    head, _, last = noun.rpartition(" ")
    return f"{head} {_plural_word(last)}" if head else _plural_word(last)


def _plural_word(word: str) -> str:
    lower = word.lower()
    if lower in UNCOUNTABLE or lower in PLURAL_ONLY or lower in _UNCHANGED:
        return word
    if lower in _IRREGULAR:
        return _IRREGULAR[lower]
    if re.search(r"(s|x|z|ch|sh)$", lower) or lower in _ES_AFTER_O:
        return word + "es"
    if re.search(r"[^aeiou]y$", lower):
        return word[:-1] + "ies"
    return word + "s"


def singular(noun: str) -> str:
    """Return the singular of a noun that may be plural; a singular one comes back as it is."""
    head, _, last = noun.rpartition(" ")
    return f"{head} {_singular_word(last)}" if head else _singular_word(last)


def _singular_word(word: str) -> str:
    lower = word.lower()
    if lower in UNCOUNTABLE or lower in PLURAL_ONLY or lower in _UNCHANGED | _SINGULAR_IN_S:
        return word
    for many in sorted(_SINGULAR, key=len, reverse=True):
        # "bookshelves", "firemen"; but no "specimen".
        if lower == many or (len(many) > 2 and lower.endswith(many) and lower not in _IN_MEN):
            return word[: len(word) - len(many)] + _SINGULAR[many]
    if not lower.endswith("s") or len(lower) < 3 or re.search(r"(ss|us|is)$", lower):
        return word
    if lower.endswith("ies") and len(lower) > 4 and not re.search(r"[aeiou]ies$", lower):
        return word[:-1] if lower[:-1] in _IN_IE else word[:-3] + "y"
    if lower.endswith("ches") and lower[:-1] in _IN_CHE:
        return word[:-1]
    if lower.endswith("uses") and lower[-5] not in "ao" and lower[:-1] not in _IN_USE:
        return word[:-2]
    if lower == "quizzes":
        return word[:-3]
    es = re.search(r"(ss|x|zz|tz|ch|sh)es$", lower) and lower != "axes"
    if es or lower[:-2] in _ES_AFTER_O | _SINGULAR_IN_S:
        return word[:-2]
    return word[:-1]
