import math

import pytest
import torch

from al_bench.active import scores
from al_bench.active.pool import Pool
from al_bench.errors import UserError

SURE = torch.tensor([[50.0, 0.0, 0.0]])
EVEN = torch.zeros(1, 3)


def logits_of(*probs):
    return torch.tensor(probs).log()[None]


def test_entropy_of_a_uniform_prediction_is_log_k():
    assert scores.entropy(EVEN).item() == pytest.approx(math.log(3))
    assert scores.entropy(torch.zeros(1, 2)).item() == pytest.approx(math.log(2))
    assert scores.entropy(SURE).item() == pytest.approx(0, abs=1e-6)


def test_entropy_of_a_known_distribution():
    expected = -(0.5 * math.log(0.5) + 0.25 * math.log(0.25) * 2)
    assert scores.entropy(logits_of(0.5, 0.25, 0.25)).item() == pytest.approx(expected)


def test_least_confidence_and_margin():
    assert scores.least_confidence(logits_of(0.5, 0.3, 0.2)).item() == pytest.approx(0.5)
    assert scores.margin(logits_of(0.5, 0.3, 0.2)).item() == pytest.approx(0.8)
    assert scores.margin(logits_of(0.4, 0.4, 0.2)).item() == pytest.approx(1)


@pytest.mark.parametrize("score", [scores.entropy, scores.least_confidence, scores.margin])
def test_the_uncertain_score_higher(score):
    """[.4, .6] is more uncertain than [.3, .7]."""
    assert score(logits_of(0.4, 0.6)) > score(logits_of(0.3, 0.7))


UNCERTAINTIES = [scores.entropy, scores.least_confidence, scores.margin]


def sure(first, last):
    """(201, 4) logits, ever surer of class 2, whose gap to the next goes from `first` to `last`."""
    gaps = torch.linspace(first, last, 201)
    return torch.stack([-gaps - 3, -gaps, torch.zeros(201), -gaps - 1], dim=1) + 5


@pytest.mark.parametrize("score", UNCERTAINTIES)
@pytest.mark.parametrize("place", [(), (2, 3)])
def test_the_sure_are_told_apart_where_the_largest_probability_rounds_to_one(score, place):
    logits = sure(20, 60)
    assert (logits.softmax(1)[:, 2] == 1).all()
    found = score(logits.reshape(201, 4, *(1 for _ in place)).expand(201, 4, *place))
    assert (found.diff() < 0).all(), "all distinct, and the surer the lower"


@pytest.mark.parametrize("score", UNCERTAINTIES)
@pytest.mark.parametrize("scale", [0.1, 1, 8, 30])
def test_uncertainties_agree_with_plain_ones_of_twice_the_digits(score, scale):
    logits = scale * torch.randn(300, 5, generator=torch.Generator().manual_seed(0))
    probs = logits.double().softmax(1)
    top = probs.topk(2, dim=1).values
    plain = {
        scores.entropy: -torch.special.xlogy(probs, probs).sum(1),
        scores.least_confidence: 1 - top[:, 0],
        scores.margin: 1 - top[:, 0] + top[:, 1],
    }
    torch.testing.assert_close(score(logits).double(), plain[score], atol=1e-14, rtol=2e-6)


def test_the_gradient_of_entropy_is_its_own():
    logits = 4 * torch.randn(6, 3, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    assert torch.autograd.gradcheck(scores.entropy, logits.requires_grad_())


CERTAINTIES = {
    scores.most_confidence: scores.least_confidence,
    scores.large_margin: scores.margin,
    scores.least_entropy: scores.entropy,
}


@pytest.mark.parametrize("score", CERTAINTIES)
@pytest.mark.parametrize("last", [60, 5000])
def test_the_certain_are_told_apart_at_any_gap(score, last):
    logits = sure(20, last)
    assert (score(logits).diff() > 0).all(), "all distinct, and the surer the higher"
    assert (score(logits[..., None, None].expand(201, 4, 2, 3)).diff() > 0).all()


@pytest.mark.parametrize(("certain", "uncertain"), CERTAINTIES.items())
@pytest.mark.parametrize("shape", [(200, 5), (40, 3, 4, 6), (200, 2)])
@pytest.mark.parametrize("scale", [0.3, 3, 20])
def test_certainty_is_the_reverse_of_uncertainty(certain, uncertain, shape, scale):
    logits = scale * torch.randn(shape, generator=torch.Generator().manual_seed(1)).double()
    doubts = uncertain(logits)
    assert len(doubts.unique()) == len(doubts), "no ties"
    assert torch.equal(certain(logits).argsort(descending=True), doubts.argsort())
    torch.testing.assert_close(certain(logits), -doubts.log())


def test_certainty_of_a_known_distribution():
    """ALCG Eqs. 6 to 8."""
    logits = logits_of(0.7, 0.2, 0.1)
    assert scores.most_confidence(logits).item() == pytest.approx(-math.log(0.3))
    assert scores.large_margin(logits).item() == pytest.approx(-math.log(0.5))
    entropy = -sum(p * math.log(p) for p in (0.7, 0.2, 0.1))
    assert scores.least_entropy(logits).item() == pytest.approx(-math.log(entropy))


@pytest.mark.parametrize("score", CERTAINTIES)
def test_certainty_is_lowest_where_all_classes_are_equal(score):
    lowest = {scores.most_confidence: 2 / 3, scores.large_margin: 1, scores.least_entropy: math.log(3)}[score]
    assert score(EVEN).item() == pytest.approx(-math.log(lowest), abs=1e-6)


@pytest.mark.parametrize("score", [*UNCERTAINTIES, *CERTAINTIES])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_stays_none(score, value):
    assert score(torch.tensor([[value, 0.0, 1.0]])).isnan().all()


def test_boundary_distance_of_a_linear_model():
    weight, bias, x = torch.randn(2, 5), torch.randn(2), torch.randn(7, 5)
    distance = (x @ (weight[1] - weight[0]) + bias[1] - bias[0]).abs()
    assert torch.allclose(scores.boundary_distance(x @ weight.T + bias), distance, atol=1e-5)


def test_closeness_is_highest_on_the_boundary():
    logits = torch.tensor([[0.0, 0.0, -5.0], [1.0, 3.0, 2.5], [-4.0, 4.0, 0.0]])
    assert scores.boundary_closeness(logits).tolist() == [0.0, -0.5, -4.0]


def test_an_underflowing_probability_stays_finite():
    extreme = torch.tensor([[2000.0, 0.0, -2000.0]])
    for score in (scores.entropy, scores.least_confidence, scores.margin, scores.boundary_distance):
        assert score(extreme).isfinite().all()
    assert scores.mutual_information(extreme[None]).isfinite().all()


def test_bald_is_zero_where_all_passes_agree_however_uncertain():
    agreeing = EVEN.expand(10, 1, 3)
    assert scores.mutual_information(agreeing).item() == pytest.approx(0, abs=1e-6)
    assert scores.mean_entropy(agreeing).item() == pytest.approx(math.log(3))


def test_bald_is_log_2_where_two_sure_passes_disagree():
    passes = torch.stack([torch.tensor([[80.0, 0.0]]), torch.tensor([[0.0, 80.0]])])
    assert scores.mutual_information(passes).item() == pytest.approx(math.log(2), rel=1e-5)


def test_information_of_certain_inputs_is_not_lost() -> None:
    """In float32 it was a difference of entropies near 0: negative here and there, and wrong by a quarter."""
    logits = torch.randn(20, 3000, 4, generator=torch.Generator().manual_seed(0))
    logits[..., 0] += 15
    exact = logits.double().softmax(2)
    mean = exact.mean(0)
    expected = (exact * exact.log()).sum(2).mean(0) - (mean * mean.log()).sum(1)
    found = scores.mutual_information(logits)
    assert found.dtype == torch.float32 and found.min() >= 0
    assert torch.allclose(found.double(), expected, rtol=1e-4, atol=0)
    assert torch.allclose(scores.mean_entropy(logits).double(), -(mean * mean.log()).sum(1), rtol=1e-5, atol=0)


def test_bald_against_a_plain_loop():
    passes = torch.randn(5, 4, 3)
    for row in range(4):
        probs = [passes[t, row].softmax(0) for t in range(5)]
        mean = sum(probs) / 5
        entropy = -(mean * mean.log()).sum()
        expected = sum(-(p * p.log()).sum() for p in probs) / 5
        assert scores.mutual_information(passes)[row].item() == pytest.approx((entropy - expected).item(), abs=1e-5)


def test_a_map_scores_the_mean_of_its_pixels():
    logits = torch.randn(2, 3, 4, 5)
    pixels = torch.stack([scores.entropy(logits[:, :, i, j]) for i in range(4) for j in range(5)])
    assert torch.allclose(scores.entropy(logits), pixels.mean(0), atol=1e-6)
    assert scores.mutual_information(logits.expand(3, 2, 3, 4, 5)).shape == (2,)


def test_waals_bounds_of_a_known_distribution():
    logits = torch.tensor([[0.2, 0.3, 0.5]]).log() + 7  # a constant changes no probability
    logs = [math.log(p) for p in (0.2, 0.3, 0.5)]
    assert float(scores.single_worst(logits)) == pytest.approx(logs[0], abs=1e-5)
    assert float(scores.uniformity(logits)) == pytest.approx(sum(logs), abs=1e-5)
    assert float(scores.log_norm(logits)) == pytest.approx(-math.sqrt(sum(log**2 for log in logs)), abs=1e-5)


@pytest.mark.parametrize(("score", "highest"), [("single_worst", -1), ("uniformity", -4), ("log_norm", -2)])
def test_waals_bounds_are_highest_where_all_classes_are_equal(score, highest):
    """WAAL App. F: the uniform answer is the least of Eq. 11; K = 4."""
    uniform, other = torch.zeros(1, 4), torch.tensor([[0.1, 0, 0, 0]])
    assert float(getattr(scores, score)(uniform)) == pytest.approx(highest * math.log(4), abs=1e-5)
    assert float(getattr(scores, score)(other)) < float(getattr(scores, score)(uniform))


@pytest.mark.parametrize("score", [scores.mutual_information, scores.mean_entropy])
def test_passes_over_maps_score_the_mean_of_their_pixels(score):
    passes = 3 * torch.randn(6, 2, 3, 4, 5)
    pixels = torch.stack([score(passes[..., i, j]) for i in range(4) for j in range(5)])
    assert torch.allclose(score(passes), pixels.mean(0), atol=1e-6)


def pool_of(num_classes, map_shape=()):
    return Pool.unlabeled_from(torch.empty(0, 4), num_classes, map_shape)


@pytest.mark.parametrize("pool", [pool_of(2), pool_of(10), pool_of(3, (5, 5))])
@pytest.mark.parametrize("score", [*UNCERTAINTIES, scores.most_confidence, scores.boundary_closeness])
def test_a_score_of_a_single_pass_is_taken_for_that_alone(score, pool):
    scores.refuse_no_score(score, pool)
    with pytest.raises(UserError, match="makes no score of the logits of several dropout passes: use one that does"):
        scores.refuse_no_score(score, pool, of_passes=True)


@pytest.mark.parametrize("score", [scores.mean_entropy, scores.mutual_information])
def test_a_score_of_passes_is_taken_for_that_alone(score):
    scores.refuse_no_score(score, pool_of(10), of_passes=True)
    with pytest.raises(UserError, match=rf"^al_bench.active.scores.{score.__name__} makes no score of the logits of a"):
        scores.refuse_no_score(score, pool_of(10))


def test_a_score_of_ones_own_is_tried_on_the_pools_own_classes():
    def five_likeliest(logits):
        return -logits.softmax(1).topk(5).values.sum(1)

    scores.refuse_no_score(five_likeliest, pool_of(10))
    with pytest.raises(UserError, match="makes no score"):
        scores.refuse_no_score(five_likeliest, pool_of(4))


def test_what_is_no_score_at_all_is_refused():
    wrong = (
        lambda logits: logits,
        lambda logits: 1.0,
        torch.Tensor.sum,
        lambda logits: logits.sum(1) * 1j,
        lambda logits: logits.sum(1) / 0,
        lambda logits: {}["absent"],
    )
    for nothing in wrong:
        with pytest.raises(UserError, match=r"use one that does, such as al_bench\.active\.scores\.entropy$"):
            scores.refuse_no_score(nothing, pool_of(10))
    with pytest.raises(
        UserError, match=r"makes no score of the logits of a single pass \(KeyError: 'absent'\): use one"
    ):
        scores.refuse_no_score(wrong[-1], pool_of(10))
