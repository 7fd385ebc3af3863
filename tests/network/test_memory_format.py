"""Layouts of images move results by rounding alone."""

import subprocess
import sys

import pytest
import torch
from composing import members, part
from torch import nn

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.network.linear import Linear
from al_bench.network.memory_format import MapDropout, StridedPointwise, channels_last

IMAGES = torch.rand(6, 3, 32, 32, generator=seeding.generator(0))


def test_the_numbers_stay_where_they_are_and_the_layout_changes():
    laid = channels_last(IMAGES)
    assert torch.equal(laid, IMAGES)
    assert laid.stride() == (3 * 32 * 32, 1, 3 * 32, 3)
    assert channels_last(IMAGES[:, :1]).stride() == (32 * 32, 1, 32, 1), "of one channel too"


def test_what_is_no_image_comes_back_as_it_is():
    features = torch.rand(4, 5)
    assert channels_last(features) is features


def test_only_convolutions_are_given_the_layout():
    seen = []

    class Seeing(nn.Flatten):
        def forward(self, inputs):
            seen.append(inputs.is_contiguous())
            return super().forward(inputs)

    flat = Linear((3, 32, 32), 2)
    flat.backbone = Seeing()
    flat(IMAGES)
    convolving = Network(nn.Sequential(nn.Conv2d(3, 4, 3), Seeing()), nn.Identity(), nn.Linear(4 * 30 * 30, 2))
    convolving(IMAGES)
    convolving.embed(IMAGES)
    assert seen == [True, False, False]


def step_of(network, images):
    """Logits of one step with dropout, and the gradients of all weights."""
    with seeding.fork(1):
        logits = network(images)
    network.zero_grad()
    logits.square().mean().backward()
    return logits.detach(), [parameter.grad.clone() for parameter in network.parameters()]


@pytest.mark.parametrize("name", members("network"))
def test_a_step_is_the_same_in_both_layouts(name, monkeypatch):
    """In double precision, where rounding is small: dropout draws the same, weights and gradients keep their layout."""
    try:
        with seeding.fork(0):
            network = part("network", f"network={name}")(input_shape=(3, 32, 32), num_classes=3).double()
    except UserError:
        pytest.skip("takes no such images")
    logits, gradients = step_of(network, IMAGES.double())
    with monkeypatch.context() as patch:
        patch.setattr("al_bench.network.channels_last", lambda images: images)
        others, straight = step_of(network, IMAGES.double())
    torch.testing.assert_close(logits, others, rtol=1e-9, atol=1e-9)
    for gradient, other in zip(gradients, straight, strict=True):
        torch.testing.assert_close(gradient, other, rtol=1e-7, atol=1e-9)
        assert gradient.is_contiguous()
    assert all(parameter.is_contiguous() for parameter in network.parameters())


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_dropout_draws_in_one_order_and_keeps_its_share(layout):
    ones = torch.ones(8, 16, 12, 12).to(memory_format=layout)
    with seeding.fork(3):
        dropped = MapDropout(0.25)(ones)
    with seeding.fork(3):
        expected = nn.Dropout(0.25)(torch.ones(8, 16, 12, 12))
    assert torch.equal(dropped, expected)
    assert dropped.mean() == pytest.approx(1, abs=0.02)
    assert dropped.is_contiguous(memory_format=layout)
    assert MapDropout(0.25).eval()(ones) is ones


def test_plain_dropout_would_draw_otherwise():
    """What `MapDropout` is for; a torch that draws the same needs it no more."""
    ones = torch.ones(2, 4, 3, 3)
    draws = []
    for images in (ones, channels_last(ones)):
        with seeding.fork(0):
            draws.append(nn.Dropout(0.5)(images))
    assert not torch.equal(*draws)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_strided_pointwise_convolution_is_torchs(stride):
    ours, theirs = StridedPointwise(6, 10, stride), nn.Conv2d(6, 10, 1, stride, bias=False)
    theirs.load_state_dict(ours.state_dict())
    maps = torch.rand(2, 6, 9, 8, generator=torch.Generator().manual_seed(0))
    given = [maps.clone().requires_grad_() for _ in range(2)]
    found, expected = ours(given[0]), theirs(given[1])
    assert torch.allclose(found, expected, atol=1e-6)
    for output in (found, expected):
        output.square().sum().backward()
    assert torch.allclose(given[0].grad, given[1].grad, atol=1e-5)
    assert torch.allclose(ours.weight.grad, theirs.weight.grad, atol=1e-4)


def test_a_narrow_network_of_maps_trains():
    """Its way back wrote beyond its memory in the first steps: signal 6 or 11, not an exception, so in a process."""
    steps = """
import torch
from al_bench.network.drn import Drn
torch.set_num_threads(1)
network = Drn((3, 120, 160), 11, "d_22", 4, 0.5, 0.5)
for _ in range(2):
    network(torch.rand(8, 3, 120, 160)).sum().backward()
"""
    done = subprocess.run([sys.executable, "-c", steps], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
