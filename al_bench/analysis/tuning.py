"""The settings that a tuning experiment sweeps over, how good each is, and the best of them as a method."""

import shlex
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from math import inf, isnan, nan
from statistics import fmean
from typing import Any

import yaml

from al_bench.active.metric import Metric
from al_bench.analysis.experiment import Experiment
from al_bench.analysis.reading import Run
from al_bench.config.experiment import Cell
from al_bench.config.groups import members
from al_bench.config.values import from_project, read_value
from al_bench.errors import UserError

_NO_SETTING = ("seed", "method")  # what a setting is tried with and what it is a setting of


@dataclass(frozen=True)
class Setting:
    """One line of the sweep. overrides: what is chosen with it, keys that are swept over; method: that it is a setting
    of, None without one; values: the metric by seed, of those that are stored, NaN for none; seeds: all that are swept;
    beside: what every line was given and the sweep does not choose, such as a scale."""

    line: str
    overrides: tuple[str, ...]
    method: str | None
    values: dict[int, float]
    seeds: tuple[int, ...]
    beside: tuple[str, ...] = ()

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
    common = set.intersection(*({*cell.overrides} for cell in cells))
    beside = {item for item in common if _key(item) not in experiment.swept}
    found = []
    for line, of_line in experiment.lines.items():
        stored = {cell.seed: one for cell in of_line if (one := measured.get(cell.id)) is not None}
        values = {seed: _number(one.metrics[metric.name]) for seed, one in stored.items()}
        found.append(_setting(line, of_line, values, beside))
    return metric, found


def _setting(line: str, cells: Sequence[Cell], values: dict[int, float], beside: Collection[str]) -> Setting:
    said = [item for item in cells[0].overrides if _key(item) not in _NO_SETTING]
    method = next((item.partition("=")[2] for item in cells[0].overrides if _key(item) == "method"), None)
    own, others = (tuple(item for item in said if (item in beside) is given) for given in (False, True))
    return Setting(line, own, method, values, tuple(cell.seed for cell in cells), others)


def _key(override: str) -> str:
    return override.partition("=")[0]


def _number(stored: float | None) -> float:
    """What is not finite is stored as null."""
    return nan if stored is None else stored


def choose_best(metric: Metric, settings: Sequence[Setting]) -> Setting:
    """The one of the best mean, the first of equals; one of no number is the worst. Raises UserError while some are not
    measured, and where none has a number."""
    if lacking := [one.line for one in settings if not one.is_whole]:
        raise UserError(f"{len(lacking)} of {len(settings)} settings are not measured, {lacking[0]} among them")
    if settings and all(isnan(one.mean) for one in settings):
        raise UserError(f"{metric.name} is no number with any of the {len(settings)} settings: there is no best one")
    sign = 1 if metric.higher_is_better else -1
    return max(settings, key=lambda one: -inf if isnan(one.mean) else sign * one.mean)


def doubt_best(metric: Metric, settings: Sequence[Setting], best: Setting) -> list[str]:
    """What a reader of the best setting has to know: how near the next one is, which numbers lie at the end of what was
    tried, so that a better one may lie beyond, and what all were tried with."""
    said = []
    if others := [one for one in settings if one is not best and not isnan(one.mean)]:
        following = choose_best(metric, others)
        said.append(f"The next one has {following.mean:.4f}: {following.line}")
    tried = [dict(override.split("=", 1) for override in one.overrides) for one in settings]
    for key, value in (override.split("=", 1) for override in best.overrides):
        numbers = sorted({number for one in tried if isinstance(number := read_value(one[key]), int | float)})
        if len(numbers) > 2 and read_value(value) in (numbers[0], numbers[-1]):
            end = "smallest" if read_value(value) == numbers[0] else "largest"
            said.append(f"{key.lstrip('+')}={value} is the {end} that was tried: a better one may lie beyond")
    if best.beside:
        said.append(f"All were tried with {from_project(shlex.join(best.beside))}, which the method does not set")
    return said


def write_method(experiment: Experiment, metric: Metric, settings: Sequence[Setting], best: Setting) -> str:
    """The best setting as a file of `conf/method/tuned`: the method that it is of, with what was chosen."""
    included = [f"/method/{best.method}"] if best.method not in (None, "none") else []
    chosen = [item.lstrip("+") for item in best.overrides]
    groups = [{f"override /{_key(item)}": item.partition("=")[2]} for item in chosen if _is_choice(item)]
    seeds = f"seed{'s' if len(best.seeds) > 1 else ''} {', '.join(map(str, best.seeds))}"
    head = [
        "# @package _global_",
        f"# {experiment.source.partition(':')[0]}",
        f"# The best of {len(settings)} settings by {metric.name.replace('_', ' ')} on validation labels that are "
        f"counted nowhere: {best.mean:.4f}, {seeds}",
        *(f"# {sentence}" for sentence in doubt_best(metric, settings, best)),
        f"# Written by: python scripts/tune.py {shlex.join([experiment.name, *experiment.said_overrides])} --to FILE",
    ]
    body: dict[str, Any] = {"defaults": [*included, "_self_", *groups]} if included or groups else {}
    for item in (item for item in chosen if not _is_choice(item)):
        _set(body, _key(item).split("."), read_value(item.partition("=")[2]))
    return "\n".join([*head, yaml.safe_dump(body, sort_keys=False, default_flow_style=None, width=110)])


def _is_choice(override: str) -> bool:
    """Whether it chooses a member of a group, "network=lenet", and sets no value."""
    return override.partition("=")[2] in members(_key(override).partition("@")[0])


def _set(body: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for key in path[:-1]:
        body = body.setdefault(key, {})
    body[path[-1]] = value
