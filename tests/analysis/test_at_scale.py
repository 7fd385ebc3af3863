"""What an experiment's runs at a scale are made with, where a command line does not say it."""

from pathlib import Path

import pytest

from al_bench.analysis.at_scale import read_at_scale, say_not_given
from al_bench.analysis.sweep_plan import plan_sweep
from al_bench.config.experiment import cells_of_line
from al_bench.report.sweep_plan import write_plan

NAME = "alcg/fashion_mnist_sngan"
SAID = "at scale=small its runs are made with scale.gan_width=0.25, which is not given here"


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        (NAME, ["scale=small"], SAID),
        (NAME, ["scale=paper", "scale=small"], SAID),
        (NAME, ["scale=small", "scale.gan_width=0.25"], ""),
        (NAME, ["scale=small", "scale.gan_width=0.5"], ""),
        (NAME, ["scale=paper"], ""),
        (NAME, [], ""),
        ("alcg/digits", ["scale=small"], ""),
        (
            "alcg/adversarial_fashion_mnist",
            ["scale=small", "scale.iterations=10000"],
            "at scale=small its runs are made with scale.gan_width=0.25 scale.gan_precision=32-true, which is not given"
            " here",
        ),
    ],
)
def test_what_is_not_given(name: str, given: list[str], said: str) -> None:
    assert say_not_given(name, given) == said


def test_no_experiment_has_none() -> None:
    assert read_at_scale("none", "small") == read_at_scale("no/such", "small") == []


@pytest.mark.slow
def test_a_plan_says_it(tmp_path: Path) -> None:
    line = ["scale=small", "method=alcg/rand", "seed=0"]
    for given, said in (([], True), (["scale.gan_width=0.25"], False)):
        cells = cells_of_line([f"experiment={NAME}", *line, *given])
        plan = write_plan(plan_sweep(NAME, [*line, *given], cells, tmp_path, tmp_path / "cells"))
        assert (SAID in plan.splitlines()) is said


def test_of_an_experiment_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("at_scale: {small: [recipe.epochs=3]}\n")
    given = [f"hydra.searchpath=[file://{tmp_path}]", "scale=small"]
    assert "made with recipe.epochs=3, which" in say_not_given("mine", given)
    assert say_not_given("mine", given[1:]) == ""
