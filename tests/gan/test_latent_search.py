from collections.abc import Sequence
from copy import deepcopy
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from al_bench import seeding
from al_bench.active.scores import boundary_closeness, boundary_distance, entropy
from al_bench.errors import UserError
from al_bench.gan import GanNetworks
from al_bench.gan.latent_search import LatentSearch, StackedSearch
from al_bench.network import Network
from al_bench.training.pack import Member, run_pack


class Pixels(nn.Module):
    """Latents (B, 2) as images of two pixels, by a sigmoid."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(2))

    def forward(self, latents: Tensor) -> Tensor:
        return (latents * self.scale).sigmoid()[:, None, None, :]


class Slope(Network):
    """Class 0 where the first pixel is above a half; the second pixel says nothing."""

    def __init__(self) -> None:
        last = nn.Linear(2, 2)
        last.weight.data = torch.tensor([[4.0, 0.0], [0.0, 0.0]])
        last.bias.data = torch.tensor([-2.0, 0.0])
        super().__init__(nn.Flatten(), nn.Dropout(0.5), last)


def networks() -> GanNetworks:
    return GanNetworks(Pixels(), nn.Identity(), 2)


def search(steps: int = 100, lr: float = 0.05, z_batch: int | None = None, **options: Any) -> LatentSearch:
    return LatentSearch(steps, partial(torch.optim.Adam, lr=lr), z_batch, **options)


def normed_players() -> GanNetworks:
    """With batch norm in front, whose running statistics are no batch's."""
    made = networks()
    norm = nn.BatchNorm1d(2)
    norm.running_mean, norm.running_var = torch.tensor([0.3, -0.2]), torch.tensor([2.0, 0.5])
    made.generator = nn.Sequential(norm, Pixels())
    return made


def test_ascends_to_the_boundary_and_nowhere_else() -> None:
    """Entropy is highest, log 2, where the first pixel is 1/2, that is z_0 = 0; z_1 has no gradient and stays."""
    model = Slope().eval()
    found = search(steps=200)(networks(), model, entropy, 20, seeding.generator(0))
    assert found.latents[:, 0].abs().max() < 0.05
    assert found.start[:, 0].abs().max() > 1
    assert torch.equal(found.latents[:, 1], found.start[:, 1])
    trace = found.trace(model)
    torch.testing.assert_close(trace["entropy_after"], torch.full((20,), 2.0).log(), atol=1e-3, rtol=0)
    assert (trace["entropy_before"] <= trace["entropy_after"]).all()
    torch.testing.assert_close(trace["norm_before"], found.start.square().sum(1).sqrt())
    assert torch.equal(trace["norm_after"], found.latents.norm(dim=1))
    assert torch.equal(found.images, networks().generator(found.latents))


def test_equals_adam_by_hand_one_latent_at_a_time() -> None:
    """A second implementation, with the derivative of the entropy written out: H'(s) = -s p (1 - p)."""
    found = search(steps=7)(networks(), Slope().eval(), entropy, 5, seeding.generator(1))
    for start, end in zip(found.start[:, 0].double(), found.latents[:, 0].double(), strict=True):
        z, first, second = float(start), 0.0, 0.0
        for step in range(1, 8):
            x = 1 / (1 + torch.tensor(-z).exp().item())
            s = 4 * x - 2
            p = 1 / (1 + torch.tensor(-s).exp().item())
            slope = -s * p * (1 - p) * 4 * x * (1 - x)
            first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
            z += 0.05 * (first / (1 - 0.9**step)) / ((second / (1 - 0.999**step)) ** 0.5 + 1e-8)
        assert z == pytest.approx(float(end), abs=1e-4)


@pytest.mark.parametrize("z_batch", [1, 3, 7, 100])
def test_batches_do_not_matter(z_batch: int) -> None:
    whole = search()(networks(), Slope(), entropy, 7, seeding.generator(0))
    parted = search(z_batch=z_batch)(networks(), Slope(), entropy, 7, seeding.generator(0))
    torch.testing.assert_close(parted.latents, whole.latents)


def test_a_constant_slope_in_closed_form() -> None:
    """SGD against the distance |x| of an affine generator: each step of 0.01 moves z by 0.01 w towards 0."""
    generator = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Unflatten(1, (1, 1, 1)))
    last = nn.Linear(1, 2, bias=False)
    generator[0].weight.data, last.weight.data = torch.tensor([[1.0]]), torch.tensor([[2.0], [0.0]])
    model = Network(nn.Flatten(), nn.Identity(), last)
    descent = LatentSearch(10, partial(torch.optim.SGD, lr=0.01), None)
    made = GanNetworks(generator, nn.Identity(), 1)
    found = descent(made, model, lambda logits: -boundary_distance(logits), 9, seeding.generator(0))
    moved = found.start.abs() > 0.2
    torch.testing.assert_close(found.latents[moved], (found.start - found.start.sign() * 10 * 0.02)[moved])


def test_generator_and_model_stay_as_they_are() -> None:
    made, model = networks(), Slope().train()
    before = [parameter.clone() for parameter in [*made.parameters(), *model.parameters()]]
    search(steps=3)(made, model, entropy, 4, seeding.generator(0))
    parameters = [*made.parameters(), *model.parameters()]
    assert all(torch.equal(old, new) for old, new in zip(before, parameters, strict=True))
    assert all(parameter.grad is None and parameter.requires_grad for parameter in parameters)
    assert all(part.training for module in (made, model) for part in module.modules())


def test_dropout_is_off_and_batch_norm_keeps_its_statistics() -> None:
    made, model = networks(), Slope()
    made.generator = nn.Sequential(nn.BatchNorm1d(2), Pixels())
    first, second = (search()(made, model, entropy, 5, seeding.generator(0)) for _ in range(2))
    assert torch.equal(first.latents, second.latents)
    assert not made.generator[0].running_mean.any()
    alone = search(z_batch=1)(made, model, entropy, 5, seeding.generator(0))
    torch.testing.assert_close(alone.latents, first.latents)


def test_batch_mode_couples_the_images_of_a_z_batch_and_keeps_the_running_statistics() -> None:
    """Images are those of a copy in train mode, z-batch by z-batch; in eval mode those of each latent alone."""
    made = normed_players()
    before = deepcopy(made.generator.state_dict())
    for mode in ("batch", "eval"):
        found = search(3, z_batch=4, generator_mode=mode)(made, Slope(), entropy, 8, seeding.generator(0))
        for latents, images in ((found.start, found.start_images), (found.latents, found.images)):
            train = torch.cat([deepcopy(made.generator).train()(part) for part in latents.split(4)])
            alone = torch.cat([deepcopy(made.generator).eval()(part) for part in latents.split(1)])
            torch.testing.assert_close(images, (train if mode == "batch" else alone).detach())
            assert not torch.allclose(train, alone, atol=0.01)
        after = made.generator.state_dict()
        assert all(torch.equal(value, after[name]) for name, value in before.items())
        assert all(part.training for part in made.modules())
        assert made.generator[0].track_running_stats  # type: ignore[index]


def test_batch_mode_ascends_what_the_batch_shows() -> None:
    """A pair of latents is normed to -1 and 1 however far apart, so its entropy has no slope; in eval mode it has."""
    model = Slope().eval()
    for mode, still in (("batch", True), ("eval", False)):
        found = search(5, z_batch=2, generator_mode=mode)(normed_players(), model, entropy, 4, seeding.generator(2))
        first = model(found.start_images).detach()
        assert torch.allclose(model(found.images).detach(), first, atol=1e-2) == still


def test_what_fills_up_the_last_z_batch_is_dropped() -> None:
    made, model = normed_players(), Slope()
    filled = search(3, z_batch=4, generator_mode="batch")(made, model, entropy, 5, seeding.generator(0))
    whole = search(3, z_batch=4, generator_mode="batch")(made, model, entropy, 8, seeding.generator(0))
    assert filled.latents.shape == (5, 2)
    assert torch.equal(filled.images, whole.images[:5])
    assert search(3, generator_mode="batch")(made, model, entropy, 1, seeding.generator(0)).images.isfinite().all()


def test_a_prior_draws_towards_zero_in_closed_form() -> None:
    """Where the score is flat, each step of SGD multiplies z by 1 - rate x weight."""
    flat = Slope()
    flat.head.weight.data.zero_()
    descent = LatentSearch(10, partial(torch.optim.SGD, lr=0.1), None, prior_weight=0.5)
    found = descent(networks(), flat, entropy, 6, seeding.generator(0))
    torch.testing.assert_close(found.latents, found.start * 0.95**10)


@pytest.mark.parametrize(
    ("z_batch", "mode", "sentence"),
    [
        (1, "batch", r"strategy.z_batch=1 with generator_mode=batch: use 2 or more, or null"),
        (0, "eval", r"strategy.z_batch=0 with generator_mode=eval: use 1 or more, or null"),
        (None, "train", r"strategy.generator_mode=train is not known: use eval or batch"),
    ],
)
def test_settings_that_cannot_be_are_refused(z_batch: int | None, mode: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        search(z_batch=z_batch, generator_mode=mode)


def test_rows_and_replacements() -> None:
    first, second = (search(2)(networks(), Slope(), entropy, 4, seeding.generator(seed)) for seed in (0, 1))
    both = first.replaced(torch.tensor([3, 1]), second.rows(torch.tensor([0, 2])))
    for name, values in vars(both).items():
        mine, other = getattr(first, name), getattr(second, name)
        assert torch.equal(values, torch.stack([mine[0], other[2], mine[2], other[0]]))


def test_the_generator_is_the_only_randomness() -> None:
    draws = [search(steps=2)(networks(), Slope(), entropy, 3, seeding.generator(seed)).latents for seed in (0, 0, 1)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_works_where_gradients_are_off() -> None:
    with torch.no_grad():
        found = search()(networks(), Slope(), entropy, 2, seeding.generator(0))
    assert not torch.equal(found.latents, found.start)


def test_stops_where_a_latent_is_not_finite() -> None:
    with pytest.raises(FloatingPointError, match="not finite after 2 steps"):
        search(steps=2, lr=float("inf"))(networks(), Slope(), entropy, 2, seeding.generator(0))


def tilted(slope: float) -> Slope:
    model = Slope()
    model.head.weight.data[0] = torch.tensor([4.0, slope])
    return model.eval()


def test_searches_of_several_cells_in_one_generator_move_each_latent_as_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three cells with a model each, one with another score, and one of them with too many latents for one batch; a
    fourth that searches in another generator is alone."""
    made, other, together = networks(), networks(), list[int]()
    answer = StackedSearch.answer

    def counted(first: StackedSearch, others: Sequence[StackedSearch]) -> None:
        together.append(1 + len(others))
        answer(first, others)

    monkeypatch.setattr(StackedSearch, "answer", counted)
    cells = [(made, 0.0, entropy, 7), (made, 1.0, boundary_closeness, 60), (made, 2.0, entropy, 5)]
    cells = [*cells, (other, 2.0, entropy, 5)]
    found: list[Any] = [None] * len(cells)
    descent = search(z_batch=6, stacked=True)

    def look(place: int) -> None:
        gan, slope, score, size = cells[place]
        found[place] = descent(gan, tilted(slope), score, size, seeding.generator(place))

    members = [Member(partial(look, place)) for place in range(len(cells))]
    run_pack(members)
    assert together == [3]
    for place, (gan, slope, score, size) in enumerate(cells):
        alone = descent(gan, tilted(slope), score, size, seeding.generator(place))
        assert torch.equal(found[place].start, alone.start)
        torch.testing.assert_close(found[place].latents, alone.latents)
        torch.testing.assert_close(found[place].images, alone.images)


def test_in_batch_mode_each_cell_searches_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    made, found = normed_players(), list[Any]()
    descent = search(3, generator_mode="batch", stacked=True)

    def look() -> None:
        found.append(descent(made, Slope(), entropy, 4, seeding.generator(0)))

    run_pack([Member(look) for _ in range(2)])
    assert caplog.text.count("latents are moved alone, for where one goes depends on others") == 2
    alone = descent(made, Slope(), entropy, 4, seeding.generator(0))
    assert all(torch.equal(each.latents, alone.latents) for each in found)
