"""What every network promises to learners, strategies and evaluators (al_bench/network/__init__.py)."""

from collections.abc import Callable
from contextlib import suppress

import pytest
import torch
from composing import members, part
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.network import Network, NetworkFactory
from al_bench.network.dropout_passes import dropout_on, dropout_passes

CLASSES = 3
SHAPES = [(1, 28, 28), (3, 32, 32), (3, 64, 64)]
BATCH = 2

Make = Callable[[int], Network]


@pytest.fixture(params=members("network"))
def factory(request: pytest.FixtureRequest) -> NetworkFactory:
    made: NetworkFactory = part("network", f"network={request.param}")
    return made


@pytest.fixture
def shape(factory: NetworkFactory) -> tuple[int, ...]:
    """The first shape that the network takes."""
    for shape in SHAPES:
        with suppress(UserError):
            factory(input_shape=shape, num_classes=CLASSES)
            return shape
    raise AssertionError(f"fits none of {SHAPES}")


@pytest.fixture
def make(factory: NetworkFactory, shape: tuple[int, ...]) -> Make:
    """Makes the network with weights drawn by a seed."""

    def seeded(seed: int) -> Network:
        with seeding.fork(seed):
            return factory(input_shape=shape, num_classes=CLASSES)

    return seeded


@pytest.fixture
def images(shape: tuple[int, ...]) -> Tensor:
    return torch.rand(BATCH, *shape, generator=seeding.generator(0))


def test_forward_is_last_of_neck_of_body(make: Make, images: Tensor) -> None:
    network = make(0).eval()
    logits = network(images)
    assert torch.equal(logits, network.head(network.neck(network.features(images))))
    assert torch.equal(logits, network.classify(network.features(images)))
    assert torch.equal(logits, network.acquisition_logits(images))
    assert logits.shape[:2] == (BATCH, CLASSES)
    assert logits.shape[2:] in ((), images.shape[2:])


def test_an_embedding_is_one_vector_per_image(make: Make, images: Tensor) -> None:
    network = make(0).eval()
    embedding = network.embed(images)
    assert embedding.dim() == 2
    assert len(embedding) == BATCH
    last = next(part for part in network.head.modules() if isinstance(part, nn.Linear | nn.Conv2d))
    assert embedding.shape[1] == last.weight.shape[1], "the input of the last layer"


def test_provides_what_it_says(make: Make, images: Tensor) -> None:
    network = make(0)
    layers = [part for part in network.modules() if isinstance(part, _DropoutNd) and part.p > 0]
    assert ("dropout" in network.provides) == bool(layers)
    assert "embedding" in network.provides
    if layers:
        network.train()
        assert not torch.equal(network(images), network(images))


def test_it_is_built_without_numbers_too(make: Make) -> None:
    """As a stored model's is, before anything is believed of its size."""
    with torch.device("meta"):
        bare = make(0).state_dict()
    assert {one.device.type for one in bare.values()} == {"meta"}
    assert [(name, one.shape) for name, one in bare.items()] == [
        (name, one.shape) for name, one in make(0).state_dict().items()
    ]


def test_two_networks_share_no_storage(make: Make) -> None:
    first, second = make(0), make(0)
    places = {value.untyped_storage().data_ptr() for value in first.state_dict().values()}
    assert places.isdisjoint(value.untyped_storage().data_ptr() for value in second.state_dict().values())


def test_the_seed_alone_draws_the_weights(make: Make) -> None:
    first, again, other = (make(seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_eval_mode_is_deterministic_and_looks_at_each_image_alone(make: Make, images: Tensor) -> None:
    network = make(0).eval()
    logits = network(images)
    assert torch.equal(logits, network(images))
    assert torch.allclose(logits[:1], network(images[:1]), atol=1e-5)


def test_gradients_reach_every_weight_and_the_images(make: Make, images: Tensor) -> None:
    network = make(0).eval()
    images.requires_grad_(True)
    network(images).square().sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_no_pointwise_convolution_of_a_stride_is_torchs_own(make: Make) -> None:
    """Of few channels, channels last, it kills the process: `memory_format.StridedPointwise`."""
    convolutions = [part for part in make(0).modules() if isinstance(part, nn.Conv2d)]
    assert not [part for part in convolutions if part.kernel_size == (1, 1) and part.stride != (1, 1)]


def test_weights_go_through_a_state_dict(make: Make, images: Tensor) -> None:
    network, other = make(0).eval(), make(1).eval()
    other.load_state_dict(network.state_dict())
    assert torch.equal(network(images), other(images))


def test_dropout_passes_that_share_their_start_are_whole_ones(make: Make, images: Tensor) -> None:
    network = make(0).eval()
    if "dropout" not in network.provides:
        pytest.skip("has no dropout")
    with torch.no_grad(), seeding.fork(1):
        shared = list(dropout_passes(network, network, images, 3))
    with torch.no_grad(), seeding.fork(1), dropout_on(network):
        whole = [network(images) for _ in range(3)]
    assert all(torch.equal(one, other) for one, other in zip(shared, whole, strict=True))
    assert not torch.equal(whole[0], whole[1])
