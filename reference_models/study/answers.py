"""What comes of the study in sentences: one a question, from the comparisons that told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reference_models.study.comparisons import Arm, ComparedArms
from reference_models.study.tables import GROUPS

#: What a reader is told of conditions and samplings in the answers.
_TOLD = {
    "clean": "true captions",
    "bag": "a reader that knows no word order",
    "shuffled": "captions in any word order",
    "exchanged-25": "a quarter of the pairs named the wrong way round",
    "static": "a vector a word and place",
    "clip-tokens": "CLIP's frozen vectors, one a token",
    "clip-pooled": "CLIP's one vector for the prompt",
    "dit-clean": "a transformer on patches",
    "tokens-clean": "codes one after the other",
    "masked-clean": "codes guessed all at once",
    "guidance-1": "no guidance",
    "guidance-8": "guidance 8",
    "attention-0.1": "guidance by attention",
}


def answers(found: Sequence[ComparedArms]) -> list[str]:
    """One sentence a question, from the comparisons that told two conditions apart."""
    return [
        "**What makes colours leak onto surroundings?** " + _did(found, "leak", {"leaked": True}),
        "**What makes them swap?** " + _did(found, "swap", {"swapped": True}),
        "**What brings them back?** "
        + _did(found, "repair", {"bound": True, "leaked": False, "swapped": False}),
        *(
            f"**{question}** {text}"
            for question, text in (
                ("What does another reader change?", _changed(found, "reader")),
                ("What does another network change?", _changed(found, "network")),
                ("What do fewer or more pictures change?", _changed(found, "length")),
            )
            if text
        ),
    ]


def _changed(found: Sequence[ComparedArms], question: str) -> str:
    """The comparisons of a question that told two conditions apart, and how many did not."""
    asked = [one for one in found if one.planned.question == question]
    told = [
        f"`{one.planned.arm.name}` against `{one.planned.base.name}` {one.planned.metric} "
        f"{_from_to(one)} ({GROUPS[one.planned.group]})"
        for one in asked
        if one.is_told
    ]
    rest = len(asked) - len(told)
    text = f"{'; '.join(told)}." if told else ""
    if rest:
        text += f" {rest} of {len(asked)} comparisons told nothing apart."
    return text.strip()


def _did(found: Sequence[ComparedArms], question: str, wanted: Mapping[str, bool]) -> str:
    """What moved a metric of a question as is wanted (up or down), and what was not seen to."""
    by_arm: dict[str, list[str]] = {}
    for one in found:
        plan = one.planned
        if plan.question != question:
            continue
        moved = by_arm.setdefault(_words(plan.arm), [])
        if one.is_told and (one.odds > 1) == wanted[plan.metric]:
            moved.append(f"{plan.metric} {_from_to(one)}")
    did = [f"{words} ({', '.join(moved)})" for words, moved in by_arm.items() if moved]
    rest = [words for words, moved in by_arm.items() if not moved]
    text = f"{joined(did)}." if did else "Nothing that was tried was seen to."
    if rest:
        text += f" Not seen to: {joined(rest)}."
    return text[0].upper() + text[1:]


def _from_to(one: ComparedArms) -> str:
    return f"{100 * one.base.mean:.1f}% to {100 * one.arm.mean:.1f}%"


def joined(parts: Sequence[str]) -> str:
    """Words in a list."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _words(arm: Arm) -> str:
    kind, _, rest = arm.condition.partition("-")
    words = _TOLD.get(arm.condition, f"`{arm.condition}`")
    if kind == "loose":
        dose, _, how = rest.partition("-")
        words = f"{dose}% loose captions"
        words = f"a clean last fifth of the training with {words}" if how == "cleaned" else words
    if arm.sampling == "plain":
        return words
    return f"{_TOLD.get(arm.sampling, arm.sampling)} with {words}"
