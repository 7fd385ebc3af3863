"""A training set is read by index, as its copy would be."""

import torch
from torch import Tensor

from al_bench.active.inputs import fingerprint, read_all
from al_bench.active.pool import UNKNOWN, Pool
from al_bench.active.query import PoolQuery, SyntheticQuery
from al_bench.active.view import InputsView
from al_bench.seeding import generator


def made_pool(synthetic: bool) -> Pool:
    """Two of five annotations unknown, and of four synthetic inputs another."""
    images = torch.randint(256, (9, 1, 2, 2), generator=generator(0)).to(torch.uint8)
    made = torch.randint(256, (2, 2, 1, 2, 2), generator=generator(1)).to(torch.uint8)
    pool = Pool.unlabeled_from(images, 3)
    pool = pool.with_labels(PoolQuery(torch.tensor([7, 2, 5])), torch.tensor([1, UNKNOWN, 0]))
    if synthetic:
        pool = pool.with_labels(SyntheticQuery(made), torch.tensor([[1, UNKNOWN], [2, 0]]))
    return pool.with_labels(PoolQuery(torch.tensor([0, 8])), torch.tensor([UNKNOWN, 2]))


def copied(pool: Pool) -> Tensor:
    """The slow way: what a learner reads as a list, written down."""
    told = [pool.inputs[int(place)] for place, label in zip(pool.labeled, pool.labels, strict=True) if label >= 0]
    made = zip(pool.synthetic, pool.synthetic_labels, strict=True)
    return torch.stack(told + [row for row, label in made if label >= 0])


def test_reads_the_rows_of_the_copy_in_any_order() -> None:
    for synthetic in (False, True):
        view, labels = made_pool(synthetic).training_set()
        whole = copied(made_pool(synthetic))
        assert isinstance(view, InputsView)
        assert (view.shape, view.dtype, view.device) == (whole.shape, whole.dtype, whole.device)
        assert len(view) == len(labels) == len(whole) == (6 if synthetic else 3)
        backwards = torch.arange(len(whole)).flip(0)
        for indices in (backwards, backwards[:2], torch.tensor([1, 1]), torch.tensor([], dtype=torch.int64)):
            assert torch.equal(view[indices], whole[indices])
        assert torch.equal(read_all(view.to(torch.device("cpu"))), whole)
        assert fingerprint(view) == fingerprint(whole)


def test_makes_no_copy_of_what_it_shows() -> None:
    pool = made_pool(True)
    view, _ = pool.training_set()
    assert view.inputs is pool.inputs
    assert view.synthetic is pool.synthetic
