"""What of a method a run has otherwise."""

import pytest
from composing import compose, members
from kept_cells import kept_runs

from al_bench.config.methods import changes
from al_bench.config.values import plain


def changed(*overrides: str) -> list[str]:
    config = compose("dataset=digits", "scale=smoke", *overrides)
    choices = dict(config.hydra.runtime.choices)
    return changes(choices, {str(key): plain(config[key]) for key in config if key != "hydra"})


@pytest.mark.parametrize("method", ["none", "waal", "mal/random_longer", "tuned/digits_mal", "mal/ssl_div"])
def test_what_a_method_does_not_set_is_no_change(method: str) -> None:
    assert method in ["none", *members("method")]
    assert changed(f"method={method}", "seed=3", "loop.budget=30", "learner.batch_size=7", "oracle=noisy") == []


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["method=waal", "strategy=random", "learner=supervised"], ["strategy=random"]),
        (["method=mal/mal", "learner.minimax=false"], ["learner.minimax=false"]),
        (["method=mal/bald", "network=linear"], ["network=linear"]),
        (
            ["method=tuned/digits_waal", "match_steps=false", "recipe.optimizer.lr=0.5"],
            ["match_steps=false", "recipe.optimizer.lr=0.5"],
        ),
        (["method=tuned/digits_waal", "recipe.augmentation=null"], ["recipe.augmentation=null"]),
        (["method=tuned/digits_mal", "recipe.optimizer.lr=1e-3"], []),
    ],
)
def test_what_it_sets_is_one(overrides: list[str], told: list[str]) -> None:
    assert changed(*overrides) == told


def test_kept_runs_are_of_the_methods_that_they_say() -> None:
    found = [run for run in kept_runs("digits*") if run.choices["method"] != "none"]
    assert len(found) > 30
    assert not [run.id for run in found if changes(run.choices, run.config)]
