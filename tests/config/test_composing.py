"""Files that are read once compose into what Hydra composes by itself."""

import pytest
from hydra import compose, initialize_config_dir
from hydra._internal import defaults_list
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf, _utils, base

from al_bench.config.composing import composing
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


def composed(overrides: tuple[str, ...]) -> str:
    return OmegaConf.to_yaml(compose("config", overrides=list(overrides), return_hydra_config=True))


def test_no_composition_changes_a_later_one() -> None:
    """Nor does one with a search path of its own, whose files the others do not see."""
    wanted = []
    for overrides in LINES:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            wanted.append(composed(overrides))
    with composing() as repository:
        assert [composed(overrides) for overrides in LINES] == wanted
    with composing(repository):
        assert [composed(overrides) for overrides in reversed(LINES)] == wanted[::-1]
        assert repository.load_config("experiment/shadow_sweep") is None


def test_a_file_is_read_once() -> None:
    with composing() as repository:
        composed(LINES[0])
        found = dict(repository.found)
        composed(LINES[0])
    assert "strategy/asal_auto" in found
    assert all(repository.found[path] is result for path, result in found.items())


def test_the_library_is_as_it_was_afterwards() -> None:
    def functions() -> list[object]:
        return [defaults_list._create_interpolation_map, _utils.parse, base.parse]

    before = functions()
    with pytest.raises(ConfigCompositionException), composing():
        assert all(one is not other for one, other in zip(functions(), before, strict=True))
        composed(("dataset=nowhere",))
    assert all(one is other for one, other in zip(functions(), before, strict=True))
