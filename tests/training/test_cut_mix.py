import pytest
import torch
from torch import Tensor
from torch.nn import functional

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.network.linear import Linear
from al_bench.training.classification import Classification
from al_bench.training.cut_mix import CutMix

COUNT, SIDE = 6, 10


def plain() -> Tensor:
    """Each image has its own place in the batch for every value."""
    return torch.arange(COUNT).float()[:, None, None, None].expand(COUNT, 2, SIDE, SIDE)


def test_a_rectangle_comes_from_the_partner_and_the_share_is_what_is_left() -> None:
    shares = []
    with seeding.fork(0):
        for _ in range(200):
            mixed, partners, own = CutMix(1.0)(plain())
            assert sorted(partners.tolist()) == list(range(COUNT))
            for image, row, partner in zip(mixed, range(COUNT), partners.tolist(), strict=True):
                taken = image != row
                assert (image[taken] == partner).all() and torch.equal(taken[0], taken[1])
                if partner != row:
                    assert taken[0].sum().item() == pytest.approx((1 - own) * SIDE * SIDE)
                    rows, columns = taken[0].any(1).sum(), taken[0].any(0).sum()
                    assert taken[0].sum() == rows * columns
            shares.append(own)
    assert sum(shares) / 200 == pytest.approx(0.55, abs=0.06), "half, and what is rounded up"


def test_as_many_batches_are_mixed_as_asked_for() -> None:
    images = plain()
    with seeding.fork(0):
        found = [CutMix(0.25)(images)[0] is not images for _ in range(400)]
    assert 70 < sum(found) < 130


def test_the_loss_is_that_of_both_labels_by_their_shares() -> None:
    """Weights of 0 but for biases, so that logits are known whatever is in the images."""
    network = Linear((2, SIDE, SIDE), 3)
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.copy_(torch.tensor([0.0, 1.0, 3.0]))
    module = Classification(network, functional.cross_entropy, lambda parameters: None, None, CutMix(1.0))
    module.update = lambda optimizer, loss: None  # type: ignore[method-assign]
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    with seeding.fork(5):
        _, partners, own = CutMix(1.0)(plain())
    with seeding.fork(5):
        found = module.step((plain(), labels), [None])["cross_entropy"]
    each = -torch.tensor([0.0, 1.0, 3.0]).log_softmax(0)
    expected = own * each[labels].mean() + (1 - own) * each[labels[partners]].mean()
    assert float(found) == pytest.approx(float(expected), abs=1e-6)


def test_features_are_refused() -> None:
    with pytest.raises(UserError, match=r"needs images .*use learner\.mixing=null"):
        CutMix(1.0)(torch.zeros(3, 5))
