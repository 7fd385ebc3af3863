"""What the runs of an experiment are given beside its scale: `at_scale: {small: [scale.iterations=10000]}`."""

from collections.abc import Sequence
from pathlib import Path

from al_bench.analysis.experiment import read_experiment
from al_bench.config.groups import CONF
from al_bench.config.search_path import folder_with


def read_at_scale(name: str, scale: str, conf: Path = CONF) -> list[str]:
    """The overrides of an experiment's runs at a scale."""
    return [str(item) for item in (read_experiment(name, conf).get("at_scale") or {}).get(scale, ())]


def say_not_given(name: str, overrides: Sequence[str], conf: Path = CONF) -> str:
    """A sentence of those at the scale of `overrides` that these do not give; empty where there is none."""
    scales = [item.removeprefix("scale=") for item in overrides if item.startswith("scale=")]
    if not scales:
        return ""
    own = folder_with(name, overrides, conf)
    given = {item.partition("=")[0] for item in overrides}
    beside = [item for item in read_at_scale(name, scales[-1], own) if item.partition("=")[0] not in given]
    return f"at scale={scales[-1]} its runs are made with {' '.join(beside)}, which is not given here" if beside else ""
