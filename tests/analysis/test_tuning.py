"""Choosing among settings: the better mean by the metric's direction, only once all are measured; the file."""

import math
import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
import yaml
from composing import compose

from al_bench.active.metric import Metric
from al_bench.analysis.experiment import plan_experiment
from al_bench.analysis.reading import Run
from al_bench.analysis.selection import stored_of
from al_bench.analysis.tuning import Setting, choose_best, doubt_best, read_settings, write_method
from al_bench.config.experiment import Cell, cells_of_line
from al_bench.config.groups import CONF
from al_bench.config.values import say_value
from al_bench.errors import UserError
from al_bench.storage.cell import read_cell
from al_bench.storage.record import Measurement

ACCURACY = Metric("accuracy", "fraction", higher_is_better=True)
LOSS = Metric("negative_log_likelihood", "nats", higher_is_better=False)
SETTINGS = [
    Setting("slow", ("recipe.optimizer.lr=0.1",), "matched/random", {0: 0.5, 1: 0.7}, (0, 1)),
    Setting("middle", ("recipe.optimizer.lr=0.2",), "matched/random", {0: 0.9, 1: 0.5}, (0, 1)),
    Setting("fast", ("recipe.optimizer.lr=0.3",), "matched/random", {0: 0.8, 1: 0.6}, (0, 1)),
]
FEW = ["seed=0", "recipe.optimizer.lr=0.001", "recipe.augmentation=null"]  # of waal/tuning_digits: two settings


def stored_run(cell: Cell, value: float) -> Run:
    record = Measurement(metrics={"accuracy": value}, tables={}, finished="measured", effort={}, commit="abc")
    return Run(place=None, about={"identity": cell.identity}, records=[record])  # type: ignore[arg-type]


def test_the_best_mean_in_the_direction_of_the_metric_the_first_of_equals() -> None:
    assert choose_best(ACCURACY, SETTINGS).line == "middle"
    assert choose_best(LOSS, SETTINGS).line == "slow"
    diverged = replace(SETTINGS[0], line="diverged", values={0: math.nan, 1: 0.1})
    assert choose_best(LOSS, [diverged, *SETTINGS]).line == "slow", "no comparison with NaN is true"
    with pytest.raises(UserError, match="negative_log_likelihood is no number with any of the 2 settings"):
        choose_best(LOSS, [diverged, diverged])
    assert not any("next one" in said for said in doubt_best(LOSS, [SETTINGS[0], diverged], SETTINGS[0]))


def test_a_best_at_the_end_of_what_was_tried_is_doubted() -> None:
    assert doubt_best(LOSS, SETTINGS, SETTINGS[0]) == [
        "The next one has 0.7000: middle",
        "recipe.optimizer.lr=0.1 is the smallest that was tried: a better one may lie beyond",
    ]
    assert doubt_best(ACCURACY, SETTINGS, SETTINGS[1]) == ["The next one has 0.7000: fast"]
    assert doubt_best(ACCURACY, SETTINGS[:1], SETTINGS[0]) == []


def test_nothing_is_chosen_while_a_seed_is_missing() -> None:
    with pytest.raises(UserError, match="1 of 3 settings are not measured, fast among them"):
        choose_best(ACCURACY, [*SETTINGS[:2], replace(SETTINGS[2], values={0: 1.0})])


def test_the_best_of_stored_runs_becomes_a_method_that_composes_to_the_same_learner(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = plan_experiment("waal/tuning_fashion_mnist", [])
    cells = [cell for cells in experiment.lines.values() for cell in cells]
    assert len(cells) == 12
    metric, settings = read_settings(experiment, [stored_run(cell, at / 100) for at, cell in enumerate(cells)])
    assert [one.mean for one in settings] == [at / 100 for at in range(12)]
    best = choose_best(metric, settings)
    written = yaml.safe_load(write_method(experiment, metric, settings, best))
    assert written["defaults"] == ["/method/matched/random", "_self_"]
    flat = [
        f"recipe.optimizer.lr={written['recipe']['optimizer']['lr']}",
        f"+recipe.optimizer.weight_decay={written['recipe']['optimizer']['weight_decay']}",
        f"recipe.augmentation={written['recipe']['augmentation']}".replace("'", ""),
    ]
    (same,) = cells_of_line(["dataset=fashion_mnist", "procedure=tuning", "method=matched/random", *flat])
    assert same.id == cells[-1].id


def test_what_all_were_given_is_no_part_of_what_is_chosen() -> None:
    """A scale or a folder would be set by every run of the method; it is said instead. What the file sweeps over is
    chosen, narrowed to one value or not."""
    experiment = plan_experiment("waal/tuning_digits", ["scale=smoke", "paths.data=/somewhere", *FEW])
    cells = [cell for cells in experiment.lines.values() for cell in cells]
    metric, settings = read_settings(experiment, [stored_run(cell, at / 10) for at, cell in enumerate(cells)])
    text = write_method(experiment, metric, settings, choose_best(metric, settings))
    assert yaml.safe_load(text) == {
        "defaults": ["/method/matched/random", "_self_"],
        "recipe": {"optimizer": {"lr": 0.001, "weight_decay": 0.0005}, "augmentation": None},
    }
    assert "# All were tried with scale=smoke paths.data=/somewhere, which the method does not set\n" in text


def test_a_group_that_is_swept_over_is_chosen_as_one(tmp_path: Path) -> None:
    """Set as a value, `network: lenet5` would stand in the network's place."""
    experiment = plan_experiment(
        "waal/tuning_digits",
        ["network=linear,small_cnn", "seed=0", "recipe.optimizer.lr=0.001", "recipe.augmentation=null"],
    )
    cells = [cell for cells in experiment.lines.values() for cell in cells]
    metric, settings = read_settings(experiment, [stored_run(cell, at / 10) for at, cell in enumerate(cells)])
    text = write_method(experiment, metric, settings, choose_best(metric, settings))
    (tmp_path / "method").mkdir()
    (tmp_path / "method" / "own.yaml").write_text(text)
    (own,) = cells_of_line(
        [f"hydra.searchpath=[file://{tmp_path}]", "dataset=digits", "procedure=tuning", "method=own"]
    )
    assert "small_cnn" in cells[-1].overrides[-1] or "network=small_cnn" in cells[-1].overrides
    assert own.id == cells[-1].id


def test_a_setting_of_no_number_is_the_worst(tmp_path: Path) -> None:
    """A metric that is not finite is stored as null."""
    experiment = plan_experiment(
        "waal/tuning_digits", ["seed=0", "recipe.optimizer.lr=0.001", "recipe.augmentation=null"]
    )
    first, second = (cell for cells in experiment.lines.values() for cell in cells)
    record = Measurement(metrics={"accuracy": None}, tables={}, finished="measured", effort={}, commit="abc")
    diverged = replace(stored_run(first, 0.0), records=[record])
    metric, settings = read_settings(experiment, [diverged, stored_run(second, 0.1)])
    assert choose_best(metric, settings) is settings[1]


def test_an_experiment_that_tunes_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="experiment=waal/digits tries no settings, its procedure is loop"):
        read_settings(plan_experiment("waal/digits", ["seed=0", "method=waal"]), [])


def test_a_node_is_said_by_its_class() -> None:
    node = "{_target_: al_bench.training.augmentation.FlipCrop, padding: 2, flip: true}"
    assert say_value(node) == "FlipCrop (padding 2, flip True)"
    assert say_value("{_target_: al_bench.training.augmentation.Flip}") == "Flip"
    assert (say_value("0.01"), say_value("null"), say_value("{at: 1}")) == ("0.01", "null", "{at: 1}")


def test_measurements_of_another_tuning_are_no_other_configuration_of_this(tmp_path: Path) -> None:
    """Both bear the label digits/tuning; one that was made for this experiment with other settings is shown."""
    one = plan_experiment("waal/tuning_digits", ["seed=0"])
    (cell, *_) = next(iter(one.lines.values()))
    identity = {**cell.identity, "validation_size": 7}
    about = {"identity": identity, "label": cell.label, "choices": {"experiment": "mal/tuning_digits"}}
    foreign = replace(stored_run(cell, 0.5), about=about)
    own = replace(foreign, about={**about, "choices": {"experiment": "waal/tuning_digits"}})
    assert one.others([foreign]) == []
    assert [other.runs for other in one.others([own])] == [[own]]


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((CONF / "method" / "tuned").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_tuned_method_is_what_the_kept_cells_chose(path: Path) -> None:
    said = re.search(r"python scripts/tune.py (\S+) --to FILE", path.read_text())
    assert said is not None
    experiment = plan_experiment(said[1], [])
    labels = {cell.id: cell.label for cells in experiment.lines.values() for cell in cells}
    root = CONF.parent
    metric, settings = read_settings(experiment, stored_of(labels, root / "none", root / "results" / "cells").runs)
    assert path.read_text() == write_method(experiment, metric, settings, choose_best(metric, settings))


@pytest.mark.parametrize(
    ("recipe", "label", "seeds"),
    [("fashion_mnist", "fashion_mnist-compared", 2), ("features", "cifar10-compared-features", 5)],
)
def test_a_comparison_trains_at_what_the_kept_cells_chose(recipe: str, label: str, seeds: int) -> None:
    """By their own values: the ids of some depend on a file of weights."""
    found: dict[tuple[tuple[str, Any], ...], list[float]] = defaultdict(list)
    for path in (CONF.parent / "results" / "cells").glob(f"{label}-tuning-*.cell.xz"):
        cell = read_cell(path)
        optimizer = cell["identity"]["learner"]["optimizer"]
        found[tuple(sorted(optimizer.items()))].append(cell["cycles"][0]["metrics"]["accuracy"])
    assert len(found) == 12 and {len(values) for values in found.values()} == {seeds}
    best = dict(max(found, key=lambda key: mean(found[key])))
    own = compose("dataset=digits", f"recipe=compared/{recipe}", "strategy=random").recipe.optimizer
    assert {key: own[key] for key in best if key != "part"} == {key: best[key] for key in best if key != "part"}
