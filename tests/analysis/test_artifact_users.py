"""Which run an artifact belongs to is read off its record alone."""

import pytest
from composing import compose as composed
from composing import part

from al_bench.active.part import describe
from al_bench.analysis.artifact_users import describes
from al_bench.config.values import plain

NODES = [
    ("gan", ("dataset=digits",)),
    ("gan", ("dataset=mnist_two", "gan=dcgan")),
    ("feature", ("dataset=digits",)),
    ("feature", ("dataset=mnist",)),
]


@pytest.mark.parametrize(("node", "overrides"), NODES)
def test_a_node_fits_what_was_made_of_it_and_no_other(node, overrides):
    spec = describe(part(node, *overrides))
    for other_node, other in NODES:
        same = (node, overrides) == (other_node, other)
        assert describes(plain(composed(*other)[other_node]), spec) == same


def test_one_changed_number_is_another_artifact():
    spec = describe(part("gan", "dataset=digits"))
    assert not describes(plain(composed("dataset=digits", "gan.iterations=7").gan), spec)
    assert not describes(plain(composed("dataset=digits", "gan.generator.channels=[8,8]").gan), spec)
