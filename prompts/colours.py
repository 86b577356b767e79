"""The eleven basic colour terms of English, with one sRGB prototype each.

The list is that of Berlin and Kay, *Basic Color Terms* (1969). The prototypes are drawing colours:
the middle of what people call by that name on a screen, not the corners of the sRGB cube.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour that a prompt can ask for.

    Attributes
    ----------
    name : str
        The word in the prompt, lower case.
    srgb : tuple of int
        Prototype, 8-bit sRGB (R, G, B), each 0 to 255.
    achromatic : bool
        True for black, white and gray.
    """

    name: str
    srgb: tuple[int, int, int]
    achromatic: bool = False

    @property
    def hex(self) -> str:
        """The prototype as ``#rrggbb``."""
        return "#{:02x}{:02x}{:02x}".format(*self.srgb)


#: In hue order, then the achromatic ones. The order is that of every membership array.
BASIC: tuple[Colour, ...] = (
    Colour("red", (214, 28, 32)),
    Colour("orange", (248, 132, 16)),
    Colour("yellow", (250, 218, 40)),
    Colour("green", (40, 160, 56)),
    Colour("blue", (36, 84, 216)),
    Colour("purple", (124, 44, 168)),
    Colour("pink", (252, 136, 184)),
    Colour("brown", (122, 76, 36)),
    Colour("black", (20, 20, 22), achromatic=True),
    Colour("white", (246, 246, 244), achromatic=True),
    Colour("gray", (132, 132, 134), achromatic=True),
)

COLOUR_NAMES: tuple[str, ...] = tuple(colour.name for colour in BASIC)
COLOURS: dict[str, Colour] = {colour.name: colour for colour in BASIC}
