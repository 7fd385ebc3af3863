from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from skactiveml.pool._bald import batch_bald
from torch import Tensor, nn

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.strategy.batchbald import BatchBald, most_informative
from benchmarks.memory import resident


def drawn(passes: int, images: int, classes: int, seed: int) -> Tensor:
    """(T, U, K) probabilities that differ from draw to draw of the weights more for one image than for another."""
    rng = generator(seed)
    steady = torch.randn(1, images, classes, generator=rng)
    return (
        (steady + 2 * torch.rand(images, 1, generator=rng) * torch.randn(passes, images, classes, generator=rng))
        .double()
        .softmax(2)
    )


def information(probabilities: Tensor, picks: list[int]) -> float:
    """Of all labels of the picks and the weights, by every labeling: their entropy less that at known weights."""
    joint = 0.0
    for labels in product(range(probabilities.shape[2]), repeat=len(picks)):
        chance = float(probabilities.double()[:, picks, list(labels)].prod(1).mean())
        joint -= chance * np.log(chance)
    known = -(probabilities.double()[:, picks] * probabilities.double()[:, picks].log()).sum((1, 2)).mean()
    return joint - float(known)


@pytest.mark.parametrize("seed", range(3))
def test_every_labeling_counts_while_there_are_few(seed: int) -> None:
    """The greedy choice by the definition, and what each pick adds."""
    probabilities = drawn(7, 12, 3, seed)
    picks, gains = most_informative(probabilities, 5, 3**4, generator(0))
    chosen: list[int] = []
    for pick in picks.tolist():
        rest = [image for image in range(12) if image not in chosen]
        assert pick == max(rest, key=lambda image: information(probabilities, [*chosen, image]))
        chosen.append(pick)
    assert float(gains.sum()) == pytest.approx(information(probabilities, chosen), abs=1e-5)
    assert gains.tolist() == sorted(gains.tolist(), reverse=True), "what is known already tells less"


@pytest.mark.parametrize("seed", range(3))
def test_picks_those_of_scikit_activeml_on_the_same_probabilities(seed: int) -> None:
    """Six of 200 images in order, every labeling counted on both sides, and what the first ones tell together; by the
    function behind its BatchBALD."""
    probabilities = drawn(10, 200, 3, seed)
    picks, gains = most_informative(probabilities, 6, 3**5, generator(0))
    utilities = batch_bald(probabilities.double().numpy(), 6, n_MC_samples=3**5, random_state=0)
    assert picks.tolist() == np.nanargmax(utilities, axis=1).tolist()
    assert gains.cumsum(0).tolist() == pytest.approx(np.nanmax(utilities, axis=1), abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_a_sample_of_labelings_gives_what_all_of_them_give(seed: int) -> None:
    """Of four images of twelve classes all 20,736, or 20,000 that are drawn; scikit-activeml draws its own."""
    probabilities = drawn(10, 12, 12, seed)
    exact, gains = most_informative(probabilities, 5, 12**4, generator(0))
    found, sampled = most_informative(probabilities, 5, 20_000, generator(seed))
    assert found[:4].tolist() == exact[:4].tolist()
    assert sampled[:4].tolist() == pytest.approx(gains[:4].tolist(), abs=1e-5)
    assert float(sampled[4]) == pytest.approx(float(gains[4]), abs=0.01)
    assert float(sampled[4]) != float(gains[4])
    peer = batch_bald(probabilities.double().numpy(), 5, n_MC_samples=20_000, random_state=seed)
    assert float(sampled.sum()) == pytest.approx(np.nanmax(peer[4]), abs=0.03)


def test_labels_of_many_images_tell_no_more_than_which_draw_it_is() -> None:
    """Forty images whose labelings have probabilities below the least number in float32."""
    probabilities = drawn(8, 60, 10, 0)
    picks, gains = most_informative(probabilities, 60, 400, generator(0))
    assert sorted(picks.tolist()) == list(range(60))
    assert gains.isfinite().all()
    assert float(gains.sum()) == pytest.approx(np.log(8), abs=0.1)


def test_in_chunks_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = most_informative(drawn(5, 50, 4, 0), 6, 16, generator(0))
    monkeypatch.setattr("al_bench.strategy.batchbald._CHUNK", 7 * 16 * 4)
    parts = most_informative(drawn(5, 50, 4, 0), 6, 16, generator(0))
    assert torch.equal(whole[0], parts[0])
    assert torch.allclose(whole[1], parts[1], atol=1e-6)


class Model(Network):
    """Logits (steady + s shaken_1 + t shaken_2, 0), where s and t are 1 or -1 for a whole batch at once."""

    def __init__(self) -> None:
        super().__init__(nn.Identity(), nn.Identity(), nn.Linear(2, 2))
        self.dropout = nn.Dropout(0.5)

    def forward(self, inputs: Tensor) -> Tensor:
        steady, first, second = inputs.unbind(1)
        signs = self.dropout(torch.ones(2)) - 1  # dropped 0, kept 2
        return torch.stack([steady + first * signs[0] + second * signs[1], torch.zeros_like(steady)], 1)


def test_asks_for_another_question_rather_than_for_a_copy_of_the_best() -> None:
    """Images 0 to 2 hang on one draw, image 3 on another and less, image 4 on none."""
    inputs = torch.tensor([[0.0, 9.0, 0.0]] * 3 + [[0.0, 0.0, 1.5], [0.3, 0.0, 0.0], [0.0, 0.0, 0.0]])
    pool = Pool.unlabeled_from(inputs, 2).with_labels(PoolQuery(torch.tensor([5])), torch.tensor([0]))
    query = BatchBald(passes=100, num_samples=64).query(Model().eval(), pool, 5, generator(0))
    assert query.scores is not None
    assert query.indices[0] in (0, 1, 2) and query.indices[1] == 3
    assert query.scores[0] == pytest.approx(np.log(2), abs=0.02)
    assert query.scores[2:].tolist() == pytest.approx([0] * 3, abs=0.02)


def test_refuses_a_probability_that_is_no_number() -> None:
    with pytest.raises(FloatingPointError, match="NaN"):
        most_informative(torch.full((2, 3, 2), torch.nan), 1, 10, generator(0))


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="reads the peak of memory as Linux tells it")
def test_of_each_pick_a_number_is_kept() -> None:
    """Not all gains that it was the largest of: 4 MB a pick here, and at a million images holes in the heap."""
    probabilities = torch.rand(1, 500_000, 2, generator=generator(0)).double()
    most_informative(probabilities, 3, 2, generator(1))
    Path("/proc/self/clear_refs").write_text("5")  # the peak of this process is what it holds now
    before = resident("VmRSS")
    most_informative(probabilities, 100, 2, generator(1))
    assert resident("VmHWM") - before < 50 * 4e6
