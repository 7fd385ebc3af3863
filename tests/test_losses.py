import math

import pytest
import torch
from torch import nn

from al_bench import losses


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
    """With the sign of WAAL's published code it would rise (facts 2.1)."""
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


def test_domain_loss_where_the_discriminator_cannot_tell():
    assert losses.domain_loss(torch.zeros(4), torch.zeros(4)).item() == pytest.approx(2 * math.log(2))


def test_domain_loss_is_low_where_unlabeled_is_high():
    high, low = torch.full((4,), 5.0), torch.full((4,), -5.0)
    assert losses.domain_loss(high, low) < 0.02
    assert losses.domain_loss(low, high) > 9


def test_ignored_pixels_do_not_count():
    logits = torch.randn(1, 3, 2, 2)
    labels = torch.tensor([[[0, 255], [255, 2]]], dtype=torch.uint8)
    log_probs = logits.log_softmax(1)
    expected = -(log_probs[0, 0, 0, 0] + log_probs[0, 2, 1, 1]) / 2
    assert losses.cross_entropy(logits, labels).item() == pytest.approx(expected.item(), rel=1e-5)


def test_class_255_counts_where_labels_are_classes():
    logits = torch.zeros(2, 300)
    assert losses.cross_entropy(logits, torch.tensor([255, 255])).item() == pytest.approx(math.log(300), rel=1e-5)
