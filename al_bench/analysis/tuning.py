"""The settings that a tuning experiment sweeps over, how good each is, and the best of them as a method."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf, isnan
from statistics import fmean
from typing import Any

import yaml

from al_bench.active.metric import Metric
from al_bench.analysis.experiment import Experiment
from al_bench.analysis.reading import Run
from al_bench.config.values import read_value
from al_bench.errors import UserError

_NO_SETTING = ("seed", "method")  # what a setting is tried with and what it is a setting of


@dataclass(frozen=True)
class Setting:
    """One line of the sweep. overrides: what tells it from the others; method: that it is a setting of, None without
    one; values: the metric by seed, of those that are stored; seeds: all that are swept."""

    line: str
    overrides: tuple[str, ...]
    method: str | None
    values: dict[int, float]
    seeds: tuple[int, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every seed is stored."""
        return len(self.values) == len(self.seeds)

    @property
    def mean(self) -> float:
        """Over seeds."""
        return fmean(self.values.values())


def read_settings(experiment: Experiment, runs: Iterable[Run]) -> tuple[Metric, list[Setting]]:
    """The metric that the settings are judged by, which its evaluator names first, and each setting.

    Raises UserError for an experiment that tunes nothing.
    """
    cells = [cell for of_line in experiment.lines.values() for cell in of_line]
    if other := next((cell for cell in cells if cell.choices.get("procedure") != "tuning"), None):
        raise UserError(
            f"experiment={experiment.name} tries no settings, its procedure is {other.choices.get('procedure')}: use "
            "one with procedure=tuning, such as waal/tuning_fashion_mnist"
        )
    measured = {run.id: run.measurement for run in runs}
    metric = cells[0].metrics[0]
    found = []
    for line, of_line in experiment.lines.items():
        keys = dict(item.split("=", 1) for item in of_line[0].overrides)
        own = tuple(f"{key}={value}" for key, value in keys.items() if key not in _NO_SETTING)
        values = {cell.seed: one.metrics[metric.name] for cell in of_line if (one := measured.get(cell.id)) is not None}
        found.append(Setting(line, own, keys.get("method"), values, tuple(cell.seed for cell in of_line)))
    return metric, found


def choose_best(metric: Metric, settings: Sequence[Setting]) -> Setting:
    """The one of the best mean, the first of equals; one of no number is the worst. Raises UserError while some are not
    measured."""
    if lacking := [one.line for one in settings if not one.is_whole]:
        raise UserError(f"{len(lacking)} of {len(settings)} settings are not measured, {lacking[0]} among them")
    sign = 1 if metric.higher_is_better else -1
    return max(settings, key=lambda one: -inf if isnan(one.mean) else sign * one.mean)


def doubt_best(metric: Metric, settings: Sequence[Setting], best: Setting) -> list[str]:
    """What a reader of the best setting has to know: how near the next one is, and which numbers lie at the end of what
    was tried, so that a better one may lie beyond."""
    said = []
    if others := [one for one in settings if one is not best]:
        following = choose_best(metric, others)
        said.append(f"The next one has {following.mean:.4f}: {following.line}")
    tried = [dict(override.split("=", 1) for override in one.overrides) for one in settings]
    for key, value in (override.split("=", 1) for override in best.overrides):
        numbers = sorted({number for one in tried if isinstance(number := read_value(one[key]), int | float)})
        if len(numbers) > 2 and read_value(value) in (numbers[0], numbers[-1]):
            end = "smallest" if read_value(value) == numbers[0] else "largest"
            said.append(f"{key.lstrip('+')}={value} is the {end} that was tried: a better one may lie beyond")
    return said


def write_method(experiment: Experiment, metric: Metric, settings: Sequence[Setting], best: Setting) -> str:
    """The best setting as a file of `conf/method/tuned`: the method that it is of, with what was chosen."""
    included = [f"/method/{best.method}"] if best.method not in (None, "none") else []
    seeds = f"seed{'s' if len(best.seeds) > 1 else ''} {', '.join(map(str, best.seeds))}"
    head = [
        "# @package _global_",
        f"# {experiment.source.partition(':')[0]}",
        f"# The best of {len(settings)} settings by {metric.name.replace('_', ' ')} on validation labels that are "
        f"counted nowhere: {best.mean:.4f}, {seeds}",
        *(f"# {sentence}" for sentence in doubt_best(metric, settings, best)),
        f"# Written by: python scripts/tune.py {' '.join([experiment.name, *experiment.said_overrides])} --to FILE",
    ]
    body: dict[str, Any] = {"defaults": [*included, "_self_"]} if included else {}
    for override in best.overrides:
        key, _, value = override.lstrip("+").partition("=")
        _set(body, key.split("."), read_value(value))
    return "\n".join([*head, yaml.safe_dump(body, sort_keys=False, default_flow_style=None, width=110)])


def _set(body: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for key in path[:-1]:
        body = body.setdefault(key, {})
    body[path[-1]] = value
