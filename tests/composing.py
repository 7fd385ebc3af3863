"""Composing configurations in tests, as `run.py` does it."""

import pickle
from functools import lru_cache
from typing import Any

import yaml
from hydra import compose as hydra_compose
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from al_bench.config.composing import ReadOnce, composing
from al_bench.config.groups import CONF
from al_bench.config.groups import members as all_members
from al_bench.config.identity import run_id as run_id_of
from al_bench.errors import UserError

_READ: list[ReadOnce] = []  # what compositions before read: no test changes `conf/`


def compose(*overrides: str) -> DictConfig:
    """The configuration of a command line, a copy of its own."""
    config: DictConfig = pickle.loads(_composed(overrides))
    return config


@lru_cache(maxsize=1024)
def _composed(overrides: tuple[str, ...]) -> bytes:
    """Pickled, which is copied in a seventh of the time."""
    with composing(next(iter(_READ), None)) as repository:
        _READ[:] = [repository]
        return pickle.dumps(hydra_compose("config", overrides=list(overrides), return_hydra_config=True))


def run_id(*overrides: str) -> str:
    """The id of the run that a command line starts."""
    return run_id_of(_root_=compose(*overrides))


def params_of(name: str) -> dict[str, str]:
    """What an experiment sweeps over."""
    text = (CONF / "experiment" / f"{name}.yaml").read_text()
    return {key: str(values) for key, values in yaml.safe_load(text)["hydra"]["sweeper"]["params"].items()}


def values_of(swept: str) -> list[str]:
    """The values of a sweep over "a,b,c", nodes or "range(5)", as a command line has them."""
    override = OverridesParser.create().parse_override(f"key={swept}")
    return list(override.sweep_string_iterator()) if override.is_sweep_override() else [swept]


def count_values(swept: str) -> int:
    """How many values a sweep has."""
    return len(values_of(swept))


def members(family: str) -> list[str]:
    """The choices of a conf group but for `none`, which is the absence of one."""
    return [name for name in all_members(family) if name != "none"]


def part(node: str, *overrides: str) -> Any:
    """The object that one node of a command line's configuration describes."""
    return instantiate(OmegaConf.select(compose(*overrides), node), _convert_="all")


@lru_cache
def on_digits(*choices: str) -> tuple[str, ...]:
    """The overrides of a run on digits: on two of them, or with a linear model, where these choices refuse ten."""
    two = ("+dataset.classes=[3,8]",)
    for more in ((), two, (*two, "network=linear")):
        overrides = ("dataset=digits", *choices, *more)
        try:
            procedure = part("procedure", *overrides)
            procedure.check_parts(procedure.dataset)
        except (UserError, InstantiationException):
            continue
        return overrides
    raise AssertionError(f"{choices} refuse the digits")
