import math

import pytest
import torch
from torch import nn

from al_bench.network import Network
from al_bench.network.hyperplane import chords, distances, feet, flip, hyperplane

NORMAL, OFFSET = torch.tensor([3.0, 4.0]), torch.tensor(-5.0)


def linear(weight, bias):
    last = nn.Linear(len(weight[0]), 2)
    last.weight.data, last.bias.data = torch.tensor(weight), torch.tensor(bias)
    return Network(nn.Flatten(), nn.Identity(), last)


def test_the_boundary_of_a_model_is_where_its_logits_are_equal():
    model = linear([[1.0, -2.0], [7.0, 6.0]], [4.0, -6.0])
    normal, offset = hyperplane(model, 2)
    assert normal.tolist() == [6, 8]
    assert offset.item() == -10
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_boundary_takes_gradients_to_the_weights():
    model = linear([[1.0, -2.0], [7.0, 6.0]], [4.0, -6.0])
    hyperplane(model, 2)[0].square().sum().backward()
    assert model.head.weight.grad.tolist() == [[-12, -16], [12, 16]]  # of (w1 - w0)^2


def test_feet_lie_on_the_boundary_right_below_their_points():
    """3 x + 4 y = 5 is 1 from the origin, at (0.6, 0.8)."""
    points = torch.tensor([[0.0, 0.0], [6.6, 8.8], [0.6, 0.8]])
    assert torch.allclose(feet(points, NORMAL, OFFSET), torch.tensor([[0.6, 0.8]]).expand(3, 2), atol=1e-6)
    assert (feet(torch.randn(20, 2), NORMAL, OFFSET) @ NORMAL + OFFSET).abs().max() < 1e-5


def test_a_chord_through_the_center_is_a_diameter_in_equal_steps():
    (line,) = chords(torch.zeros(1, 2), NORMAL, torch.zeros(2), torch.tensor(10.0), 5)
    assert torch.allclose(line, torch.tensor([[-6.0, -8.0], [-3, -4], [0, 0], [3, 4], [6, 8]]), atol=1e-5)


def test_a_chord_beside_the_center_is_shorter_by_pythagoras():
    """At distance 3 from the center of a sphere of radius 5 half the chord is 4, around the foot of the center."""
    (line,) = chords(torch.tensor([[7.0, 3.0]]), torch.tensor([2.0, 0.0]), torch.zeros(2), torch.tensor(5.0), 3)
    assert torch.allclose(line, torch.tensor([[-4.0, 3.0], [0, 3], [4, 3]]), atol=1e-5)


def test_the_ends_of_a_chord_lie_on_the_sphere_wherever_its_center_is():
    """The sign that the authors' code has wrong: it shows only where the center is not the origin."""
    center, radius = torch.tensor([10.0, -20.0, 5.0]), torch.tensor(4.0)
    rows = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    points = center + rows / rows.norm(dim=1, keepdim=True) * 3.9
    lines = chords(points, torch.tensor([1.0, -2.0, 2.0]), center, radius, 11)
    assert lines.shape == (50, 11, 3)
    for end in (lines[:, 0], lines[:, -1]):
        assert torch.allclose((end - center).norm(dim=1), radius.expand(50), atol=1e-4)
    assert distances(points, lines).diagonal().max() < 1e-4, "the point itself is on its line"
    steps = lines.diff(dim=1)
    assert torch.allclose(steps, steps[:, :1].expand_as(steps), atol=1e-5), "equally spaced"
    assert (steps[:, 0] @ torch.tensor([1.0, -2.0, 2.0]) > 0).all(), "from class 0 to class 1"


def test_a_line_that_misses_the_sphere_is_its_nearest_point():
    (line,) = chords(torch.tensor([[3.0, 9.0]]), torch.tensor([1.0, 0.0]), torch.zeros(2), torch.tensor(5.0), 3)
    assert torch.allclose(line, torch.tensor([0.0, 9.0]).expand(3, 2))


def test_distances_from_lines():
    lines = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]], [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]])
    points = torch.tensor([[5.0, 3.0], [1.0, 0.0], [-7.0, 1.0]])
    expected = torch.tensor([[3.0, math.sqrt(20)], [0.0, 1.0], [1.0, 8.0]])
    assert torch.allclose(distances(points, lines).float(), expected)


@pytest.mark.parametrize(
    ("signs", "place"),
    [
        ([-1, -1, 1, 1], 1.5),
        ([1, -1, -1, -1], 0.5),
        ([-1, 1], 0.5),
        ([-1, -1, -1, 1], 2.5),
        ([-1, 1, -1, 1, 1, 1], 0.5),  # one label contradicts it, as does one the cut at 2.5
        ([-1, -1, 1, -1, -1, 1, 1, 1], 4.5),
        ([-1, -1, -1], None),
        ([1], None),
        ([], None),
        ([-1, 1, -1], None),  # a cut contradicts one, and so does none
    ],
)
def test_where_a_line_flips(signs, place):
    points = torch.arange(8.0)[: len(signs), None] * torch.tensor([[1.0, 2.0]])
    found = flip(points, torch.tensor(signs, dtype=torch.int64))
    assert (found is None) if place is None else torch.equal(found, torch.tensor([place, 2 * place]))
