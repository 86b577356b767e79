"""Everyday nouns by the thousand classes of ImageNet: what the bundled backbone can recognise.

The nouns are those of the suite's grids, of COCO's eighty categories, of GenEval, and common ones
of T2I-CompBench. A noun that no class shows (giraffe, fork) is not there, and has no evidence.
Numbers are positions in the usual order of the ILSVRC-2012 classes (Russakovsky et al. 2015).
"""

from __future__ import annotations

from functools import lru_cache

CLASSES = 1000
#: Noun: positions and ranges of positions.
_TABLE: dict[str, str] = {
    "airplane": "404 895 908", "animal": "0-398", "apple": "948", "backpack": "414 636",
    "bag": "414 636 748 728 797", "bagel": "931", "ball": "429 430 522 574 722 768 805 852 890",
    "balloon": "417", "banana": "954", "barrel": "427 756", "bathtub": "435 876",
    "bear": "294-297", "bed": "564 831 520", "bee": "309", "beetle": "300-307", "bell": "494 577",
    "bench": "703", "bicycle": "444 671 880 870", "binoculars": "447",
    "bird": "7-24 80-100 127-146", "boat": "472 484 510 554 576 625 628 780 814 871 914 449 693",
    "book": "917 921 681 454", "boot": "514 715", "bottle": "440 720 737 898 901 907 711 631 585",
    "bow": "456 457", "bowl": "659 809 926 729", "box": "478 519 492 709 588", "broccoli": "937",
    "bucket": "463 653", "bus": "654 779 874", "butterfly": "321-326", "cabbage": "936",
    "cake": "927 415 960", "camel": "354", "camera": "732 759", "candle": "470 846",
    "car": "436 468 511 581 609 627 656 661 751 817 573", "castle": "483", "cat": "281-285",
    "cauliflower": "938", "cellphone": "487 590 605", "chair": "423 559 765 857",
    "cheetah": "293", "chicken": "7 8", "church": "497", "clock": "409 530 531 826 892 604",
    "coat": "568 617 869", "coffee pot": "505 550", "computer": "527 620 664 681",
    "corn": "987", "couch": "831", "cow": "345 346", "crab": "118-121", "crocodile": "49 50",
    "crown": "439", "cucumber": "943", "cup": "504 968 967 969 647", "curtain": "794 854 905",
    "desk": "526", "dog": "151-268", "door": "799", "dress": "578 601 614 655 689",
    "drum": "541", "duck": "97-100", "elephant": "101 385 386", "envelope": "549",
    "fire engine": "555", "fish": "0 1 389-397", "flower": "985 986 984", "fly": "308",
    "fox": "277-280", "frog": "30-32", "frying pan": "567", "glasses": "836 837",
    "goat": "348-352", "goose": "99", "gorilla": "366", "guitar": "402 546", "hair dryer": "589",
    "hammer": "587", "handbag": "748 636", "hat": "433 439 452 515 667 808 793",
    "helmet": "518 560 715", "hippo": "344", "horse": "339 603", "hot dog": "934",
    "house": "425 449 660 663 853 698", "ice cream": "928 929", "jacket": "568 617 869 474",
    "jar": "653 666", "keyboard": "508 878 810", "kangaroo": "104", "knife": "499 623",
    "koala": "105", "ladybug": "301", "lamp": "619 846 818", "laptop": "620 681",
    "leopard": "288 289", "lemon": "951", "lion": "291", "lizard": "38-48", "llama": "355",
    "lobster": "122-124", "mailbox": "637", "mask": "643 796", "microphone": "650",
    "microwave": "651", "monkey": "365-384", "motorcycle": "665 670", "mouse": "673",
    "mushroom": "947 991-997", "necklace": "679", "orange": "950", "owl": "24",
    "oven": "827", "ox": "345", "panda": "388", "parking meter": "704", "parrot": "87-90",
    "peacock": "84", "pen": "418 563", "pencil": "418", "penguin": "145", "phone": "487 528 707",
    "piano": "579 881", "pig": "341-343 719", "pillow": "721", "pineapple": "953",
    "pizza": "963", "pot": "738 469 544", "potted plant": "738", "pretzel": "932",
    "printer": "742", "rabbit": "330-332", "racket": "752", "refrigerator": "760",
    "remote": "761", "ring": "679", "rose": "985", "rug": "539 741", "sandal": "774",
    "sandwich": "933 934 930", "scarf": "824", "sheep": "348 349", "ship": "403 510 628 724 780",
    "shirt": "610 841", "shoe": "502 514 630 770 774 788", "sink": "896", "skateboard": "870",
    "skis": "795", "skirt": "655 601 689", "sloth": "364 297", "snail": "113", "snake": "52-68",
    "sneaker": "770 630", "sock": "806", "spider": "72-77", "spoon": "618 910 813",
    "squirrel": "335", "stop sign": "919", "strawberry": "949", "suitcase": "636 748 492 709",
    "swan": "100", "sweater": "474 841 911", "table": "532 526 736", "taco": "965",
    "tank": "847", "teapot": "849 505", "teddy bear": "850", "television": "851 664 598 782",
    "tent": "672", "tie": "906 457 451", "tiger": "292 282", "tire": "479", "toaster": "859",
    "toilet": "861", "towel": "434", "toy": "850 865 719", "tractor": "866",
    "traffic light": "920", "train": "466 547 565 705 820 829",
    "tray": "868", "truck": "555 569 717 864 867 675 734", "turtle": "33-37",
    "umbrella": "879", "vacuum": "882", "vase": "883 725", "violin": "889", "wallet": "893",
    "washing machine": "897", "watch": "531", "whale": "147 148", "wine glass": "572 441",
    "wolf": "269-275", "zebra": "340", "plate": "923", "picture frame": "664 782",
}  # fmt: skip
#: Other words for the same.
_SAME: dict[str, str] = {
    "aeroplane": "airplane", "plane": "airplane", "bike": "bicycle", "motorbike": "motorcycle",
    "automobile": "car", "sofa": "couch", "tv": "television", "tv remote": "remote",
    "cell phone": "phone", "mobile phone": "phone", "computer keyboard": "keyboard",
    "computer mouse": "mouse", "dining table": "table", "fridge": "refrigerator",
    "hair drier": "hair dryer", "kitten": "cat", "puppy": "dog", "mug": "cup",
    "teddy": "teddy bear",
    "sunglasses": "glasses", "tortoise": "turtle", "sports ball": "ball", "tennis racket": "racket",
    "toad": "frog", "bull": "ox", "hen": "chicken", "bunny": "rabbit", "purse": "handbag",
    "cap": "hat", "fire truck": "fire engine", "jeep": "car", "lorry": "truck", "van": "truck",
    "yacht": "boat", "kettle": "teapot", "plush bear": "teddy bear",
}  # fmt: skip


def _known(noun: str) -> str:
    """The entry of a noun, by itself, as a plural, or by its last word; empty where it has none."""
    for word in (noun, noun.rsplit(" ", 1)[-1]):
        forms = (word, word.removesuffix("s"), word.removesuffix("es"))
        for form in forms:
            form = _SAME.get(form, form)
            if form in _TABLE:
                return form
    return ""


@lru_cache(maxsize=4096)
def classes_of(noun: str) -> tuple[int, ...]:
    """Positions of the classes that show a noun; empty where none does."""
    out: list[int] = []
    for part in _TABLE.get(_known(noun.lower().strip()), "").split():
        first, _, last = part.partition("-")
        out += range(int(first), int(last or first) + 1)
    return tuple(sorted(set(out)))
