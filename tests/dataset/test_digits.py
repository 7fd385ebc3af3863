import pytest
import torch
from composing import part
from hydra.errors import InstantiationException

from al_bench.errors import UserError


def test_some_digits_are_labeled_in_the_order_given():
    whole, two = part("dataset", "dataset=digits"), part("dataset", "dataset=digits", "+dataset.classes=[8,3]")
    assert two.num_classes == 2
    assert two.class_names == ("8", "3")
    for before, after in ((whole.train, two.train), (whole.test, two.test)):
        assert torch.equal(after.images[after.labels == 0], before.images[before.labels == 8])
        assert torch.equal(after.images[after.labels == 1], before.images[before.labels == 3])
        assert len(after) == int(((before.labels == 8) | (before.labels == 3)).sum())


@pytest.mark.parametrize("classes", ["[3]", "[3,3]", "[3,10]"])
def test_digits_that_cannot_be_are_refused(classes):
    with pytest.raises(InstantiationException, match=r"dataset\.classes") as failure:
        part("dataset", "dataset=digits", f"+dataset.classes={classes}")
    assert isinstance(failure.value.__cause__, UserError)


@pytest.mark.parametrize("share", [0.99999, 0.00001])
def test_a_share_that_leaves_nothing_is_refused(share):
    with pytest.raises(InstantiationException, match=f"dataset.test_share={share} leaves ") as failure:
        part("dataset", "dataset=digits", f"dataset.test_share={share}")
    assert isinstance(failure.value.__cause__, UserError)
