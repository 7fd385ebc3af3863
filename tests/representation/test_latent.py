"""A generator whose latents are known: two gray waves and a brightness on 4 x 4 pixels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from al_bench.active.inputs import as_stored, to_float
from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.gan import GanNetworks
from al_bench.representation import latent
from al_bench.representation.encoder import DrawnPairs, Encoder
from al_bench.representation.latent import Latent, standards
from al_bench.seeding import generator
from al_bench.storage.artifacts import Artifacts

Z, SHAPE = 3, (1, 4, 4)


class Waves(nn.Module):
    """(B, 3) latents to (B, 1, 4, 4) images, one to one."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(16, Z, generator=generator(3)))

    def forward(self, latents: Tensor) -> Tensor:
        return (latents @ self.weight.T).sigmoid().unflatten(1, SHAPE)


@dataclass(frozen=True)
class HandMade:
    """A GAN that needs no training."""

    latent_size: int = Z

    def trained(self, dataset: Dataset, artifacts: Artifacts) -> GanNetworks:
        return networks()


def networks() -> GanNetworks:
    return GanNetworks(Waves(), nn.Identity(), Z).eval().requires_grad_(False)


def small(image_shape: Sequence[int], latent_size: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, latent_size))


def representation(iterations: int = 300, steps: int = 100) -> Latent:
    adam = torch.optim.Adam
    encoder = Encoder(small, partial(adam, lr=3e-3), iterations, batch_size=64)
    return Latent(HandMade(), encoder, steps, partial(adam, lr=0.02))  # type: ignore[arg-type]


def made_dataset(count: int = 60) -> tuple[Dataset, Tensor]:
    """Images that the generator can draw, and their latents, shifted and stretched."""
    latents = torch.randn(count, Z, generator=generator(5)) * torch.tensor([0.5, 1.0, 0.3]) + torch.tensor([1, 0, -1])
    images = as_stored(Waves()(latents).detach(), torch.uint8)
    split = Split(images[: count // 2], torch.arange(count // 2) % 2)
    return Dataset(split, None, Split(images[count // 2 :], split.labels), 2, ("a", "b")), latents


def error(network: nn.Module) -> float:
    images, latents = DrawnPairs(networks(), 500, 1, seed=9)[0]
    with torch.no_grad():
        return float((network(images) - latents).square().sum(1).mean())


def test_the_encoder_inverts_the_generator() -> None:
    made = representation().encoder
    trained, trace = made.fit(networks(), SHAPE)
    assert error(made.untrained(SHAPE, Z)) > 2
    assert error(trained) < 0.1
    assert trace["squared_error"][-1] < 0.1 * trace["squared_error"][0]


def test_refinement_finds_the_latents_of_real_images() -> None:
    """From latents that are off by 0.5: the image has no other."""
    dataset, latents = made_dataset()
    images, true = to_float(dataset.train.images), latents[:30]
    start = true + 0.5 * torch.randn(30, Z, generator=generator(1))
    found, errors = representation().refined(images, start, networks())
    assert errors.shape == (101,)
    assert errors[-1] < 0.01 * errors[0]
    assert ((found - true).norm(dim=1) < 0.05).double().mean() > 0.8, "all but those whose pixels saturate"
    assert errors[0].item() == pytest.approx(float((Waves()(start) - images).square().sum().detach()), rel=1e-4)


def test_an_image_is_refined_as_if_alone() -> None:
    images = to_float(made_dataset()[0].train.images)
    together, _ = representation(steps=7).refined(images, torch.zeros(30, Z), networks())
    alone, _ = representation(steps=7).refined(images[4:5], torch.zeros(1, Z), networks())
    assert torch.allclose(together[4:5], alone, atol=1e-6)


def test_latents_are_standardised_by_the_training_split_and_decode_to_the_images(tmp_path: Path) -> None:
    dataset, latents = made_dataset()
    found = representation().apply(dataset, Artifacts(tmp_path))
    train, test = (split.images[torch.arange(30)] for split in (found.train, found.test))
    assert torch.allclose(train.mean(0), torch.zeros(Z), atol=1e-5)
    assert torch.allclose(train.std(0, correction=0), torch.ones(Z), atol=1e-5)
    expected = (latents - latents[:30].mean(0)) / latents[:30].std(0, correction=0)
    assert torch.allclose(torch.cat([train, test]), expected, atol=0.1)
    assert found.decode is not None
    for split, inputs in ((dataset.train, train), (dataset.test, test)):
        assert (found.decode(inputs) - to_float(split.images[torch.arange(30)])).abs().max() < 0.02
    assert found.blind().decode is found.decode, "a strategy may show what it makes up"


def test_a_dimension_that_does_not_vary_is_only_shifted() -> None:
    mean, deviation = standards(torch.tensor([[1.0, 5.0], [3.0, 5.0]]))
    assert mean.tolist() == [2, 5]
    assert deviation.tolist() == [1, 1]


def test_latents_are_computed_once_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, _ = made_dataset()
    first = representation(20, 5).apply(dataset, Artifacts(tmp_path))
    monkeypatch.setattr(Latent, "refined", lambda *arguments: pytest.fail("computed again"))
    again = representation(20, 5).apply(dataset, Artifacts(tmp_path))
    assert torch.equal(first.test.images[torch.arange(30)], again.test.images[torch.arange(30)])
    assert [len(list((tmp_path / kind).glob("*.json"))) for kind in ("encoder", "latents")] == [1, 1]


def test_other_steps_are_other_latents_of_the_same_encoder(tmp_path: Path) -> None:
    dataset, _ = made_dataset()
    for steps in (1, 2):
        representation(20, steps).apply(dataset, Artifacts(tmp_path))
    fewer = replace(dataset, test=dataset.test.subset(torch.arange(7)))
    representation(20, 2).apply(fewer, Artifacts(tmp_path))
    assert [len(list((tmp_path / kind).glob("*.json"))) for kind in ("encoder", "latents")] == [1, 3]


def test_a_killed_refinement_goes_on_behind_its_finished_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latent, "_BLOCK", 10)
    dataset, _ = made_dataset()
    whole = representation(20, 5).apply(dataset, Artifacts(tmp_path / "whole"))
    refined, sizes = Latent.refined, []

    def counted(self: Latent, images: Tensor, *rest: Any) -> tuple[Tensor, Tensor]:
        sizes.append(len(images))
        if len(sizes) == 5:
            raise KeyboardInterrupt
        return refined(self, images, *rest)

    monkeypatch.setattr(Latent, "refined", counted)
    with pytest.raises(KeyboardInterrupt):
        representation(20, 5).apply(dataset, Artifacts(tmp_path / "killed"))
    resumed = representation(20, 5).apply(dataset, Artifacts(tmp_path / "killed"))
    assert sizes == [10] * 7, "four blocks, the fifth in vain, the last two"
    assert not list((tmp_path / "killed").rglob("*.scratch"))
    for name in ("train", "test"):
        before, after = getattr(whole, name).images, getattr(resumed, name).images
        assert torch.equal(before[torch.arange(30)], after[torch.arange(30)])


def test_a_refinement_that_explodes_says_so() -> None:
    wild = replace(representation(steps=3), optimizer=partial(torch.optim.SGD, lr=float("inf")))
    with pytest.raises(FloatingPointError, match="not finite after 3 steps"):
        wild.refined(torch.zeros(2, *SHAPE), torch.ones(2, Z), networks())


def test_refuses_to_go_without_a_gan() -> None:
    with pytest.raises(UserError, match="gan=none"):
        replace(representation(), gan=None)
