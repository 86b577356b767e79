"""Adapters over transformers for users with weights: CLIPSeg, and boxes of a detector cut by SAM.

``clipseg:MODEL``, ``owlv2+sam:MODEL,MODEL`` and ``dino+sam:MODEL,MODEL``, where MODEL is a folder
that `save_pretrained` wrote or a hub id; only safetensors are read. Each subject and each named
neighbour is asked for by its noun; what two claim goes to the likelier one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import BenchError, UsageError
from bench.records import Fingerprint, Regions
from prompts.cells import Cell
from prompts.subjects import BACKGROUNDS, NEIGHBOURS

if TYPE_CHECKING:
    import torch

FORMS = "clipseg:MODEL, owlv2+sam:DETECTOR,SAM or dino+sam:DETECTOR,SAM"
#: Least score of a box that is looked at, and of one that is found.
_LEAST_BOX = 0.05


def words_of(cell: Cell) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Subjects and neighbours that are asked for; plates and frames always are."""
    subjects = tuple(binding.subject for binding in cell.bindings)
    named = [b.subject for b in cell.scenery if b.subject not in BACKGROUNDS]
    beside = dict.fromkeys((*NEIGHBOURS, *named))
    return subjects, tuple(name for name in beside if name not in subjects)


def regions_from(
    chances: np.ndarray, found: np.ndarray, cell: Cell, segmenter: str, least: float = 0.5
) -> Regions:
    """Regions from one map of chances (W, H, W) in [0, 1] for each word of `words_of`.

    Every pixel goes to the likeliest word there, with its chance; a neighbour that is not found
    has no mask.
    """
    subjects, beside = words_of(cell)
    best = chances.argmax(0)
    masks = np.where(np.arange(len(chances))[:, None, None] == best, chances, 0)
    masks = masks.astype(np.float32)
    count = len(subjects)
    there = [
        k
        for k in range(len(beside))
        if found[count + k] >= least and (masks[count + k] > 0.5).any()
    ]
    neighbours = masks[[count + k for k in there]]
    return Regions(
        subjects=subjects,
        masks=masks[:count],
        found=found[:count].astype(np.float32),
        neighbours=tuple(beside[k] for k in there),
        neighbour_masks=neighbours,
        background=(1 - masks[:count].sum(0) - neighbours.sum(0)).clip(0, 1).astype(np.float32),
        segmenter=segmenter,
        evidence=("detector",) * count,
    )


class _Adapter(ABC):
    """What the adapters share: loading, and the empty image."""

    name = ""

    def segment(self, images: Sequence[np.ndarray], cells: Sequence[Cell]) -> list[Regions]:
        """Regions of each uint8 (H, W, 3) image, one after the other."""
        if len(images) != len(cells):
            raise ValueError(f"{len(images)} images but {len(cells)} cells")
        return [self._one(image, cell) for image, cell in zip(images, cells, strict=True)]

    def _one(self, image: np.ndarray, cell: Cell) -> Regions:
        words = [word for part in words_of(cell) for word in part]
        shape = image.shape[:2]
        if not image.size:
            empty = np.zeros((len(words), *shape), np.float32)
            return regions_from(empty, np.full(len(words), np.nan), cell, self.name)
        import torch

        with torch.inference_mode():
            chances, found = self._detect(image, words)
        return regions_from(chances, found, cell, self.name)

    @abstractmethod
    def _detect(self, image: np.ndarray, words: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Chances (W, H, W) of each word at each pixel, and of its being there at all (W,)."""


class ClipSegSegmenter(_Adapter):
    """CLIPSeg (Lueddecke and Ecker, "Image Segmentation Using Text and Image Prompts", 2022).

    Presence is the mean of the hundredth of the pixels that look most like the word.

    Parameters
    ----------
    model : str
        Folder or hub id.
    device : str
    """

    name = "clipseg"

    def __init__(self, model: str, device: str = "cpu") -> None:
        self.model, self.processor = _load(model, ("CLIPSegForImageSegmentation",), device)
        self.device = device
        self.fingerprint = _fingerprint(self.name, model)

    def _detect(self, image: np.ndarray, words: list[str]) -> tuple[np.ndarray, np.ndarray]:
        import torch

        inputs = self.processor(
            text=words, images=[image] * len(words), padding=True, return_tensors="pt"
        ).to(self.device)
        logits = self.model(**inputs).logits
        logits = logits[None] if logits.ndim == 2 else logits
        chance = torch.nn.functional.interpolate(
            logits[:, None].float().sigmoid(), image.shape[:2], mode="bilinear"
        )[:, 0]
        flat = chance.flatten(1)
        top = flat.topk(max(1, flat.shape[1] // 100), dim=1).values.mean(1)
        return chance.cpu().numpy(), top.cpu().numpy()


class DetectorSamSegmenter(_Adapter):
    """Boxes of OWLv2 or Grounding DINO, cut out by SAM.

    Presence is the score of the word's best box.

    Parameters
    ----------
    detector, sam : str
        Folders or hub ids.
    device : str
    """

    def __init__(self, name: str, detector: str, sam: str, device: str = "cpu") -> None:
        self.name = name
        kinds = ("Owlv2ForObjectDetection", "GroundingDinoForObjectDetection")
        self.detector, self.processor = _load(detector, kinds, device)
        self.sam, self.sam_processor = _load(sam, ("SamModel",), device)
        self.device = device
        self.fingerprint = _fingerprint(name, detector, sam)

    def _detect(self, image: np.ndarray, words: list[str]) -> tuple[np.ndarray, np.ndarray]:
        height, width = image.shape[:2]
        chances = np.zeros((len(words), height, width), np.float32)
        found = np.zeros(len(words))
        boxes = {k: self._box(image, word) for k, word in enumerate(words)}
        seen = {k: box for k, box in boxes.items() if box is not None}
        if not seen:
            return chances, found
        inputs = self.sam_processor(
            image, input_boxes=[[box[1].tolist() for box in seen.values()]], return_tensors="pt"
        ).to(self.device)
        out = self.sam(**inputs, multimask_output=False)
        masks = self.sam_processor.image_processor.post_process_masks(
            out.pred_masks.cpu(),
            inputs["original_sizes"].cpu(),
            inputs["reshaped_input_sizes"].cpu(),
            binarize=False,
        )[0][:, 0]
        for (k, (score, _)), mask in zip(seen.items(), masks.sigmoid().numpy(), strict=True):
            chances[k], found[k] = mask, score
        return chances, found

    def _box(self, image: np.ndarray, word: str) -> tuple[float, torch.Tensor] | None:
        """Score and corners (x, y, x, y) of the best box of a word."""
        dino = "dino" in self.name
        text: Any = f"a {word}." if dino else [[f"a photo of a {word}"]]
        inputs = self.processor(text=text, images=image, return_tensors="pt").to(self.device)
        out = self.detector(**inputs)
        # The best of all boxes by hand: post-processing drops those below its threshold.
        scores = out.logits[0].float().sigmoid().amax(-1)
        best = int(scores.argmax())
        score = float(scores[best])
        if score < _LEAST_BOX:
            return None
        x, y, w, h = out.pred_boxes[0, best].float().cpu().tolist()
        height, width = image.shape[:2]
        # OWLv2 pads a picture to a square before it looks.
        side = (width, height) if dino else (max(height, width),) * 2
        import torch

        corners = torch.tensor([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
        corners = corners * torch.tensor([side[0], side[1], side[0], side[1]])
        limit = torch.tensor([width, height, width, height]).float()
        return score, torch.minimum(corners.clamp(min=0), limit)


def detector_segmenter(spec: str, device: str = "cpu") -> Any:
    """Make the segmenter that ``clipseg:MODEL`` and its like name.

    Raises
    ------
    UsageError
        A form that is not known.
    BenchError
        A model that is not there or not of its family.
    """
    family, _, models = spec.partition(":")
    parts = [part for part in models.split(",") if part]
    if family == "clipseg" and len(parts) == 1:
        return ClipSegSegmenter(parts[0], device)
    if family in ("owlv2+sam", "dino+sam") and len(parts) == 2:
        return DetectorSamSegmenter(family, parts[0], parts[1], device)
    raise UsageError(f"segmenter {spec!r} is not understood; expected {FORMS}")


def _load(model: str, kinds: Sequence[str], device: str) -> tuple[Any, Any]:
    """A model by the first of the classes that its config names, and its processor."""
    import transformers

    try:
        config = transformers.AutoConfig.from_pretrained(model)
        wanted = [kind for kind in config.architectures or [] if kind in kinds]
        if not wanted:
            raise UsageError(
                f"{model} is a {', '.join(config.architectures or ['model of no class'])}; "
                f"expected {' or '.join(kinds)}"
            )
        loaded = getattr(transformers, wanted[0]).from_pretrained(model, use_safetensors=True)
        processor = transformers.AutoProcessor.from_pretrained(model)
    except BenchError:
        raise
    except Exception as error:
        first = " ".join(str(error).split())[:200]
        raise BenchError(f"the model {model} cannot be loaded: {first}") from error
    return loaded.eval().requires_grad_(False).to(device), processor


def _fingerprint(name: str, *models: str) -> Fingerprint:
    from importlib.metadata import version

    from bench.judge.clip.weights import file_hash

    files = [path for model in models for path in sorted(Path(model).glob("*.safetensors"))]
    return Fingerprint(
        kind="segmenter",
        name=name,
        options={"models": [Path(m).name if Path(m).is_dir() else m for m in models]},
        weights=" ".join(file_hash(path) for path in files),
        versions={"transformers": version("transformers")},
    )
