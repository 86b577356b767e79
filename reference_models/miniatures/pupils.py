"""How each class learns from scenes, and how it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from prompts.grammar import noun_phrase
from prompts.subjects import SUBJECT_NAMES, SUBJECTS, Subject
from reference_models.miniatures.losses import centred, cornered, mask_loss, one_box_loss
from reference_models.miniatures.models import COCO, SAM3_SIDE, SAM_SIDE, SIDE, make
from reference_models.miniatures.scenes import SIZE, Lesson


def normalised(image: Tensor, processor: Any) -> Tensor:
    """Pictures (B, 3, H, W) in [0, 1] as the processor hands them on."""
    pictures = getattr(processor, "image_processor", processor)
    mean, std = (torch.tensor(v).view(3, 1, 1).to(image) for v in
                 (pictures.image_mean, pictures.image_std))  # fmt: skip
    return (image - mean) / std


def phrase(word: str) -> str:
    """A noun with its article."""
    return noun_phrase(None, SUBJECTS.get(word, Subject(word)))


def resized(image: Tensor, size: Sequence[int]) -> Tensor:
    """Pictures or masks at another size."""
    return F.interpolate(image, tuple(size), mode="bilinear", align_corners=False)


class Pupil:
    """A miniature, and how its class learns.

    ``lose(lesson)`` gives its loss; ``answer(lesson)`` the masks (B, W, h, w) of the words, or
    their boxes (B, W, 4) as shares of the picture, with scores (B, W).
    """

    def __init__(self, name: str, device: str, seed: int) -> None:
        self.name = name
        self.model, self.processor = make(name, seed)
        if name == "owlv2":
            # Nearly all boxes are empty: the first scores are low, of likeness ten times its size.
            head = self.model.class_head
            for linear, bias in ((head.logit_shift, -0.5), (head.logit_scale, 9.0)):
                torch.nn.init.zeros_(linear.weight)
                torch.nn.init.constant_(linear.bias, bias)
        self.model.to(device)
        self.device = device
        #: Mask2Former is not asked: every thing of its classes has its name.
        self.subjects = len(SUBJECT_NAMES) if name == "mask2former" else None
        kind = "grounding" if name in ("mmdino", "dino") else name
        self.lose: Callable[[Any, Lesson], Tensor] = getattr(self, f"_{kind}_loss")
        self.answer: Callable[[Any, Lesson], tuple[Tensor, Tensor]] = getattr(self, f"_{kind}")

    def knows(self, word: str) -> bool:
        """Whether a word can be asked for at all."""
        return self.name != "mask2former" or word in COCO

    def _texts(self, texts: list[str]) -> dict[str, Tensor]:
        tokens = self.processor.tokenizer(
            texts, padding="max_length" if self.name != "mmdino" else True, return_tensors="pt"
        )
        return {key: value.to(self.device) for key, value in tokens.items()}

    # Grounding DINO: all words in one text, the same for all pictures. (The loss of transformers
    # takes the second picture's label map for all later ones.)

    def _grounding_inputs(self, lesson: Lesson) -> dict[str, Tensor]:
        text = " ".join(f"{phrase(word)}." for word in lesson.words)
        tokens = self.processor.tokenizer([text], return_tensors="pt", return_token_type_ids=True)
        batch = len(lesson.image)
        shape = lesson.image.shape[-2:]
        size = (SIDE * shape[0] // SIZE, SIDE * shape[1] // SIZE)
        return {
            "pixel_values": normalised(resized(lesson.image, size), self.processor),
            **{key: value.to(self.device).repeat(batch, 1) for key, value in tokens.items()},
        }

    def _grounding_loss(self, model: Any, lesson: Lesson) -> Tensor:
        labels = [
            {"class_labels": there.nonzero()[:, 0], "boxes": centred(boxes[there])}
            for there, boxes in zip(lesson.there, lesson.boxes, strict=True)
        ]
        loss: Tensor = model(**self._grounding_inputs(lesson), labels=labels).loss
        return loss

    def _grounding(self, model: Any, lesson: Lesson) -> tuple[Tensor, Tensor]:
        inputs = self._grounding_inputs(lesson)
        out = model(**inputs)
        ids = inputs["input_ids"][0]
        ends = (ids == 1012).cumsum(0)
        articles = self.processor.tokenizer.convert_tokens_to_ids(["a", "an"])
        article = torch.isin(ids, torch.tensor(articles, device=self.device))
        scores = []
        for k in range(len(lesson.words)):
            own = (ends == k) & (ids > 103) & (ids != 1012) & ~article
            scores.append(out.logits[..., : len(ids)].sigmoid()[..., own].mean(-1))
        return _best(torch.stack(scores, 1), cornered(out.pred_boxes)[:, None])

    # OWLv2: the picture padded to a square.

    def _owlv2_out(self, model: Any, lesson: Lesson) -> tuple[Any, Tensor]:
        batch, _, height, width = lesson.image.shape
        side = max(height, width)
        padded = F.pad(lesson.image, (0, side - width, 0, side - height))
        tokens = self._texts([f"a photo of {phrase(word)}" for word in lesson.words])
        out = model(
            pixel_values=normalised(resized(padded, (SIDE, SIDE)), self.processor),
            **{key: value.repeat(batch, 1) for key, value in tokens.items()},
        )
        scale = torch.tensor([width, height, width, height]).to(self.device) / side
        return out, scale

    def _owlv2_loss(self, model: Any, lesson: Lesson) -> Tensor:
        out, scale = self._owlv2_out(model, lesson)
        logits = out.logits.transpose(1, 2)
        boxes = out.pred_boxes[:, None].expand(-1, len(lesson.words), -1, -1)
        return one_box_loss(logits, boxes, lesson, scale)[0]

    def _owlv2(self, model: Any, lesson: Lesson) -> tuple[Tensor, Tensor]:
        out, scale = self._owlv2_out(model, lesson)
        boxes, scores = _best(
            out.logits.sigmoid().transpose(1, 2), cornered(out.pred_boxes)[:, None]
        )
        return boxes / scale, scores

    # SAM 2: one box of each picture, as inexact as a detector's.

    def _sam2_masks(self, model: Any, lesson: Lesson, boxes: Tensor) -> Tensor:
        out = model(
            pixel_values=normalised(resized(lesson.image, (SAM_SIDE, SAM_SIDE)), self.processor),
            input_boxes=boxes * SAM_SIDE,
            multimask_output=False,
        )
        masks: Tensor = out.pred_masks[:, :, 0]
        return masks

    def _sam2_loss(self, model: Any, lesson: Lesson) -> Tensor:
        size = (lesson.boxes[..., 2:] - lesson.boxes[..., :2]).repeat(1, 1, 2)
        boxes = (lesson.boxes + 0.06 * torch.randn_like(size) * size).clamp(0, 1)
        logits = self._sam2_masks(model, lesson, boxes)
        true = resized(lesson.masks, logits.shape[-2:])[lesson.there]
        return mask_loss(logits[lesson.there], true).mean()

    def _sam2(self, model: Any, lesson: Lesson) -> tuple[Tensor, Tensor]:
        return self._sam2_masks(model, lesson, lesson.boxes).sigmoid(), lesson.there.float()

    # SAM 3: the picture is seen once, and asked about each word.

    def _sam3_out(self, model: Any, lesson: Lesson) -> list[Any]:
        pixels = normalised(resized(lesson.image, (SAM3_SIDE, SAM3_SIDE)), self.processor)
        seen = model.get_vision_features(pixel_values=pixels)
        outs = []
        for word in lesson.words:
            tokens = self._texts([word])
            outs.append(
                model(
                    vision_embeds=seen,
                    **{key: value.repeat(len(pixels), 1) for key, value in tokens.items()},
                )
            )
        return outs

    def _sam3_loss(self, model: Any, lesson: Lesson) -> Tensor:
        outs = self._sam3_out(model, lesson)
        logits = torch.stack([out.pred_logits for out in outs], 1)
        boxes = centred(torch.stack([out.pred_boxes for out in outs], 1))
        masks = torch.stack([out.pred_masks for out in outs], 1)
        presence = torch.stack([out.presence_logits[:, 0] for out in outs], 1)
        whole = torch.stack([out.semantic_seg[:, 0] for out in outs], 1)
        there = lesson.there
        # A word that is not there is the presence's business.
        loss, best = one_box_loss(logits, boxes, lesson, torch.ones(4, device=self.device))
        true = resized(lesson.masks, masks.shape[-2:])
        rows = torch.arange(len(best), device=self.device)
        of_best = mask_loss(masks[there][rows, best], true[there]).mean()
        seen = mask_loss(whole.flatten(0, 1), resized(true, whole.shape[-2:]).flatten(0, 1)).mean()
        known = F.binary_cross_entropy_with_logits(presence, there.float())
        return loss + 2 * of_best + seen + 2 * known

    def _sam3(self, model: Any, lesson: Lesson) -> tuple[Tensor, Tensor]:
        outs = self._sam3_out(model, lesson)
        masks, scores = [], []
        for out in outs:
            score, best = (out.pred_logits.sigmoid() * out.presence_logits.sigmoid()).max(1)
            rows = torch.arange(len(best), device=self.device)
            masks.append(out.pred_masks[rows, best].sigmoid())
            scores.append(score)
        return torch.stack(masks, 1), torch.stack(scores, 1)

    # Mask2Former: no words, the classes of COCO.

    def _mask2former_out(self, model: Any, lesson: Lesson, labelled: bool) -> tuple[Any, Any]:
        shape = lesson.image.shape[-2:]
        size = (SIDE * shape[0] // SIZE, SIDE * shape[1] // SIZE)
        pad = [(-length) % 32 for length in size]
        image = normalised(resized(lesson.image, size), self.processor)
        image = F.pad(image, (0, pad[1], 0, pad[0]))
        labels = {}
        if labelled:
            masks = F.pad(resized(lesson.masks, size), (0, pad[1], 0, pad[0]))
            classes = torch.tensor([COCO.index(w) if w in COCO else -1 for w in lesson.words])
            known = (classes >= 0).to(self.device)
            chosen = [(there & known).nonzero()[:, 0] for there in lesson.there]
            labels = {
                "mask_labels": [m[c] for m, c in zip(masks, chosen, strict=True)],
                "class_labels": [classes.to(self.device)[c] for c in chosen],
            }
        return model(pixel_values=image, **labels), size

    def _mask2former_loss(self, model: Any, lesson: Lesson) -> Tensor:
        out, _ = self._mask2former_out(model, lesson, True)
        loss: Tensor = out.loss
        return loss

    def _mask2former(self, model: Any, lesson: Lesson) -> tuple[Tensor, Tensor]:
        out, size = self._mask2former_out(model, lesson, False)
        chance = out.class_queries_logits.softmax(-1)
        masks, scores = [], []
        rows = torch.arange(len(lesson.image), device=self.device)
        for word in lesson.words:
            score, best = chance[..., COCO.index(word) if word in COCO else -1].max(1)
            masks.append(out.masks_queries_logits[rows, best].sigmoid())
            scores.append(score)
        padded = [length + (-length) % 32 for length in size]
        full = resized(torch.stack(masks, 1), (padded[0], padded[1]))
        return full[..., : size[0], : size[1]], torch.stack(scores, 1)

    # CLIPSeg: a word and a picture at a time.

    def _clipseg_logits(self, model: Any, lesson: Lesson, words: list[int]) -> Tensor:
        pixels = normalised(resized(lesson.image, (SIDE, SIDE)), self.processor)
        tokens = self._texts([phrase(lesson.words[k]) for k in words])
        # Its own forward keeps CLIP's towers frozen, which here are random.
        seen = model.clip.vision_model(pixel_values=pixels, output_hidden_states=True)
        layers = [seen.hidden_states[layer + 1] for layer in model.extract_layers]
        meant = model.clip.text_projection(model.clip.text_model(**tokens).pooler_output)
        logits: Tensor = model.decoder(layers, meant).logits
        return logits

    def _clipseg_loss(self, model: Any, lesson: Lesson) -> Tensor:
        words = torch.randint(len(lesson.words), (len(lesson.image),)).tolist()
        rows = torch.arange(len(words), device=self.device)
        logits = self._clipseg_logits(model, lesson, words)
        true = resized(lesson.masks, logits.shape[-2:])[rows, torch.tensor(words).to(self.device)]
        return mask_loss(logits, true).mean()

    def _clipseg(self, model: Any, lesson: Lesson) -> tuple[Tensor, Tensor]:
        batch = len(lesson.image)
        logits = [
            self._clipseg_logits(model, lesson, [k] * batch) for k in range(len(lesson.words))
        ]
        masks = torch.stack(logits, 1).sigmoid()
        return masks, masks.amax((2, 3))


def _best(scores: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes (B, W, 4) of the best scores (B, W, Q)."""
    score, best = scores.max(-1)
    rows = torch.arange(len(score), device=score.device)[:, None]
    return boxes.expand(-1, scores.shape[1], -1, -1)[
        rows, torch.arange(scores.shape[1], device=score.device)[None], best
    ], score
