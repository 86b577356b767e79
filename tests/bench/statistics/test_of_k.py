from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from bench.statistics.of_k import any_and_all


def frame(cells):
    """Verdicts from a mapping of cell to words, one a binding: b bound, x wrong, i void."""
    names = {"b": "bound", "x": "wrong", "i": "invalid"}
    rows = [
        (cell, f"{cell}{index}", binding, f"c{binding}", cell, names[letter])
        for cell, words in cells.items()
        for binding, letters in enumerate(words)
        for index, letter in enumerate(letters)
    ]
    columns = ["cell_id", "sample_id", "binding", "colour", "subject", "verdict"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_it_is_the_share_of_all_choices_of_k_images(k):
    words = {"p": ["bbxx"], "q": ["bxxx"], "r": ["bbbb"], "s": ["xxxx"]}
    found = any_and_all(frame(words), k)
    assert found.metrics == (f"any_of_{k}", f"all_of_{k}")
    for row, (letters,) in zip(found.means, words.values(), strict=True):
        chosen = list(combinations(letters, k))
        assert row[0] == pytest.approx(np.mean(["b" in one for one in chosen]))
        assert row[1] == pytest.approx(np.mean([set(one) == {"b"} for one in chosen]))


def test_a_pair_is_right_where_both_are_bound():
    found = any_and_all(frame({"p": ["bbxx", "xbbx"]}))
    assert found.metrics == ("any_of_4", "all_of_4")
    assert found.means.tolist() == [[1.0, 0.0]]
    none = any_and_all(frame({"p": ["bbxx", "xxbb"]}))
    assert none.means.tolist() == [[0.0, 0.0]]


def test_cells_with_too_few_judged_images_are_left_out_and_one_image_gives_nothing():
    found = any_and_all(frame({"p": ["bbb"], "q": ["bib"]}))
    assert found.cells.tolist() == [1, 1]
    assert found.means[0].tolist() == [1.0, 1.0]
    assert np.isnan(found.means[1]).all()
    assert any_and_all(frame({"p": ["b"], "q": ["x"]})) is None
    assert any_and_all(frame({})) is None


def test_its_expectation_is_that_of_the_rate():
    rng = np.random.default_rng(0)
    words = {f"c{n}": ["".join(rng.choice(["b", "x"], 6, p=[0.7, 0.3]))] for n in range(3000)}
    means = any_and_all(frame(words), 3).means.mean(axis=0)
    assert means == pytest.approx([1 - 0.3**3, 0.7**3], abs=0.015)
