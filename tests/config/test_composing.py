"""Files that are read once compose into what Hydra composes by itself."""

import pytest
from hydra._internal import defaults_list
from hydra.errors import ConfigCompositionException
from omegaconf import _utils, base

from al_bench.config.composing import as_yaml, composing, keeping_files
from al_bench.config.groups import CONF

ROOT = CONF.parent
LINES = (
    ("strategy=asal_auto", "seed=3", "loop.query_size=7"),
    ("experiment=asal/mnist_two", "strategy=entropy"),
    (f"hydra.searchpath=[file://{ROOT / 'tests' / 'conf'}]", "experiment=shadow_sweep"),
    ("strategy=asal_auto",),
    ("dataset=digits", "method=alcg/as", "gan=ac_sngan", "architecture@gan=ig", "preset=as_code"),
    ("experiment=mal/tiny_imagenet", "method=mal/vaal", "scale=small"),
)


def test_no_composition_changes_a_later_one() -> None:
    """Nor does one with a search path of its own, whose files the others do not see."""
    wanted = [as_yaml(overrides) for overrides in LINES]
    with composing() as repository:
        assert [as_yaml(overrides) for overrides in LINES] == wanted
    with composing(repository):
        assert [as_yaml(overrides) for overrides in reversed(LINES)] == wanted[::-1]
        assert repository.load_config("experiment/shadow_sweep") is None


def test_a_file_is_read_once() -> None:
    with composing() as repository:
        as_yaml(LINES[0])
        found = dict(repository.found)
        as_yaml(LINES[0])
    assert "strategy/asal_auto" in found
    assert all(repository.found[path] is result for path, result in found.items())


def test_the_library_is_as_it_was_afterwards() -> None:
    def functions() -> list[object]:
        return [defaults_list._create_interpolation_map, _utils.parse, base.parse]

    before = functions()
    with pytest.raises(ConfigCompositionException), composing():
        assert all(one is not other for one, other in zip(functions(), before, strict=True))
        as_yaml(("dataset=nowhere",))
    assert all(one is other for one, other in zip(functions(), before, strict=True))


def test_one_composition_reads_what_no_other_has_where_files_are_kept() -> None:
    with keeping_files():
        with composing() as first:
            wanted = as_yaml(LINES[0])
        with composing() as second:
            assert second is first
            assert as_yaml(LINES[0]) == wanted
    with composing() as third:
        assert third is not first
