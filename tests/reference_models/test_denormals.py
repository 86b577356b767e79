import sys

import pytest

from reference_models.denormals import are_flushed, flushed


def test_flushed_inside_and_as_it_was_outside():
    assert not are_flushed()
    with flushed():
        assert are_flushed()
        assert sys.float_info.min / 4 == 0.0
        with flushed():
            pass
        assert are_flushed()
    assert not are_flushed()
    assert sys.float_info.min / 4 > 0.0


def test_an_error_does_not_leave_them_flushed():
    @flushed()
    def fail() -> None:
        assert are_flushed()
        raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        fail()
    assert not are_flushed()
