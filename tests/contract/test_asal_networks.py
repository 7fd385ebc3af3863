"""Every GAN and auto-encoder that a recipe of ASAL names: sizes, lengths and value ranges of the paper's tables.

Modules exchange float images, so each network maps them to the range that it was made for.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from composing import part
from torch import Tensor, nn

from al_bench import seeding
from al_bench.active.inputs import as_stored, to_float
from al_bench.config.groups import CONF
from al_bench.gan import Gan
from al_bench.gan.game import to_real
from al_bench.network.critic import Critic

SHAPES = {"mnist": (1, 28, 28), "cifar10": (3, 32, 32), "svhn": (3, 32, 32), "celeba": (3, 64, 64), "lsun": (3, 64, 64)}
RECIPES = sorted(path.stem for path in (CONF / "recipe" / "asal").glob("*.yaml"))
PAIRS = sorted((path.parts[-3], path.stem) for path in (CONF / "pair" / "gan").glob("*/asal/*.yaml"))
LAYERED = {"dcgan", "wgan_gp", "wgan_ct"}

CANONICAL, SIGNED = (0.0, 1.0), (-1.0, 1.0)
GAN_RANGE = {"mnist": CANONICAL, "cifar10": SIGNED, "svhn": SIGNED, "celeba": SIGNED, "lsun": SIGNED}
CODER_RANGE = {"mnist": CANONICAL, "cifar10": CANONICAL, "svhn": CANONICAL, "celeba": SIGNED, "lsun": SIGNED}

# Table 3, in thousands of generator iterations
LENGTHS = {
    "dcgan": {"mnist_two": 40, "mnist_ten": 100, "cifar10_two": 100, "cifar10_ten": 200},
    "wgan_gp": {"mnist_two": 40, "mnist_ten": 100, "cifar10_two": 200, "cifar10_ten": 200}
    | {"celeba": 100, "svhn": 100, "lsun": 100},
    "res_wgan_gp": {"cifar10_two": 100, "cifar10_ten": 100},
    "res_wgan_ct": {"cifar10_two": 100, "cifar10_ten": 100},
}  # fmt: skip


def source(recipe: str) -> str:
    return recipe.split("_")[0]


def gan_of(choice: str, recipe: str) -> Gan:
    made: Gan = part("gan", f"gan={choice}", f"recipe=asal/{recipe}")
    return made


def coder_of(recipe: str) -> Any:
    return part("feature", "feature=autoencoder", "strategy=random", f"recipe=asal/{recipe}", "feature=autoencoder")


def spans(network: nn.Module, run: Callable[[], Tensor]) -> tuple[float, float]:
    """The smallest and the largest value that the first layer with weights reads while `run` runs."""
    seen: list[Tensor] = []
    layers = network.layers if isinstance(network, Critic) else network  # a critic's last layer is listed first
    first = next(layer for layer in layers.modules() if isinstance(layer, nn.Conv2d | nn.Linear))
    handle = first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        run()
    handle.remove()
    return float(seen[0].min()), float(seen[0].max())


def test_table_3_s_gans_are_there() -> None:
    listed = {(choice, recipe) for choice, lengths in LENGTHS.items() for recipe in lengths}
    layered_with_consistency = {("wgan_ct", "cifar10_two"), ("wgan_ct", "cifar10_ten")}  # A.4 in words
    assert set(PAIRS) == listed | layered_with_consistency


@pytest.mark.parametrize(("choice", "recipe"), PAIRS)
def test_a_gan_is_the_table_s(choice: str, recipe: str) -> None:
    gan, shape = gan_of(choice, recipe), SHAPES[source(recipe)]
    if choice in LENGTHS:
        assert gan.iterations == 1000 * LENGTHS[choice][recipe]
    residual = choice not in LAYERED
    rates = {keywords["lr"] for keywords in (gan.generator_optimizer.keywords, gan.discriminator_optimizer.keywords)}
    assert rates == {2e-4 if residual or choice == "dcgan" else 1e-4}
    assert (gan.generator_batch_size, gan.dequantize) == ((128, True) if residual else (None, False))
    assert (gan.schedule is not None) == residual

    networks = gan.networks(shape).eval()
    with torch.no_grad():
        features = networks.discriminator.features(torch.zeros(1, *shape))
        saturated = networks.generator(100 * networks.draw(2, seeding.generator(0)))
    assert features.shape[1] == (128 if residual else 4096 if source(recipe) == "mnist" else 8192)
    assert networks.latent_size == 128
    assert saturated.shape == (2, *shape)
    assert 0 <= saturated.min() < 0.1 < 0.9 < saturated.max() <= 1, "float, whatever its own range"

    # However an image comes, the discriminator reads the range that it was trained on
    expected = GAN_RANGE[source(recipe)]
    bytes_ = torch.tensor([0, 255], dtype=torch.uint8)[:, None, None, None].expand(2, *shape)
    judge = networks.discriminator
    assert spans(judge, lambda: judge(to_float(bytes_))) == expected
    low, high = spans(judge, lambda: judge(to_real(bytes_, gan.dequantize)))
    assert expected[0] <= low < expected[0] + 0.02
    assert expected[1] - 0.02 < high <= expected[1]
    for images in (saturated, to_float(as_stored(saturated, torch.uint8))):
        low, high = spans(judge, lambda images=images: judge(images))
        values = expected[0] + saturated * (expected[1] - expected[0])
        assert (low, high) == pytest.approx((float(values.min()), float(values.max())), abs=1 / 100)
    if not residual:
        assert gan.generator.keywords["output"] == ("sigmoid" if expected == CANONICAL else "tanh")


@pytest.mark.parametrize("recipe", RECIPES)
def test_an_auto_encoder_is_the_table_s(recipe: str) -> None:
    """Sizes of Tabs. 4, 6 and 9, lengths of A.1 to A.7; a GAN's image is mapped into the auto-encoder's own range."""
    feature, shape = coder_of(recipe), SHAPES[source(recipe)]
    assert feature.size(shape) == {"mnist_two": 64, "mnist_ten": 192}.get(recipe, 256)
    by_iterations = recipe in ("svhn", "lsun")
    assert (feature.epochs, feature.iterations) == (
        (None, 100_000) if by_iterations else (40 if source(recipe) == "mnist" else 100, None)
    )
    assert feature.batch_size == {"mnist": 100, "cifar10": 128}.get(source(recipe), 64)
    assert feature.optimizer.keywords["lr"] == (1e-3 if source(recipe) in ("mnist", "cifar10") else 1e-4)

    network = feature.untrained(shape).eval()
    expected = CODER_RANGE[source(recipe)]
    ends = torch.stack([torch.zeros(shape), torch.ones(shape)])
    assert spans(network, lambda: network.encode(ends)) == expected
    assert spans(network, lambda: network(ends)) == expected, "in training too"
    assert isinstance(network.decoder[-1], nn.Sigmoid if expected == CANONICAL else nn.Tanh)
    with torch.no_grad():
        made = network(ends)
    assert made.shape == ends.shape
    assert made.min() >= 0
    assert made.max() <= 1


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_classifier_reads_images_as_they_are(recipe: str) -> None:
    """Its range is open in the paper: float, so that real and synthetic images go through the same."""
    shape = SHAPES[source(recipe)]
    network = part("network", f"recipe=asal/{recipe}")(input_shape=shape, num_classes=2).eval()
    ends = torch.stack([torch.zeros(shape), torch.ones(shape)])
    assert spans(network, lambda: network(ends)) == CANONICAL


@pytest.mark.parametrize("recipe", ["celeba", "lsun"])
def test_the_settings_of_the_code_for_64_x_64(recipe: str) -> None:
    """All layers uniform with std 0.02, Adam (0.0, 0.9), batch statistics of channels (docs/papers/asal.md, GANs)."""
    gan = gan_of("wgan_gp", recipe)
    assert gan.generator_optimizer.keywords["betas"] == gan.discriminator_optimizer.keywords["betas"] == [0.0, 0.9]
    networks = gan.networks(SHAPES[recipe])
    weights = [layer.weight for layer in networks.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
    assert len(weights) == 8
    for weight in weights:
        assert float(weight.detach().std()) == pytest.approx(0.02, rel=0.05)
    assert not any(isinstance(layer, nn.BatchNorm1d) for layer in networks.modules())
