"""Files that are read once compose into what Hydra composes by itself."""

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from al_bench.config.composing import composing
from al_bench.config.groups import CONF

ROOT = CONF.parent
LINES = (
    ("strategy=asal_auto", "seed=3", "loop.query_size=7"),
    ("experiment=asal/mnist_two", "strategy=entropy"),
    (f"hydra.searchpath=[file://{ROOT / 'tests' / 'conf'}]", "experiment=shadow_sweep"),
    ("strategy=asal_auto",),
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
