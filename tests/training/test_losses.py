import math

import pytest
import torch
from torch import nn

from al_bench.training import losses


def test_hinge_of_two_classes_is_that_of_a_linear_svm():
    """s = l_1 - l_0: 0 from the margin on, 1 on the boundary, 3 at two margins on the wrong side."""
    scores = torch.tensor([-3.0, -1.0, -0.25, 0.0, 0.5, 2.0])
    logits = torch.stack([7 - scores / 2, 7 + scores / 2], 1)
    ones, zeros = torch.ones(6, dtype=torch.int64), torch.zeros(6, dtype=torch.int64)
    expected = [4.0, 2.0, 1.25, 1.0, 0.5, 0.0]
    assert [losses.hinge(logits[i : i + 1], ones[i : i + 1]).item() for i in range(6)] == pytest.approx(expected)
    assert losses.hinge(logits.flip(1), zeros).item() == pytest.approx(sum(expected) / 6)
    assert torch.allclose(logits.softmax(1)[:, 1], scores.sigmoid())


def test_hinge_of_more_classes_against_plain_loops():
    logits, labels = torch.randn(5, 4), torch.tensor([0, 3, 1, 1, 2])
    rows = [
        sum(max(0.0, 1 - float(row[label] - row[other])) for other in range(4) if other != label) / 3
        for row, label in zip(logits, labels, strict=True)
    ]
    assert losses.hinge(logits, labels).item() == pytest.approx(sum(rows) / 5, rel=1e-5)


def test_hinge_of_label_maps_is_that_of_their_known_pixels():
    logits = torch.randn(1, 3, 2, 2)
    labels = torch.tensor([[[0, 255], [255, 2]]], dtype=torch.uint8)
    known = torch.stack([logits[0, :, 0, 0], logits[0, :, 1, 1]])
    assert losses.hinge(logits, labels).item() == pytest.approx(losses.hinge(known, torch.tensor([0, 2])).item())


@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.hinge])
def test_maps_without_a_known_pixel_teach_nothing(loss):
    """As where the last batch of an epoch is one picture of nothing but void."""
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    value = loss(logits, torch.full((1, 2, 2), 255, dtype=torch.uint8))
    value.backward()
    assert value.item() == 0
    assert logits.grad.tolist() == torch.zeros(1, 3, 2, 2).tolist()


def test_cross_entropy_of_label_maps_is_the_mean_over_known_pixels_to_the_last_bit():
    logits = torch.randn(2, 3, 4, 4, requires_grad=True)
    labels = torch.randint(0, 3, (2, 4, 4), dtype=torch.uint8)
    labels[0], labels[1, 0, 0] = 255, 255
    losses.cross_entropy(logits, labels).backward()
    plain = logits.detach().requires_grad_()
    nn.functional.cross_entropy(plain, labels.long(), ignore_index=255).backward()
    assert torch.equal(logits.grad, plain.grad)


def test_gradient_penalty_of_a_linear_critic():
    """|gradient| is the norm of the weights everywhere, so the penalty is (|w| - 1)^2."""
    weight = torch.tensor([3.0, 4.0])
    assert losses.gradient_penalty(lambda x: x @ weight, torch.randn(7, 2)).item() == pytest.approx(16)
    assert losses.gradient_penalty(lambda x: x @ weight, torch.randn(7, 2), target=5.0).item() == pytest.approx(0)


def test_gradient_penalty_against_a_loop_over_samples():
    critic = nn.Sequential(nn.Flatten(), nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1), nn.Flatten(0))
    points = torch.randn(5, 2, 2, 2)
    norms = []
    for row in points:
        point = row.clone().requires_grad_(True)
        critic(point[None]).backward()
        norms.append(point.grad.norm())
    expected = torch.stack(norms).sub(1).square().mean()
    assert losses.gradient_penalty(critic, points).item() == pytest.approx(expected.item(), rel=1e-5)


def test_minimising_the_penalty_lowers_it():
    """With the sign of WAAL's published code it would rise (docs/papers/waal.md, Paper and code)."""
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 1), nn.Flatten(0))
    optimizer = torch.optim.Adam(critic.parameters(), 1e-2)
    points = torch.randn(64, 2)
    first = losses.gradient_penalty(critic, points).item()
    for _ in range(50):
        optimizer.zero_grad()
        losses.gradient_penalty(critic, points).backward()
        optimizer.step()
    assert losses.gradient_penalty(critic, points).item() < first / 4


def test_interpolates_lie_between_their_ends_one_weight_a_row():
    first, second = torch.zeros(1000, 3, 2), torch.ones(1000, 3, 2)
    points = losses.interpolates(first, second)
    assert torch.equal(points, points[:, :1, :1].expand_as(points))
    assert points.min() >= 0 and points.max() <= 1
    assert points.mean().item() == pytest.approx(0.5, abs=0.05)
    elsewhere = losses.interpolates(first + 3, second + 3)
    assert elsewhere.min() >= 3 and elsewhere.max() <= 4


def test_consistency_in_closed_form():
    """Values 3 apart, four features each 2 apart: 2 (9 + 0.1 * 4) = 18.8, and the same image again is 0."""
    values = torch.tensor([1.0, 5.0]), torch.tensor([4.0, 5.0])
    features = torch.zeros(2, 4), torch.tensor([[2.0, 2, 2, 2], [0, 0, 0, 0]])
    assert losses.consistency(values, features).item() == pytest.approx(18.8 / 2)
    assert losses.consistency(values, features, margin=0.8).item() == pytest.approx(18 / 2), "0 - 0.8 is cut at 0"
    assert losses.consistency(values, features, weight=1, feature_weight=0).item() == pytest.approx(9 / 2)


def test_consistency_against_a_loop_over_images():
    values, features = torch.randn(2, 6), torch.randn(2, 6, 5)
    expected = 0.0
    for image in range(6):
        term = 2 * float(values[0, image] - values[1, image]) ** 2
        for one, other in zip(features[0, image].tolist(), features[1, image].tolist(), strict=True):
            term += 2 * 0.1 * (one - other) ** 2 / 5
        expected += max(term - 0.7, 0) / 6
    assert losses.consistency(tuple(values), tuple(features), margin=0.7).item() == pytest.approx(expected, rel=1e-5)


def test_domain_loss_where_the_discriminator_cannot_tell():
    assert losses.domain_loss(torch.zeros(4), torch.zeros(4)).item() == pytest.approx(2 * math.log(2))


def test_domain_loss_is_low_where_unlabeled_is_high():
    high, low = torch.full((4,), 5.0), torch.full((4,), -5.0)
    assert losses.domain_loss(high, low) < 0.02
    assert losses.domain_loss(low, high) > 9


def test_the_entropy_that_mal_plays_for_is_the_mean_of_all_pixels():
    """Sec. 3.2: log K at most, however large the maps are."""
    logits = torch.randn(2, 3, 4, 5)
    pixels = [losses.smoothed_entropy(logits[:, :, i, j]).item() for i in range(4) for j in range(5)]
    assert losses.smoothed_entropy(logits).item() == pytest.approx(sum(pixels) / 20, rel=1e-5)
    assert losses.smoothed_entropy(torch.zeros(2, 3, 4, 5)).item() == pytest.approx(math.log(3), abs=1e-4)


def test_ignored_pixels_do_not_count():
    logits = torch.randn(1, 3, 2, 2)
    labels = torch.tensor([[[0, 255], [255, 2]]], dtype=torch.uint8)
    log_probs = logits.log_softmax(1)
    expected = -(log_probs[0, 0, 0, 0] + log_probs[0, 2, 1, 1]) / 2
    assert losses.cross_entropy(logits, labels).item() == pytest.approx(expected.item(), rel=1e-5)


def test_class_255_counts_where_labels_are_classes():
    logits = torch.zeros(2, 300)
    assert losses.cross_entropy(logits, torch.tensor([255, 255])).item() == pytest.approx(math.log(300), rel=1e-5)


def test_points_of_the_boundary_cost_the_square_of_the_difference_of_their_logits():
    logits = torch.tensor([[1.0, 1.0], [0.0, 4.0], [3.0, 1.0]])
    assert losses.on_boundary(logits).item() == pytest.approx((0 + 16 + 4) / 3)


def test_ranking_by_hand():
    """Yoo and Kweon's Eq. 2 with margin 1: ordered by 2, ordered by 0.5, ordered wrongly by 1; the last is alone."""
    predicted = torch.tensor([3.0, 1.0, 0.5, 0.0, 0.0, 1.0, 9.0])
    target = torch.tensor([8.0, 2.0, 5.0, 4.0, 7.0, 1.0, 9.0])
    assert losses.ranking(predicted, target, 1.0).item() == pytest.approx((0 + 0.5 + 2) / 3)
    assert losses.ranking(predicted, 100 * target, 1.0).item() == pytest.approx((0 + 0.5 + 2) / 3), "order alone"
    turned = [1, 0, 3, 2, 5, 4, 6]
    assert losses.ranking(predicted[turned], target[turned], 1.0).item() == pytest.approx((0 + 0.5 + 2) / 3)
    assert losses.ranking(torch.zeros(4), target[:4], 1.0).item() == 1
    assert losses.ranking(predicted[:1], target[:1], 1.0).item() == 0


def test_ranking_raises_the_prediction_of_the_larger_loss_and_leaves_the_losses_alone():
    predicted, target = torch.zeros(2, requires_grad=True), torch.tensor([2.0, 1.0], requires_grad=True)
    losses.ranking(predicted, target, 1.0).backward()
    assert predicted.grad.tolist() == [-1, 1]
    assert target.grad is None


def test_cross_entropies_of_each_input():
    logits, labels = torch.randn(6, 3), torch.tensor([0, 1, 2, 2, 1, 0])
    assert losses.cross_entropy_each(logits, labels).mean().item() == pytest.approx(
        losses.cross_entropy(logits, labels).item()
    )
    maps = torch.tensor([[[0, 255], [255, 2]], [[255, 255], [255, 255]]], dtype=torch.uint8)
    each = losses.cross_entropy_each(pixels := torch.randn(2, 3, 2, 2), maps)
    assert each[0].item() == pytest.approx(losses.cross_entropy(pixels[:1], maps[:1]).item())
    assert each[1].item() == 0, "nothing of it counts"


def test_the_bias_coefficient_of_the_papers_example_and_of_its_first_rounds():
    """0.05 in Sec. 3.3; the others by Tab. 2's sizes (docs/papers/waal.md, Paper and code)."""
    assert losses.bias_coefficient(1000, 9000, 1000) == pytest.approx(4 / 81)
    rounds = {(1000, 39_000, 500): 0.0169, (1000, 39_000, 1000): 0.0125, (2000, 43_000, 2000): 0.0222,
              (500, 7500, 500): 0.0311}  # fmt: skip
    for sizes, expected in rounds.items():
        assert losses.bias_coefficient(*sizes) == pytest.approx(expected, abs=5e-5)


def test_the_bias_coefficient_weighs_as_eq_7_does():
    """mu' C0 / L = mu (1 / (L + B) - 1 / (L + U)) times gamma^-1, by which App. E's loss is divided once more."""
    labeled, unlabeled, query = 700, 4000, 300
    gamma = unlabeled / labeled
    eq7 = labeled * (1 / (labeled + query) - 1 / (labeled + unlabeled))
    assert gamma / (1 + gamma) * losses.bias_coefficient(labeled, unlabeled, query) == pytest.approx(eq7 / gamma)


@pytest.mark.parametrize(("unlabeled", "query"), [(100, 100), (100, 500), (50, 10), (3, 500)])
def test_the_bias_coefficient_is_never_negative(unlabeled, query):
    """The last query takes what is left, however much was asked for."""
    assert losses.bias_coefficient(1000, unlabeled, query) >= 0


def test_wasserstein_in_closed_form():
    assert float(losses.wasserstein(torch.tensor([0.4, 0.8]), torch.tensor([0.1, 0.3]), 0.5)) == pytest.approx(0.5)


def test_a_smoothed_label_is_nine_tenths_of_it_and_a_tenth_of_all() -> None:
    """Of two classes and probabilities 3/4 and 1/4: 0.95 and 0.05 of their logarithms."""
    logits = torch.tensor([[3.0, 1.0]]).log()
    expected = -(0.95 * math.log(0.75) + 0.05 * math.log(0.25))
    assert losses.smoothed_cross_entropy(logits, torch.tensor([0])).item() == pytest.approx(expected)


def low(*shape):
    return torch.randn(*shape).bfloat16()


@pytest.mark.parametrize(
    "loss",
    [
        lambda: losses.cross_entropy(low(8, 3), torch.arange(8) % 3),
        lambda: losses.smoothed_cross_entropy(low(8, 3), torch.arange(8) % 3),
        lambda: losses.hinge(low(8, 3), torch.arange(8) % 3),
        lambda: losses.on_boundary(low(8, 2)),
        lambda: losses.ranking(low(8), low(8), 1.0),
        lambda: losses.says(low(8), 1.0),
        lambda: losses.consistency((low(8), low(8)), (low(8, 4), low(8, 4))),
        lambda: losses.domain_loss(low(8), low(8)),
        lambda: losses.labeledness_loss(low(8), low(8)),
        lambda: losses.smoothed_entropy(low(8, 3)),
        lambda: losses.wasserstein(low(8), low(8), 0.5),
    ],
)
def test_a_loss_has_all_its_bits_in_low_precision(loss):
    """A mean of eight bits moves in steps of its two hundredth part."""
    with torch.autocast("cpu", torch.bfloat16):
        assert loss().dtype == torch.float32
