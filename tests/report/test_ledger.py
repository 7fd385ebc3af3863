import pytest
from made_runs import made_run

from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import Run, stored
from al_bench.config.groups import CONF
from al_bench.report.ledger import ledger, settings

RECIPE = """# @package _global_
# made
defaults:
  - override /network: linear     # P not a setting
recipe:
  query_size: 10                # P Tab. 1
  epochs: 4                     # R long enough
  optimizer: {_target_: torch.optim.Adam, _partial_: true, lr: 0.001}  # C some/code
  schedule: null                # D from A.1
precision: 32-true            # P Sec. 2
"""
PAIR = """# made
generator:
  channels: [64, 32]            # P Tab. 5
iterations: ${at_most:100,${scale.iterations}}  # P Tab. 3
"""


FILES = {
    "config.yaml": "loop:\n  query_size: ${at_most:${recipe.query_size},${scale.query_size}}\n",
    "recipe/made.yaml": RECIPE,
    "pair/gan/wgan/made.yaml": PAIR,
    "learner/made.yaml": "epochs: ${recipe.epochs}\noptimizer: ${recipe.optimizer}\nschedule: ${recipe.schedule}\n",
    "learner/playing.yaml": "# no use for ${recipe.epochs}\niterations: 9  # as ${recipe.schedule} has it\n",
}


def made(tmp_path, config, learner="made", **choices):
    config = {**config, "learner": {"learns": 1}, "precision": "32-true"}
    for name, text in FILES.items():
        path = tmp_path / "conf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    procedure = {"learner": config["learner"], "strategy": {"gan": config.get("gan")} if config.get("used") else {}}
    about = {
        "identity": {"seed": 0},
        "config": {**config, "procedure": procedure},
        "choices": {"recipe": "made", "learner": learner, **choices},
    }
    return list(settings(Run(tmp_path, about, []), tmp_path / "conf"))


OPTIMIZER = {"_target_": "torch.optim.Adam", "_partial_": True, "lr": 0.001}
CONFIG = {"recipe": {"query_size": 10, "epochs": 4, "optimizer": OPTIMIZER, "schedule": None}}
GAN = {"generator": {"channels": [64, 32]}, "iterations": 3}


def test_each_tagged_line_with_its_value_and_origin(tmp_path):
    found = made(tmp_path, CONFIG)
    assert [(one.key, one.value, one.origin, one.source) for one in found] == [
        ("recipe.query_size", "10", "P", "Tab. 1"),
        ("recipe.epochs", "4", "R", "long enough"),
        ("recipe.optimizer", "Adam(lr 0.001)", "C", "some/code"),
        ("recipe.schedule", "null", "D", "from A.1"),
        ("precision", "32-true", "P", "Sec. 2"),
    ]
    assert {one.file for one in found} == {"recipe/made.yaml"}


def test_a_value_that_is_not_the_files_is_said_to_be_overridden(tmp_path):
    found = {one.key: one for one in made(tmp_path, {"recipe": {**CONFIG["recipe"], "epochs": 2}})}
    assert (found["recipe.epochs"].origin, found["recipe.epochs"].value) == ("O", "2")
    assert "the file says 4 now" in found["recipe.epochs"].source
    assert found["recipe.query_size"].origin == "P"


@pytest.mark.parametrize(
    ("learner", "asked"),
    [("playing", ["query_size"]), ("somebodys_own", ["query_size", "epochs", "optimizer", "schedule"])],
)
def test_of_a_recipe_counts_what_a_part_of_the_run_refers_to(tmp_path, learner, asked):
    """A learner that plays so many iterations has no use for epochs; what one of one's own refers to is elsewhere."""
    assert [one.key for one in made(tmp_path, CONFIG, learner)] == [f"recipe.{key}" for key in asked] + ["precision"]


def test_a_pair_counts_where_its_node_is_used_and_a_scale_may_cut_it(tmp_path):
    pair = {"pair/gan@gan": "wgan/made"}
    found = made(tmp_path, {**CONFIG, "gan": GAN, "used": True}, **pair)
    assert [(one.key, one.value, one.origin) for one in found[5:]] == [
        ("gan.generator.channels", "[64, 32]", "P"),
        ("gan.iterations", "3", "P"),
    ]
    assert len(made(tmp_path, {**CONFIG, "gan": GAN}, **pair)) == 5


def test_the_real_recipe_is_read_and_names_its_users(tmp_path):
    for strategy in ("entropy", "random"):
        made_run(tmp_path, strategy, 0)
    (section,) = sections(stored(tmp_path, tmp_path / "cells").runs)
    found = {one.key: one for one in ledger(section.groups, CONF)}
    assert found["recipe.query_size"].file == "recipe/digits.yaml"
    assert found["recipe.query_size"].used_by == ("entropy", "random")
