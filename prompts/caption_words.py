"""Word lists by which captions are read: what ends a noun phrase, and what makes a compound."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Words that end a noun phrase, read backwards from its noun.
STOP = _words(
    "a an the this that these those some any each every no all both its his her their my your our "
    "and or but nor & of on in at by to from with without into onto over under above below beside "
    "besides behind near next against around across along between among through for as like than "
    "off up down out inside outside atop is are was were be been being has have had do does did "
    "can will would should it he she they we you i who which what where when while there here not "
    "sits sit stands stand lies lie lay hangs hang rests rest holds hold eats eat wears wear shows "
    "show looks look one two three four five six seven eight nine ten"
)
JOINS = frozenset({"and", "or", "&"})
COPULAS = _words("is are was were painted colored coloured dyed")
RELATIVES = frozenset({"that", "which"})
SHADES = _words("all bright completely dark deep entirely light pale very vivid")
COLOURED = frozenset({"colored", "coloured", "tinted", "hued", "painted"})

#: Words that take over from a subject before them: "apple pie" is no apple.
COMPOUND_HEADS = _words(
    "bag bags basket bottom box bowl bread cake cakes cap carton case cases chip chips chop chops "
    "cider company cooler cover covers crate dealer door doors driver factory field fields fries "
    "garage handle handles holder holders hood juice key keys leaf leaves lid lids maker market "
    "mask milkshake neck noodles oil opener orchard pancakes peel pie pies plant plants rack racks "
    "rim roof roofs salad sauce seat seats seed seeds shaped shell shells shelf shelves shop shops "
    "skin smoothie soup store stores strap tank tanks tattoo tower toy toys tracks tree trees "
    "trunk trunks tusk tusks wheel wheels window windows yolk yolks"
)
#: (word before, subject) that name another thing.
OTHER_THINGS = frozenset({("guinea", "pig"), ("facebook", "book"), ("world", "cup")})
