"""The cells of an experiment are those that its sweep would run."""

import re
from pathlib import Path

import pytest
from composing import run_id

from al_bench.config.experiment import cells_of, cells_of_line
from al_bench.errors import UserError

SHADOW = f"hydra.searchpath=[file://{Path(__file__).parents[1] / 'conf'}]"


def test_a_cell_is_the_run_that_its_own_command_line_starts():
    cells = cells_of("shadow_sweep", [SHADOW])
    assert [cell.label for cell in cells] == [
        "digits/random/seed=0", "digits/random/seed=1", "digits/entropy/seed=0", "digits/entropy/seed=1"
    ]  # fmt: skip
    for cell in cells:
        assert cell.id == run_id(SHADOW, "experiment=shadow_sweep", *cell.overrides[:2])
        assert cell.loop["max_cycles"] == 2


def test_overrides_narrow_and_change_a_sweep_as_they_would_on_its_command_line():
    (cell,) = cells_of("shadow_sweep", [SHADOW, "strategy=random", "seed=4", "learner.epochs=7"])
    assert cell.id == run_id(SHADOW, "experiment=shadow_sweep", "strategy=random", "seed=4", "learner.epochs=7")
    assert cell.identity["learner"]["epochs"] == 7
    assert len(cells_of("shadow_sweep", [SHADOW, "seed=0,1,2"])) == 6


@pytest.mark.parametrize(
    "asked", ["loop.budget=60,40", "scale.cycles=1,2", "threads=1,2", "++threads=1,2", "device=cpu,cuda"]
)
def test_cells_that_are_one_run_and_ask_for_something_else_of_it_are_refused(asked):
    key, _, values = asked.partition("=")
    one, other = (f"{key}={value}" for value in values.split(","))
    with pytest.raises(UserError, match=f"{re.escape(one)} and {re.escape(other)} are one run, which is told neither"):
        cells_of_line(["dataset=digits", "strategy=random", asked])


def test_what_is_asked_for_twice_is_one_cell():
    """Also what a line does not use."""
    assert len(cells_of_line(["dataset=digits", "strategy=random", "seed=0,0"])) == 1
    assert len(cells_of_line(["dataset=digits", "strategy=random", "gan=dcgan,wgan_gp"])) == 1
    assert len(cells_of_line(["procedure=toy", "scale=small,paper"])) == 1, "it has no cycles"


@pytest.mark.parametrize(
    ("name", "overrides", "sentence"),
    [
        ("asal/mnist_twoo", [], "experiment=asal/mnist_twoo is not known: did you mean asal/mnist_two"),
        ("shadow_sweep", [SHADOW, "loop.budget=-5"], "loop.budget=-5 must be at least 1"),
        ("shadow_sweep", [SHADOW, "loop.max_cycles=few"], "loop.max_cycles=few must be a whole number or null"),
        *(
            ("shadow_sweep", [SHADOW, f"seed={bad}"], f"seed={bad.split(',')[-1]} must be a whole number")
            for bad in ("abc", "0,1.5", "null")
        ),
        ("shadow_sweep", [SHADOW, "strategy=rando"], "strategy=rando is not known: did you mean random?"),
        ("shadow_sweep", [SHADOW, "loop.nothing=3"], "loop.nothing is not known: use one of initial"),
        ("shadow_sweep", [SHADOW, "stra("], "stra( cannot be read"),
    ],
)
def test_what_cannot_be_composed_is_one_sentence(name, overrides, sentence):
    with pytest.raises(UserError, match=re.escape(sentence)) as error:
        cells_of(name, overrides)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("loop.query_size=0", "loop.query_size=0 must be more than 0"),
        ("learner.epochs=-1", "learner.epochs=-1 must be more than 0"),
        ("strategy.nothing=1", "strategy.nothing is not known"),
        ("precision=half", "precision=half must be"),
        ("loop.budget=1", "loop.budget=1 is smaller than loop.initial_size="),
    ],
)
def test_cells_that_are_held_are_refused_as_their_run_would_be(value, sentence):
    """A plan's are; what reads their ids alone loads none of their code."""
    line = [SHADOW, "experiment=shadow_sweep", f"+{value}" if "nothing" in value else value]
    with pytest.raises(UserError, match=re.escape(sentence)):
        cells_of_line(line, held=True)


def test_cells_that_are_held_and_right_are_what_they_were():
    line = [SHADOW, "experiment=shadow_sweep"]
    assert cells_of_line(line, held=True) == cells_of_line(line)


def test_a_pattern_of_choices_is_planned_as_it_is_swept():
    found = cells_of_line(["dataset=digits", "strategy=glob([rand*,mar*])", "seed=0,1"])
    assert sorted(cell.choices["strategy"] for cell in found) == ["margin", "margin", "random", "random"]


@pytest.mark.parametrize("swept", ["strategy=glob(none*)", "seed=range(0)"])
def test_a_plan_of_no_cell_is_refused(swept):
    with pytest.raises(UserError, match="the sweep has no cell, for a key is swept over no value"):
        cells_of_line(["dataset=digits", swept])
