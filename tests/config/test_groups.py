"""What a part is called in a sentence: by what it was chosen by."""

import pytest
from composing import compose, members
from omegaconf import OmegaConf

from al_bench.config.groups import name_chosen
from al_bench.config.validation import load_target


def of_class(path: str) -> object:
    """Something of a class, which nothing was given."""
    kind = load_target("_target_", path)
    assert isinstance(kind, type)
    return kind.__new__(kind)


@pytest.mark.parametrize("group", ["learner", "oracle", "evaluator", "representation"])
def test_every_choice_is_among_the_names_of_what_it_makes(group: str) -> None:
    for choice in members(group):
        name = name_chosen(of_class(OmegaConf.select(compose(f"{group}={choice}"), f"{group}._target_")))
        family, _, choices = name.partition("=")
        assert family == group and choice in choices.split(" or "), name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("strategy.dropout.Dropout", "strategy=bald or mc_entropy"),
        ("strategy.mal.Mal", "strategy=mal"),
        ("strategy.random.Random", "strategy=full or random"),
        ("strategy.asal.Asal",
         "strategy=asal_auto or asal_cls or asal_disc or asal_generate or asal_neighbors or asal_pixel"),
        ("network.drn.Drn", "network=drn"),
        ("network.conv_small.ConvSmall", "network=conv_small or conv_small_strided"),
        ("network.class_conditional.ClassConditionalGan", "ClassConditionalGan"),
        ("active.pool.Pool", "Pool"),
    ],
)  # fmt: skip
def test_a_part_is_called_by_its_choices_or_else_by_its_class(path: str, name: str) -> None:
    assert name_chosen(of_class(f"al_bench.{path}")) == name


def test_what_is_of_another_package_is_called_by_its_class() -> None:
    assert name_chosen([]) == "list"
