import pytest
import torch
from composing import part

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.network.small_fcn import SmallFcn


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 9, 13)])
def test_labels_every_pixel_and_embeds_the_image(shape: tuple[int, int, int]) -> None:
    network = SmallFcn(shape, 4, width=8, dropout=0.2).eval()
    images = torch.rand(2, *shape)
    assert network(images).shape == (2, 4, *shape[1:])
    assert network.embed(images).shape == (2, 8)
    assert torch.allclose(network.embed(images), network.neck(network.features(images)).mean((2, 3)), atol=1e-6)


def test_a_pixel_sees_its_surroundings_and_no_more() -> None:
    with seeding.fork(0):
        network = SmallFcn((1, 64, 64), 2, width=16, dropout=0.0).eval()
    images = torch.rand(1, 1, 64, 64, requires_grad=True)
    network(images)[0, 0, 32, 32].backward()
    assert images.grad is not None
    rows = images.grad[0, 0].abs().sum(1).nonzero().flatten()
    assert 23 <= rows.max() - rows.min() + 1 <= 33


def test_refuses_features() -> None:
    with pytest.raises(UserError, match=r"\(64,\).*representation=none"):
        SmallFcn((64,), 4, width=8, dropout=0.2)


@pytest.mark.slow
def test_learns_shapes_from_fifty_maps() -> None:
    """0.73 when this was written; a network that calls everything background has a mean IoU of 0.2."""
    dataset: Dataset = part("dataset", "dataset=shapes_seg")
    pool = Pool.unlabeled_from(dataset.train.images, dataset.num_classes, dataset.map_shape)
    pool = pool.with_labels(PoolQuery(torch.arange(50)), dataset.train.labels[:50])
    model = part("learner", "dataset=shapes_seg").fit(pool, None, seed=0)
    assert part("evaluator", "dataset=shapes_seg").evaluate(model, dataset).metrics["mean_iou"] > 0.6
