"""The card: what it says of each member follows from its preset, and no number is made up."""

import pytest

from prompts.manifest import TrainingManifest
from reference_models.card import card, curve_points, policy_words
from reference_models.local import LocalModel
from reference_models.presets import PRESETS, build
from reference_models.upsampler import Upsampler


def member(name):
    preset = PRESETS[name]
    model = LocalModel.of(build(preset), Upsampler(), preset, None)
    model.facts = {"preset": {"network": preset.network}, "pictures": 1234, "seconds": 600}
    return model


def written(name, estimates=()):
    manifest = TrainingManifest.from_bindings([[("red", "apple")], [(None, "apple")]])
    curve = [(640, 15.0, 1.25), (1234, 600.0, 0.5)]
    subjects = {"control": {"right": 0.96, "images": 27}}
    return card(name, member(name), manifest, curve, subjects, estimates, "abc123")


@pytest.mark.parametrize("name", [one for one in PRESETS if one.startswith("local-")])
def test_every_member_has_a_card(name):
    text = written(name)
    assert f"# Model card: {name}" in text
    assert "| training pictures | 1,234, each scene used twice" in text
    assert "| sha256 of the weights | `abc123` |" in text
    assert "| control | 0.960 | 27 |" in text
    assert "296 of 297 pairs were never shown" in text
    assert policy_words(PRESETS[name].policy) in text


def test_tokens_are_told_as_such():
    text = written("local-tokens")
    assert "8 x 8 codes of 1,440" in text
    assert "| sampling | 64 codes, one a step, guidance scale 3 |" in text
    assert "surprise in nats a code" in text
    assert "quantiser's" in text
    assert "mean squared error" in written("local-dit")


def test_scores_are_those_of_the_run_and_missing_ones_are_left_out():
    estimates = [
        {"metric": "binding_score", "group": "all", "value": 0.9, "low": 0.8, "high": 0.95}
        | {"scored": 10, "images": 11},
        {"metric": "binding_score", "group": "tag:novel", "value": None, "low": None, "high": None}
        | {"scored": 0, "images": 0},
    ]
    text = written("local-dit", estimates)
    assert "| binding score, all cells | 0.900 | 0.800 to 0.950 | 10 of 11 |" in text
    assert "never shown |" not in text


def test_a_long_curve_is_thinned_with_its_ends_kept(tmp_path):
    file = tmp_path / "curve.csv"
    file.write_text("".join(f"{n},{n / 10},{1 / n}\n" for n in range(1, 101)))
    points = curve_points(file, 5)
    assert [point[0] for point in points] == [1, 26, 51, 75, 100]
    assert len(curve_points(file, 200)) == 100
