import numpy as np
import pytest
import torch
from peer_classifier import PeerClassifier
from skactiveml.pool import Badge as Peer
from torch import Tensor, nn

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.strategy.badge import Badge, OuterProducts, draw_apart, loss_gradients

CLASSES = 4


def made_network(width: int) -> Network:
    """Drawn weights on inputs that are embedded as they are."""
    network = Network(nn.Identity(), nn.Identity(), nn.Linear(width, CLASSES))
    rng = generator(5)
    with torch.no_grad():
        network.head.weight.copy_(torch.randn(CLASSES, width, generator=rng))  # type: ignore[union-attr, arg-type]
    return network


def factors(count: int, width: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    """Gradients by the logits and embeddings in float32."""
    embedded = torch.randn(count, width, generator=generator(seed)) + 1
    with torch.no_grad():
        return loss_gradients(made_network(width)(embedded)), embedded


def materialized(left: Tensor, right: Tensor) -> Tensor:
    """(U, K D) in float64."""
    return (left.double()[:, :, None] * right.double()[:, None]).flatten(1)


def straight(points: Tensor, size: int, rng: torch.Generator, waiting: int) -> list[int]:
    """The same draws with the (U, K D) gradients, all distances anew for each of them."""
    torch.randperm(len(points), generator=rng)  # the order of those that are equally long
    picks = [int(points.norm(dim=1).argmax())]
    while len(picks) < size:
        weights = apart(points, picks)
        most = min(waiting, size - len(picks))
        for place, kept in torch.rand(most, 2, generator=rng, dtype=torch.float64).tolist():
            row = int((weights.cumsum(0) > place * weights.sum()).nonzero()[0])
            if kept < apart(points, picks)[row] / weights[row]:
                picks.append(row)
    return picks


def apart(points: Tensor, picks: list[int]) -> Tensor:
    return (points[:, None] - points[picks][None]).square().sum(2).amin(1)


def test_picks_are_those_of_gradients_that_are_made_whole() -> None:
    left, right = factors(500, 16)
    for seed in range(5):
        found = draw_apart(OuterProducts(left, right), 80, generator(seed), "largest").tolist()
        assert found == straight(materialized(left, right), 80, generator(seed), waiting=32)
        assert len(set(found)) == 80


def test_chunks_and_pairs_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    points = OuterProducts(*factors(300, 8))
    whole = draw_apart(points, 50, generator(0), "largest")
    monkeypatch.setattr("al_bench.strategy.badge._CHUNK", 7)
    monkeypatch.setattr("al_bench.strategy.badge._PAIRS", 3)
    assert torch.equal(whole, draw_apart(points, 50, generator(0), "largest"))


@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_distances_of_near_gradients_are_those_of_their_differences(shift: float) -> None:
    """A hundredth of a thousandth apart, around embeddings of any length, whose products in float32 tell nothing."""
    left, right = factors(40, 6)
    right = right + shift
    noise = torch.randn(40, 6, generator=generator(2))
    left, right = left.repeat(2, 1), torch.cat([right, right + 1e-5 * (1 + shift) * noise])
    found = OuterProducts(left, right).distances(slice(None), torch.arange(80))
    whole = materialized(left, right)
    exact = (whole[:, None] - whole[None]).square().sum(2).float()
    assert torch.allclose(found, exact, rtol=2e-2, atol=0)
    assert (found.diagonal() == 0).all()


def test_each_is_drawn_by_its_squared_distance() -> None:
    """Two picks of five gradients on a line, the first the longest: the second by the distances 1, 4, 9 and 16."""
    right = torch.tensor([[4.0], [3.0], [2.0], [1.0], [0.0]])
    points = OuterProducts(torch.ones(5, 1), right)
    second = [int(draw_apart(points, 2, generator(seed), "largest")[1]) for seed in range(1200)]
    shares = np.bincount(second, minlength=5) / 1200
    assert shares == pytest.approx(np.array([0, 1, 4, 9, 16]) / 30, abs=0.06), "four standard errors"


def test_later_draws_of_a_block_are_by_the_distances_to_those_before() -> None:
    """The third pick, which is drawn by the distances to the first and kept by those to both, and the same drawn by
    those to both at once."""
    right = torch.tensor([[5.0], [3.0], [2.0], [1.0], [0.0]])
    found = [draw_apart(OuterProducts(torch.ones(5, 1), right), 3, generator(seed), "largest") for seed in range(1200)]
    pairs = np.bincount([int(5 * picks[1] + picks[2]) for picks in found], minlength=25).reshape(5, 5) / 1200
    points = right.double()
    expected = np.zeros((5, 5))
    for second in range(1, 5):
        first = apart(points, [0])
        after = apart(points, [0, second])
        expected[second] = first[second] / first.sum() * after / after.sum()
    assert pairs == pytest.approx(expected, abs=0.06)


def test_what_is_left_when_all_are_copies_is_drawn_evenly() -> None:
    left, right = factors(3, 4)
    counts = torch.zeros(12)
    for seed in range(200):
        picks = draw_apart(OuterProducts(left.repeat(4, 1), right.repeat(4, 1)), 6, generator(seed), "largest")
        assert len(picks.unique()) == 6
        assert sorted((picks[:3] % 3).tolist()) == [0, 1, 2], "one of each, first of all"
        counts[picks] += 1
    assert (counts.view(4, 3).sum(1) / 1200 - 0.25).abs().max() < 4 * (0.1875 / 1200) ** 0.5


def test_the_first_is_the_longest_or_any() -> None:
    left, right = factors(50, 4)
    points = OuterProducts(left, right)
    longest = int(materialized(left, right).norm(dim=1).argmax())
    assert {int(draw_apart(points, 1, generator(seed), "largest")) for seed in range(9)} == {longest}
    assert len({int(draw_apart(points, 1, generator(seed), "drawn")) for seed in range(60)}) > 20


def test_the_gradients_are_those_of_the_loss() -> None:
    """Of the last layer's weights, by autograd, with the model's own guesses as labels."""
    network, embedded = made_network(3), torch.randn(5, 3, generator=generator(2))
    left = loss_gradients(network(embedded)).detach()
    for row in range(5):
        logits = network(embedded[row : row + 1])
        loss = nn.functional.cross_entropy(logits, logits.argmax(1))
        (expected,) = torch.autograd.grad(loss, network.head.weight)  # type: ignore[arg-type]
        assert torch.allclose(left[row, :, None] * embedded[row], expected, atol=1e-6)


def test_gradients_of_a_sure_model_stay_apart() -> None:
    gradients = loss_gradients(torch.tensor([[40.0, 0.0, 0.0], [50.0, 0.0, 0.0]]))
    assert 0 < -gradients[1, 0] < -gradients[0, 0]
    assert loss_gradients(torch.randn(2, 3, 4, 4)).shape == (2, 3)


def test_refuses_gradients_that_are_not_finite() -> None:
    with pytest.raises(FloatingPointError, match="not finite"):
        draw_apart(OuterProducts(torch.ones(2, 1), torch.tensor([[0.0], [torch.nan]])), 1, generator(0), "largest")


def test_draws_as_scikit_activeml_does() -> None:
    """The first pick, and before each other the probabilities of all images: those of our distances to the peer's
    picks so far and to the origin, which the peer counts as a pick and neither k-means++ nor the authors' code does.
    Which images are drawn by them is each one's own."""
    network, width = made_network(6), 6
    inputs = torch.randn(60, width, generator=generator(3))
    pool = Pool.unlabeled_from(inputs, CLASSES).with_labels(PoolQuery(torch.arange(5)), torch.arange(5) % CLASSES)
    labels = np.full(60, np.nan)
    labels[:5] = np.arange(5) % CLASSES
    peer = PeerClassifier(network, classes=list(range(CLASSES)))
    theirs, chances = Peer(random_state=0).query(
        inputs.numpy(), labels, peer, fit_clf=False, batch_size=12, return_utilities=True
    )
    ours = Badge(first="largest").query(network, pool, 12, generator(0)).indices
    assert int(ours[0]) == theirs[0]
    with torch.no_grad():
        points = OuterProducts(loss_gradients(network(inputs[5:])), inputs[5:])
    for number in range(1, 12):
        before = torch.tensor(theirs[:number]) - 5
        nearest = torch.minimum(points.squares, points.distances(slice(None), before).amin(1)).numpy()
        expected = np.nan_to_num(chances[number][5:])
        assert nearest / nearest.sum() == pytest.approx(expected, abs=1e-6)
