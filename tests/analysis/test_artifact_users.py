"""Which run an artifact belongs to is read off its record alone."""

from pathlib import Path

import pytest
from composing import compose as composed
from composing import part

from al_bench.active.part import describe
from al_bench.analysis.artifact_users import find_nodes
from al_bench.analysis.reading import Run
from al_bench.config.identity import identify
from al_bench.config.values import plain

NODES = [
    ("gan", ("dataset=digits",)),
    ("gan", ("dataset=mnist_two", "gan=dcgan")),
    ("feature", ("dataset=digits",)),
    ("feature", ("dataset=mnist",)),
]


def run_of(*overrides):
    config = composed(*overrides, "strategy=asal_auto")
    return Run(Path("here"), {"identity": identify(config), "config": {"procedure": plain(config.procedure)}}, [])


@pytest.mark.parametrize(("node", "overrides"), NODES)
def test_a_node_fits_what_was_made_of_it_and_no_other(node, overrides):
    described = describe(part(node, *overrides, "strategy=asal_auto"))
    for other_node, other in NODES:
        found = list(find_nodes(run_of(*other), described))
        if (node, overrides) == (other_node, other):
            assert found == [plain(composed(*other, "strategy=asal_auto")[node])]
        elif other_node == node:
            assert not found


@pytest.mark.parametrize("other", ["gan.iterations=7", "gan.generator.channels=[8,8]"])
def test_one_changed_number_is_another_artifact(other):
    assert not list(find_nodes(run_of("dataset=digits", other), describe(part("gan", "dataset=digits"))))


def test_what_an_encoder_was_trained_against_is_no_part_of_its_node():
    cell = ("dataset=mnist_two", "strategy=adba")
    config = composed(*cell)
    run = Run(Path("here"), {"identity": identify(config), "config": {"procedure": plain(config.procedure)}}, [])
    described = describe(part("representation.encoder", *cell))
    assert len(list(find_nodes(run, {**described, "gan": describe(part("gan", *cell))}))) == 1
