"""The positive prompt of a ComfyUI graph, as its ``prompt`` or its ``workflow`` has it.

``prompt`` maps node ids to ``{"class_type", "inputs"}``, where an input is a value or a link
``[id, slot]``. ``workflow`` is what the editor saves: a list of nodes with ``widgets_values``, and
a list of links.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

#: Inputs through which a conditioning reaches a sampler, besides those that begin with ``cond``.
_CONDITIONING = ("positive", "guider", "base_positive")
#: Inputs that hold the text itself.
_TEXTS = (
    "text",
    "t5xxl",
    "text_g",
    "clip_l",
    "text_l",
    "prompt",
    "string",
    "value",
    "text_positive",
)
_DEEPEST = 64

Graph = Mapping[str, Mapping[str, Any]]


def comfyui_prompt(document: Mapping[str, Any]) -> tuple[str, str]:
    """Return the positive prompt of a graph, and why there is none.

    The samplers that lead to a picture are followed to their texts. Where these differ, none is
    taken: which of them made this picture is not known.
    """
    graph = _of_workflow(document) if "nodes" in document else _nodes(document)
    samplers = [node for node in graph.values() if _is_sampler(node)]
    found = [_text(graph, node, 0) for node in samplers]
    texts = list(dict.fromkeys(" ".join(text.split()) for text in found if text))
    if len(texts) == 1 and all(found):
        return texts[0], ""
    if not samplers:
        return "", "its ComfyUI graph has no sampler"
    if len(texts) > 1:
        return "", f"its ComfyUI graph has {len(texts)} positive prompts"
    return "", "its ComfyUI graph makes the prompt in a node that cannot be followed"


def _nodes(document: Mapping[str, Any]) -> Graph:
    return {
        str(name): node
        for name, node in document.items()
        if isinstance(node, Mapping) and isinstance(node.get("inputs"), Mapping)
    }


def _is_sampler(node: Mapping[str, Any]) -> bool:
    """Whether a node makes latents under a guidance; passing one on is no sampling."""
    inputs = node["inputs"]
    guided = "positive" in inputs or "guider" in inputs
    return guided and "ampl" in str(node.get("class_type", ""))


def _text(graph: Graph, node: Mapping[str, Any], depth: int) -> str:
    """Follow a node's conditioning to one text; empty where there is none, or more than one."""
    if depth > _DEEPEST:
        return ""
    found = []
    for name, value in node["inputs"].items():
        linked = _linked(graph, value)
        if name in _TEXTS:
            if isinstance(value, str) and value.strip():
                found.append(value)
            elif linked is not None:
                found.append(_value(graph, linked, depth + 1))
        elif linked is not None and (name in _CONDITIONING or name.startswith("cond")):
            found.append(_text(graph, linked, depth + 1))
    return found[0] if len(set(found)) == 1 else ""


def _value(graph: Graph, node: Mapping[str, Any], depth: int) -> str:
    """Text of a node that gives one, where it has one text or passes one on."""
    if depth > _DEEPEST:
        return ""
    inputs = node["inputs"]
    links = [linked for linked in (_linked(graph, one) for one in inputs.values()) if linked]
    texts = [one for one in inputs.values() if isinstance(one, str) and one.strip()]
    named = [one for name in _TEXTS if isinstance(one := inputs.get(name), str) and one.strip()]
    if not links and named and len(set(named)) == 1 and len(texts) == 1:
        return named[0]
    return _value(graph, links[0], depth + 1) if len(links) == 1 and not texts else ""


def _linked(graph: Graph, value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, list) and len(value) == 2:
        return graph.get(str(value[0]))
    return None


def _of_workflow(document: Mapping[str, Any]) -> Graph:
    """Return a saved workflow in the form of a prompt, as far as it says."""
    sources = {link[0]: [str(link[1]), link[2]] for link in _lists(document.get("links"), 5)}
    graph: dict[str, Mapping[str, Any]] = {}
    nodes = document.get("nodes")
    for node in nodes if isinstance(nodes, list) else []:
        # Nodes that are muted or bypassed (2 and 4) do nothing.
        if not isinstance(node, Mapping) or node.get("mode") in (2, 4):
            continue
        values = node.get("widgets_values")
        texts = [one for one in values if isinstance(one, str)] if isinstance(values, list) else []
        kind = str(node.get("type", ""))
        inputs: dict[str, Any] = {}
        if texts and ("Encode" in kind or "Primitive" in kind or "String" in kind):
            inputs["text"] = texts[0]
        listed = node.get("inputs")
        for one in listed if isinstance(listed, list) else []:
            if isinstance(one, Mapping) and one.get("link") in sources:
                inputs[str(one.get("name"))] = sources[one["link"]]
        graph[str(node.get("id"))] = {"class_type": kind, "inputs": inputs}
    return graph


def _lists(value: Any, length: int) -> Iterator[list[Any]]:
    for one in value if isinstance(value, list) else []:
        if isinstance(one, list) and len(one) >= length:
            yield one
