"""What is estimated from the verdicts: shares of verdicts, and means of measured metrics.

Three denominators are kept apart. *Judged* images are all but the invalid and the unjudged ones;
*drawn* images are the judged ones in which the subject is present; *bound* ones have the colour on
the subject.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.records import LEAKS, NOT_JUDGED, VERDICTS

JUDGED = tuple(verdict for verdict in VERDICTS if verdict not in NOT_JUDGED)
DRAWN = tuple(verdict for verdict in JUDGED if verdict != "absent")


@dataclass(frozen=True, slots=True)
class Share:
    """The share of the verdicts ``hits`` among the verdicts ``among``."""

    name: str
    hits: tuple[str, ...]
    among: tuple[str, ...] = JUDGED


SHARES: tuple[Share, ...] = (
    Share("binding_score", ("bound",)),
    Share("binding_given_drawn", ("bound",), DRAWN),
    Share("drawn", DRAWN),
    Share("leakage_rate", LEAKS),
    *(Share(f"leakage_{place}", (place,)) for place in LEAKS),
    Share("mixed", ("mixed",)),
    Share("kept_prior", ("prior",)),
    Share("other_colour", ("wrong",)),
    Share("unjudged", ("unjudged",), (*JUDGED, "unjudged")),
    Share("invalid", ("invalid",), VERDICTS),
)

#: Columns of the verdict table whose means are estimated, under their own names.
MEANS: tuple[str, ...] = (
    "presence",
    "bind",
    "prior",
    "leak_background",
    "leak_neighbour",
    "leak_excess",
    "swap",
)

#: The same of second opinions, which are estimated where they were measured.
OPINIONS: tuple[str, ...] = (
    "clip_bind",
    "clip_contrast",
    "clip_disagrees",
    "vqa_presence",
    "vqa_bind",
    "vqa_leak",
    "vqa_disagrees",
    "blipvqa",
    "blipvqa_disagrees",
    "geneval_bind",
    "geneval_colors",
    "geneval_color_attr",
    "geneval_disagrees",
)

#: Share of images unlike all that the judge is certified on, where it was measured.
OUTSIDE = "out_of_distribution"

#: Means of zeros and ones: shares of images, though not of verdicts.
COUNTED: tuple[str, ...] = (*(one for one in OPINIONS if one.endswith("_disagrees")), OUTSIDE)

#: Estimated for every slice; the others for the whole grid and its tags only.
SLICED: tuple[str, ...] = (
    "binding_score",
    "binding_given_drawn",
    "drawn",
    "leakage_rate",
    "leakage_neighbour",
    "leakage_background",
)

#: Name of a gap, and the two tags: the score of the first minus that of the second.
GAPS: tuple[tuple[str, str, str], ...] = (
    ("gap_seen_novel", "seen", "novel"),
    ("gap_canonical_anti", "canonical", "anti-canonical"),
)
