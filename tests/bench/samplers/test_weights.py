"""Which weights a callable draws with: named, found, or not known."""

import functools

import numpy as np
import pytest
import torch

from bench.errors import UsageError
from bench.samplers.callable import OwnModel
from bench.samplers.weights import module_hash, weights_of


def net(value=0.5):
    made = torch.nn.Linear(2, 2)
    torch.nn.init.constant_(made.weight, value)
    torch.nn.init.constant_(made.bias, value)
    return made


GLOBAL = net()


class Holder:
    """As `LocalModel`: no module itself, but it has one."""

    def __init__(self, inner):
        self.inner = inner

    def __call__(self, prompts, generators):
        return self.inner

    def method(self, prompts, generators):
        return self.inner


class Slotted:
    __slots__ = ("inner",)

    def __init__(self, inner):
        self.inner = inner

    def __call__(self, prompts, generators):
        return self.inner


def closure(inner):
    def draw(prompts, generators):
        return inner

    return draw


def draw_with_global(prompts, generators):
    return GLOBAL(prompts)


def draw_with_helper(prompts, generators):
    return draw_with_global(prompts, generators)


def partly(inner, prompts, generators):
    return inner


def defaulted(inner):
    def draw(prompts, generators, model=inner):
        return model

    return draw


class Module(torch.nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, prompts, generators):
        return self.inner


WAYS = {
    "closure": closure,
    "object": Holder,
    "method": lambda inner: Holder(inner).method,
    "slots": Slotted,
    "partial": lambda inner: functools.partial(partly, inner),
    "default": defaulted,
    "closure over an object": lambda inner: closure(Holder(inner)),
    "list": lambda inner: closure([Holder(inner)]),
    "dict": lambda inner: closure({"unet": inner}),
    "module": Module,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_module_is_found_and_its_values_count(way):
    same = weights_of(WAYS[way](net()), "my:draw")
    assert len(same) == 64
    assert same == weights_of(WAYS[way](net()), "my:draw")
    assert same != weights_of(WAYS[way](net(0.25)), "my:draw")


def test_globals_of_the_code_count_also_of_a_helper():
    alone = weights_of(closure(GLOBAL), "my:draw")
    assert weights_of(draw_with_global, "my:draw") == alone
    assert weights_of(draw_with_helper, "my:draw") == alone


def test_two_modules_count_both_in_any_order():
    one, two = net(0.1), net(0.2)
    assert weights_of(closure([one, two]), "m") == weights_of(closure([two, one]), "m")
    assert weights_of(closure([one, two]), "m") != weights_of(closure([one]), "m")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.bool])
def test_every_type_of_value_is_hashed(dtype):
    def with_buffer(value):
        made = torch.nn.Module()
        made.register_buffer("b", torch.tensor(value).to(dtype))
        return made

    assert module_hash(with_buffer(0)) == module_hash(with_buffer(0))
    assert module_hash(with_buffer(0)) != module_hash(with_buffer(1))
    assert module_hash(with_buffer(0)) != module_hash(torch.nn.Module())


def test_where_nothing_is_known_nothing_is_said():
    assert weights_of(lambda prompts, generators: np.zeros(3), "my:draw") == ""
    assert weights_of(closure(torch.zeros(3)), "my:draw") == ""


def test_a_structure_that_holds_itself_ends():
    itself: list = [net()]
    itself.append(itself)
    assert weights_of(closure(itself), "my:draw")


def with_weights(weights):
    draw = closure(None)
    draw.weights = weights
    return draw


def test_named_weights_are_files_folders_and_hashes(tmp_path):
    file = tmp_path / "a.ckpt"
    file.write_bytes(b"one")
    first = weights_of(with_weights(file), "m")
    assert weights_of(with_weights(str(file)), "m") == first
    folder = weights_of(with_weights(tmp_path), "m")
    file.write_bytes(b"two")
    assert weights_of(with_weights(file), "m") != first
    assert weights_of(with_weights(tmp_path), "m") != folder
    assert weights_of(with_weights([file, "ab" * 16]), "m")
    assert weights_of(with_weights("AB" * 16), "m") == weights_of(with_weights("ab" * 16), "m")


def test_a_name_comes_before_what_is_found():
    draw = closure(net())
    draw.weights = "ab" * 16
    assert weights_of(draw, "m") != weights_of(closure(net()), "m")


def test_weights_that_are_not_there_are_one_line():
    with pytest.raises(UsageError, match=r"'my:draw' names its weights 'gone.ckpt', where nothing"):
        OwnModel(with_weights("gone.ckpt"), "my:draw")
