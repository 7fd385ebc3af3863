"""A cycle goes on from the model before it only where that is of the same classes."""

import pytest
import torch
from composing import part

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery


@pytest.mark.parametrize(
    "choices",
    [
        ("learner=mal", "learner.carry_over=true", "++learner.epochs=1"),
        ("learner=acgan", "gan=ac_dcgan", "learner.warm_start=true", "++learner.iterations=1"),
    ],
)
def test_a_class_that_was_added_begins_the_weights_anew(choices, caplog):
    learner = part("learner", "dataset=digits", *choices, "scale=smoke")
    images = torch.randint(0, 255, (40, 1, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)

    def pool(num_classes: int) -> Pool:
        given = torch.arange(30)
        return Pool.unlabeled_from(images, num_classes).with_labels(PoolQuery(given), given % num_classes)

    model = learner.fit(pool(2), None, 0)
    assert learner.fit(pool(2), model, 1) is not None and "new weights" not in caplog.text
    more = learner.fit(pool(3), model, 1)
    anew = learner.fit(pool(3), None, 1)
    assert "new weights" in caplog.text
    assert all(torch.equal(one, anew.state_dict()[name]) for name, one in more.state_dict().items())
