"""Every text-to-image pipeline that diffusers lists is taken for one."""

import diffusers
import pytest
from diffusers.pipelines.auto_pipeline import AUTO_TEXT2IMAGE_PIPELINES_MAPPING

from bench.errors import UsageError
from bench.samplers.diffusers.load import _text_to_image
from bench.samplers.diffusers.source import Source, find
from tests.bench.samplers.families import saved


@pytest.mark.parametrize("cls", sorted({*AUTO_TEXT2IMAGE_PIPELINES_MAPPING.values()}, key=str))
def test_listed(cls):
    pipeline = cls.__new__(cls)
    assert _text_to_image(pipeline, Source("x", find(str(saved("sd1"))).path)) is pipeline


@pytest.mark.parametrize(
    "name", ["StableVideoDiffusionPipeline", "DDPMPipeline", "ShapEImg2ImgPipeline"]
)
def test_not_listed(name):
    cls = getattr(diffusers, name)
    with pytest.raises(UsageError, match="does not make pictures from text alone"):
        _text_to_image(cls.__new__(cls), Source("x", saved("sd1")))
