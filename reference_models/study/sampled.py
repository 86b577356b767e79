"""Tables of how the members draw: lightness, guidance, steps, and the way to the picture."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from reference_models.study import sentences
from reference_models.study.markdown import figure_of, section
from reference_models.study.results import Results, Value
from reference_models.study.sentences import percent, plain

Tone = Mapping[str, Mapping[str, Value]]
_TONES: tuple[tuple[str, str], ...] = (
    ("lightness", "mean L*"),
    ("spread", "spread of L*"),
    ("edge_lightness", "background L*"),
    ("edge_spread", "its spread"),
    ("edge_chroma", "its chroma"),
    ("black_wall", "black wall L*"),
    ("white_wall", "white wall L*"),
)


def lightness(tone: Tone) -> list[str]:
    """Lightness and chroma against the rendered scenes."""
    rows = [
        [
            "rendered scenes" if name == "rendered" else f"`{name}`",
            *(plain(one.get(key, Value(None))) for key, _ in _TONES),
        ]
        for name, one in tone.items()
    ]
    return section(
        "Lightness",
        "A training that never reaches full noise leaves a signal at the noisy end: the picture's "
        "mean. Sampling begins without it, so pictures could be drawn towards the middle. Measured "
        "on captions of scenes as `local-cov-75` was shown them, the same noises for all: CIELAB "
        "L* and chroma of whole pictures, of their outermost six pixels (the background), and "
        "there where the caption has a black or a white wall. Spread is the mean distance from the "
        "mean over pictures. Intervals over pictures.",
        ["pictures", *(words for _, words in _TONES)],
        rows if len(rows) > 1 else [],
        sentences.toned(tone),
    )


def sweeps(results: Results, drawn: Collection[str]) -> list[str]:
    """Guidance and steps of the teacher."""
    metrics = ("binding_score", "drawn", "leakage_rate", "leakage_spilled", "leakage_background")
    heads = ["binding", "drawn", "leakage", "spilled", "background", "leak beyond the control"]

    def rows(kind: str) -> list[list[str]]:
        chosen = [one for one in results.values() if one.name.startswith(f"{kind}-")]
        return [
            [
                one.name.rpartition("-")[2],
                *(percent(one.of(metric)) for metric in metrics),
                percent(one.of("leak_excess"), signed=True),
            ]
            for one in chosen
        ]

    return [
        *section(
            "Guidance scale",
            "`local-teacher`, 8 steps, grid `quick`. Does more guidance bind, and does it burn "
            "colour into the wall?",
            ["scale", *heads],
            rows("guidance"),
            sentences.by_guidance(results),
            figure_of(drawn, "sweeps", "binding and leaks by guidance scale and by steps"),
        ),
        *section(
            "Steps", "`local-teacher`, guidance 4, grid `quick`.", ["steps", *heads], rows("steps")
        ),
    ]


def arrivals(results: Results, drawn: Collection[str]) -> list[str]:
    """When the colour came."""
    metrics = ("arrival_noise", "before_background", "before_neighbour", "stood_elsewhere")
    rows = [
        [f"`{one.model}`", *(percent(one.of(metric)) for metric in (*metrics, "stayed_elsewhere"))]
        for one in results.values()
        if one.name.startswith("frames-")
    ]
    heads = ["model", "noise at arrival", "on background before", "on neighbour before"]
    return section(
        "When the colour came",
        "Grid `quick`, all frames ([the trajectory](trajectory.md)). The curves: share of each "
        "place in the asked colour, frame by frame, with 95% bands over prompts, and dotted the "
        "share in the control of the same noise. The table: noise left, in percent, when half of "
        "the final share of the colour is on the subject; share of the colour on background and on "
        "a neighbour before that, beyond the control; share of images where it once stood "
        "elsewhere, and of those where it never left.",
        [*heads, "stood elsewhere", "stayed there"],
        rows,
        sentences.on_the_way(results),
        figure_of(drawn, "trajectory", "share of the asked colour by place, from noise to picture"),
    )
