"""What the metrics are called where people read them: terminal, page, tables."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetricLabel:
    """The name of a metric, and what it means.

    Attributes
    ----------
    label : str
        A few words that stand alone.
    meaning : str
        One sentence for who meets the metric for the first time.
    signed : bool
        A difference, printed with its sign.
    part_of : str
        The rate that this one is a part of, or empty.
    """

    label: str
    meaning: str = ""
    signed: bool = False
    part_of: str = ""


_LEAK = "leakage_rate"

METRIC_LABELS: dict[str, MetricLabel] = {
    "binding_score": MetricLabel(
        "Binding score",
        "Share of judged images with the colour on the subject, and only there; every prompt"
        " weighs the same.",
    ),
    "binding_given_drawn": MetricLabel(
        "Binding, given drawn", "The same among images where the subject is present."
    ),
    "drawn": MetricLabel("Subject drawn", "Share of judged images where the subject is present."),
    "leakage_rate": MetricLabel(
        "Leakage rate",
        "Share of judged images where the colour is somewhere that the prompt does not ask for.",
    ),
    "leakage_spilled": MetricLabel(
        "Also on the surroundings", "On the subject, and beside it too.", part_of=_LEAK
    ),
    "leakage_neighbour": MetricLabel(
        "On another object", "On a named or unnamed neighbour instead.", part_of=_LEAK
    ),
    "leakage_background": MetricLabel(
        "On the background", "On the wall or the support instead.", part_of=_LEAK
    ),
    "leakage_swapped": MetricLabel(
        "On the other subject", "Two subjects took each other's colour.", part_of=_LEAK
    ),
    "mixed": MetricLabel(
        "Only on part of the subject", "Only a part of the subject took the colour; no leak."
    ),
    "kept_prior": MetricLabel(
        "Kept its own colour", "The subject looks as it does where no colour is asked for."
    ),
    "other_colour": MetricLabel(
        "Another colour", "The subject took a colour that nobody asked for."
    ),
    "unjudged": MetricLabel(
        "Not judged", "Share of images on which the evidence does not suffice for a verdict."
    ),
    "invalid": MetricLabel("Invalid", "Share of images that are blank, broken or withheld."),
    "out_of_distribution": MetricLabel(
        "Unlike what is certified",
        "Share of images unlike all kinds of picture that the judge is certified on.",
    ),
    "leak_excess": MetricLabel(
        "Leak beyond the control",
        "How much more of the surroundings has the colour than in the picture of the same seed"
        " whose prompt has no colour word (the control).",
        signed=True,
    ),
    **{
        f"{name}_disagrees": MetricLabel(
            f"{words} disagrees with the verdict",
            f"Share of judged images of which {words}, a second opinion, says otherwise: the"
            " subject in its colour or not.",
        )
        for name, words in (
            ("clip", "CLIP"),
            ("vqa", "VQA"),
            ("blipvqa", "BLIP-VQA"),
            ("geneval", "the GenEval-like rule"),
        )
    },
    "geneval_colors": MetricLabel(
        "GenEval-like colors",
        "Share of images of one coloured thing that GenEval's rule calls right, by other weights.",
    ),
    "geneval_color_attr": MetricLabel(
        "GenEval-like color_attr",
        "Share of images of two coloured things that GenEval's rule calls right, by other weights.",
    ),
    "arrival_noise": MetricLabel(
        "Noise left when the colour is half there", "1 is pure noise, 0 the finished picture."
    ),
    "conditional_arrival_noise": MetricLabel(
        "… without guidance", "The same of what the prompt alone predicts at the same states."
    ),
    "arrival_step": MetricLabel("Frame at which the colour is half there", "Counted from 0."),
    "arrived_first": MetricLabel(
        "Half there in the first frame",
        "Of images that have the colour in the end: when it came is not known of these, but that"
        " no frame shows it earlier.",
    ),
    "conditional_arrived_first": MetricLabel(
        "… in the first frame without guidance", "Of what the prompt alone predicts."
    ),
    "never_arrived": MetricLabel(
        "Half there in no frame", "Of images that have the colour in the end."
    ),
    "conditional_arrival_step": MetricLabel(
        "… without guidance, frame", "Counted from 0, of what the prompt alone predicts."
    ),
    "conditional_never_arrived": MetricLabel(
        "… in no frame without guidance", "Of what the prompt alone predicts."
    ),
    "stood_elsewhere": MetricLabel(
        "Colour once stood elsewhere", "Share of images where it did on the way from noise."
    ),
    "stayed_elsewhere": MetricLabel(
        "… and never left there", "Of those, where it still does at the end."
    ),
    "gap_seen_novel": MetricLabel(
        "Gap: seen minus novel",
        "Binding score of pairs that training showed minus that of pairs that it never showed.",
        signed=True,
    ),
    "gap_canonical_anti": MetricLabel(
        "Gap: canonical minus anti-canonical",
        "Binding score where the subject's usual colour is asked for minus that where an"
        " unnatural one is.",
        signed=True,
    ),
}

#: Metrics of the whole grid that a summary shows, in order; those not estimated are left out.
HEADLINES: tuple[str, ...] = tuple(
    name
    for name in METRIC_LABELS
    if name not in ("kept_prior", "other_colour", "invalid")
    and not name.endswith(("arrival_step", "never_arrived"))
)

#: Kinds of prompt, which are always shown apart: the tag, and what its prompts are called.
KIND_LABELS: dict[str, str] = {"single": "Singles", "distractor": "Scenes", "pair": "Pairs"}

#: Any or all of k images of a prompt, which stand beside the mean over its images.
OF_K = re.compile(r"(any|all)_of_(\d+)")


def label_of(metric: str) -> MetricLabel:
    """Return the label of a metric; of one without its own, the name in plain letters."""
    if of_k := OF_K.fullmatch(metric):
        which = "at least one image is" if of_k[1] == "any" else "every image is"
        return MetricLabel(
            f"Bound in {of_k[1]} of {of_k[2]}",
            f"Share of prompts of which {which} bound, among {of_k[2]} images of each.",
        )
    return METRIC_LABELS.get(metric) or MetricLabel(metric.replace("_", " ").capitalize())


def with_of_k(wanted: Iterable[str], estimated: Iterable[str]) -> list[str]:
    """Return those wanted, any and all of k of those estimated after the binding score."""
    of_k = [name for name in dict.fromkeys(estimated) if OF_K.fullmatch(name)]
    of_k.sort(key=lambda name: (int(name.rpartition("_")[2]), name[:3] != "any"))
    return [
        one for name in wanted for one in ((name, *of_k) if name == "binding_score" else (name,))
    ]
