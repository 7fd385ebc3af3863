import pytest
import torch

from al_bench.active.initial_labels import initial_indices
from al_bench.errors import UserError
from al_bench.seeding import generator

LABELS = torch.tensor([0] * 60 + [1] * 30 + [2] * 10)


def draw(rule, size, every_class=False, seed=0, labels=LABELS):
    return initial_indices(labels, 3, size, rule, every_class, generator(seed))


def counts(indices):
    return torch.bincount(LABELS[indices], minlength=3).tolist()


def test_balanced_has_the_same_number_of_each_class():
    assert counts(draw("balanced", 9)) == [3, 3, 3]
    assert sorted(counts(draw("balanced", 10))) == [3, 3, 4]


def test_stratified_keeps_the_class_shares():
    assert counts(draw("stratified", 20)) == [12, 6, 2]
    assert counts(draw("stratified", 7)) == [4, 2, 1]  # 4.2, 2.1, 0.7: the largest remainder takes the last one


@pytest.mark.parametrize(("rule", "asked"), [("balanced", [3, 3, 3]), ("stratified", [5, 3, 1])])
def test_of_each_class_the_first_of_one_order(rule, asked):
    rng = generator(0)
    order = torch.randperm(100, generator=rng)
    first = [order[LABELS[order] == label][:count] for label, count in enumerate(asked)]
    drawn = draw(rule, 9)
    if rule == "stratified":  # which draws nothing before
        assert torch.equal(drawn, torch.cat(first)[torch.randperm(9, generator=rng)])
    assert counts(drawn) == asked


def test_random_is_uniform():
    drawn = torch.cat([draw("random", 10, seed=seed) for seed in range(400)])
    share = torch.bincount(LABELS[drawn], minlength=3) / len(drawn)
    assert torch.allclose(share, torch.tensor([0.6, 0.3, 0.1]), atol=0.03)


def test_random_is_drawn_again_while_a_class_is_missing():
    assert any(0 in counts(draw("random", 4, seed=seed)) for seed in range(20))
    assert all(0 not in counts(draw("random", 4, every_class=True, seed=seed)) for seed in range(20))


@pytest.mark.parametrize("rule", ["random", "balanced", "stratified"])
def test_distinct_and_the_same_for_the_same_seed(rule):
    first = draw(rule, 20)
    assert len(first.unique()) == 20
    assert torch.equal(first, draw(rule, 20))
    assert not torch.equal(first, draw(rule, 20, seed=1))


def test_the_whole_split():
    assert sorted(draw("random", 1000).tolist()) == list(range(100))


@pytest.mark.parametrize(
    ("rule", "size", "every_class", "sentence"),
    [
        ("balanced", 36, False, r"asks for 12 images of class 2, which has 10"),
        ("random", 2, True, r"loop.initial_size=2 cannot hold 3 classes: use at least 3"),
    ],
)
def test_what_cannot_be_done_is_said(rule, size, every_class, sentence):
    with pytest.raises(UserError, match=sentence):
        draw(rule, size, every_class)


def test_label_maps_have_no_class_shares():
    maps = torch.zeros(5, 2, 2, dtype=torch.uint8)
    assert len(draw("random", 3, every_class=True, labels=maps)) == 3
    with pytest.raises(UserError, match="label maps"):
        draw("balanced", 3, labels=maps)
