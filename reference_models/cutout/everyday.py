"""Everyday nouns beyond the suite's that the network over photographs names.

Those that `reference_models.photoreal` can build, and animals and things that prompts of other
benchmarks often ask for. Each with the names of the icons that show it.
"""

from __future__ import annotations

#: Noun to names of icons; a noun without any is met in scenes alone.
EVERYDAY: dict[str, tuple[str, ...]] = {
    "dog": ("dog", "dog-face", "guide-dog", "service-dog"),
    "cat": ("black-cat", "cat", "cat-face"),
    "sheep": ("ewe", "ram"),
    "teddy bear": ("teddy-bear",),
    "duck": ("duck",),
    "mushroom": ("brown-mushroom", "mushroom"),
    "pumpkin": ("jack-o-lantern",),
    "flower": ("blossom", "cherry-blossom", "hibiscus", "rose", "sunflower", "tulip",
               "white-flower"),
    "tree": ("deciduous-tree", "evergreen-tree", "palm-tree"),
    "bowl": ("bowl-with-spoon", "steaming-bowl"),
    "vase": ("amphora",),
    "ball": ("basketball", "crystal-ball", "pool-8-ball", "soccer-ball", "tennis", "volleyball"),
    "box": ("card-file-box", "package"),
    "bench": (),
    "suitcase": ("briefcase", "luggage"),
    "teapot": ("teapot",),
    "lamp": (),
    "backpack": ("backpack",),
    "donut": ("doughnut",),
    "bus": ("bus", "oncoming-bus"),
    "sofa": ("couch-and-lamp",),
    "can": ("canned-food",),
    "candle": ("candle",),
    "boot": ("hiking-boot", "womans-boot"),
    "bear": ("bear", "polar-bear"),
    "bird": ("bird", "black-bird"),
    "lion": ("lion",),
    "horse": ("horse", "horse-face"),
    "monkey": ("monkey", "monkey-face"),
    "turtle": ("turtle",),
    "rabbit": ("rabbit", "rabbit-face"),
    "mouse": ("mouse", "mouse-face"),
    "cow": ("cow", "cow-face"),
    "crown": ("crown",),
    "glasses": ("glasses", "sunglasses"),
    "shoe": ("flat-shoe", "high-heeled-shoe", "mans-shoe", "running-shoe"),
    "bicycle": ("bicycle",),
    "guitar": ("guitar",),
    "cake": ("birthday-cake", "shortcake"),
    "pizza": ("pizza",),
}  # fmt: skip
