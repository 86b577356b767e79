"""Segmenters that look for words: boxes of a detector cut out by SAM 2, SAM 3, and CLIPSeg.

All are classes of transformers, by their default checkpoints or by any other of the class
(`bench.judge.checkpoints`). Every subject and every named neighbour is a word; a picture is seen
once for all of its words.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from bench.errors import UsageError
from bench.judge.checkpoints import LoadedModel, load_checkpoint
from bench.judge.device import judging, settled
from bench.judge.dtype import recorded_dtype
from bench.judge.regions.claims import presence_of, regions_from, words_of
from bench.judge.regions.detectors import Detector, GroundingDino, Owlv2, phrase, pictures
from bench.judge.resolution import working_shape
from bench.records import Fingerprint, Regions
from prompts.cells import Cell

#: Pictures of one shape that are looked at together.
TOGETHER = 8
SAM2 = "facebook/sam2.1-hiera-tiny"
#: Default checkpoints of each name; all but SAM 3 are Apache-2.0 and open to all.
DEFAULTS: dict[str, tuple[str, ...]] = {
    "mmdino+sam2": ("openmmlab-community/mm_grounding_dino_tiny_o365v1_goldg_v3det", SAM2),
    "owlv2+sam2": ("google/owlv2-base-patch16-ensemble", SAM2),
    "dino+sam2": ("IDEA-Research/grounding-dino-tiny", SAM2),
    "sam3": ("facebook/sam3",),
    "clipseg": ("CIDAS/clipseg-rd64-refined",),
}


class WordSegmenter(ABC):
    """What all of them share: batches, the words of a cell, the fingerprint.

    Precision is that of the weights' own release, float32, so that no answer depends on the batch.
    """

    def __init__(self, name: str, models: Sequence[LoadedModel], device: str) -> None:
        from importlib.metadata import version

        settled(device)
        self.name, self.device = name, device
        self.fingerprint = Fingerprint(
            kind="segmenter",
            name=name,
            options={"models": [model.name for model in models]},
            weights=" ".join(model.weights for model in models),
            versions={
                "transformers": version("transformers"),
                "network": recorded_dtype("float32", device),
            },
        )

    def segment(self, images: Sequence[np.ndarray], cells: Sequence[Cell]) -> list[Regions]:
        """Regions of each uint8 (H, W, 3) image, at the judge's resolution."""
        if len(images) != len(cells):
            raise ValueError(f"{len(images)} images but {len(cells)} cells")
        out: list[Regions | None] = [None] * len(images)
        alike: dict[tuple[int, ...], list[int]] = {}
        words = [[word for part in words_of(cell) for word in part] for cell in cells]
        for index, image in enumerate(images):
            if image.size:
                alike.setdefault((*image.shape, len(words[index])), []).append(index)
            else:
                empty = np.zeros((len(words[index]), *image.shape[:2]), np.float32)
                none = np.full(len(words[index]), np.nan)
                out[index] = regions_from(empty, none, cells[index], self.name)
        for group in alike.values():
            for start in range(0, len(group), TOGETHER):
                part = group[start : start + TOGETHER]
                with judging(self.device):
                    masks, found = self._segment_batch(
                        [images[i] for i in part], [words[i] for i in part]
                    )
                for index, mask, one in zip(part, masks, found, strict=True):
                    out[index] = regions_from(mask, one, cells[index], self.name)
        return [regions for regions in out if regions is not None]

    @abstractmethod
    def _segment_batch(
        self, images: Sequence[np.ndarray], words: Sequence[list[str]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Masks (B, W, h, w) of the words at the judge's resolution, and their presence (B, W).

        All images have one shape, and all are asked for the same number of words.
        """


class BoxSegmenter(WordSegmenter):
    """Boxes of a detector, cut out by SAM 2 (Ravi et al. 2024).

    Parameters
    ----------
    name : str
        One of ``DEFAULTS``.
    detector : Detector
    sam : str
        Folder or hub id of a SAM 2.
    """

    def __init__(self, name: str, detector: Detector, sam: str) -> None:
        self.detector = detector
        # The checkpoints of SAM 2.1 name the model of videos, of which that of pictures is a part.
        self.sam = load_checkpoint(
            sam,
            ("Sam2Model", "Sam2VideoModel"),
            detector.device,
            auto="Sam2Model",
            processor="Sam2Processor",
        )
        super().__init__(name, (detector.loaded, self.sam), detector.device)

    def _segment_batch(
        self, images: Sequence[np.ndarray], words: Sequence[list[str]]
    ) -> tuple[np.ndarray, np.ndarray]:
        import torch

        scores, boxes = self.detector.boxes(images, words)
        height, width = images[0].shape[:2]
        limit = torch.tensor([width, height, width, height], device=boxes.device)
        boxes = torch.minimum(boxes.clamp(min=0), limit)
        inputs = self.sam.processor(
            images=pictures(images), input_boxes=boxes.cpu().tolist(), return_tensors="pt"
        ).to(self.device)
        out = self.sam.model(
            pixel_values=inputs["pixel_values"],
            input_boxes=inputs["input_boxes"],
            multimask_output=False,
        )
        shape = working_shape(height, width)
        masks = self.sam.processor.post_process_masks(
            out.pred_masks.float(), [shape] * len(images), binarize=False
        )
        found = presence_of(scores.cpu().numpy(), self.detector.threshold)
        return torch.stack(list(masks))[:, :, 0].sigmoid().cpu().numpy(), found


class Sam3Segmenter(WordSegmenter):
    """SAM 3 (Carion et al. 2025): from a noun to the masks of all things that it names.

    The best of them is taken. Presence is its score times that of the word's being there at all;
    the threshold is that of the model's own demonstration.
    """

    threshold = 0.5

    def __init__(self, name: str, model: str, device: str) -> None:
        # The checkpoint names the model of videos, of which that of pictures is a part.
        self.loaded = load_checkpoint(
            model,
            ("Sam3Model", "Sam3VideoModel"),
            device,
            auto="Sam3Model",
            processor="Sam3Processor",
        )
        super().__init__(name, (self.loaded,), device)

    def _segment_batch(
        self, images: Sequence[np.ndarray], words: Sequence[list[str]]
    ) -> tuple[np.ndarray, np.ndarray]:
        import torch
        import torch.nn.functional as F

        model, processor = self.loaded.model, self.loaded.processor
        inputs = processor(images=pictures(images), return_tensors="pt").to(self.device)
        seen = model.get_vision_features(pixel_values=inputs["pixel_values"])
        shape = working_shape(*images[0].shape[:2])
        rows = torch.arange(len(images), device=self.device)
        masks, found = [], []
        for asked in zip(*words, strict=True):
            tokens = processor(text=list(asked), truncation=True, return_tensors="pt").to(
                self.device
            )
            out = model(
                vision_embeds=seen,
                input_ids=tokens["input_ids"],
                attention_mask=tokens["attention_mask"],
            )
            scores = out.pred_logits.float().sigmoid() * out.presence_logits.float().sigmoid()
            score, best = scores.max(1)
            mask = out.pred_masks[rows, best][:, None].float()
            masks.append(F.interpolate(mask, shape, mode="bilinear", align_corners=False)[:, 0])
            found.append(score)
        return (
            torch.stack(masks, 1).sigmoid().cpu().numpy(),
            presence_of(torch.stack(found, 1).cpu().numpy(), self.threshold),
        )


class ClipSegSegmenter(WordSegmenter):
    """CLIPSeg (Lueddecke and Ecker, "Image Segmentation Using Text and Image Prompts", 2022).

    Presence is the mean of the hundredth of the pixels that look most like the word.
    """

    def __init__(self, name: str, model: str, device: str) -> None:
        self.loaded = load_checkpoint(model, ("CLIPSegForImageSegmentation",), device)
        super().__init__(name, (self.loaded,), device)

    def _segment_batch(
        self, images: Sequence[np.ndarray], words: Sequence[list[str]]
    ) -> tuple[np.ndarray, np.ndarray]:
        import torch.nn.functional as F

        count = len(words[0])
        # The model takes a picture for each word.
        inputs = self.loaded.processor(
            images=[one for one in pictures(images) for _ in range(count)],
            text=[phrase(word) for own in words for word in own],
            padding=True,
            truncation=True,
            return_tensors="pt",
        ).to(self.device)
        logits = self.loaded.model(**inputs).logits.float()
        logits = logits.view(len(images), count, *logits.shape[-2:])
        shape = working_shape(*images[0].shape[:2])
        masks = F.interpolate(logits.sigmoid(), shape, mode="bilinear", align_corners=False)
        flat = masks.flatten(2)
        found = flat.topk(max(1, flat.shape[2] // 100), dim=2).values.mean(2)
        return masks.cpu().numpy(), found.cpu().numpy()


_DETECTORS: dict[str, type[Detector]] = {
    "mmdino+sam2": GroundingDino,
    "dino+sam2": GroundingDino,
    "owlv2+sam2": Owlv2,
}


def word_segmenter(name: str, device: str = "cpu") -> WordSegmenter:
    """Make the segmenter of a name, with its default checkpoints or those named after a colon.

    Parameters
    ----------
    name : str
        Such as ``mmdino+sam2``, ``owlv2+sam2:DETECTOR@revision,SAM``, ``sam3:FOLDER``. Of two
        models the second may be left out.
    device : str

    Raises
    ------
    UsageError
        A name that is not known, too many models, or one that cannot be had.
    """
    family, colon, given = name.partition(":")
    defaults = DEFAULTS.get(family, ())
    models = [part.strip() for part in given.split(",")] if colon else []
    if not defaults or len(models) > len(defaults) or not all(models):
        raise UsageError(
            f"segmenter {name!r} is not understood; expected NAME or NAME:MODEL, or "
            f"NAME:DETECTOR,SAM, with a NAME of {', '.join(DEFAULTS)}"
        )
    models += defaults[len(models) :]
    if family == "sam3":
        return Sam3Segmenter(family, models[0], device)
    if family == "clipseg":
        return ClipSegSegmenter(family, models[0], device)
    return BoxSegmenter(family, _DETECTORS[family](models[0], device), models[1])
