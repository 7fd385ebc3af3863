"""AC-GAN by its equations, and adversarial sampling by what it must choose and must leave alone."""

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from composing import compose, part
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.config.validation import refuse_arguments
from al_bench.config.values import written_and_resolved
from al_bench.errors import UserError
from al_bench.gan import Gan
from al_bench.gan.dcgan import Dcgan
from al_bench.gan.sngan import Sngan
from al_bench.gan.wgan_gp import WganGp
from al_bench.learner.acgan import Acgan, ConditionalGame
from al_bench.network.class_conditional import ClassConditionalGan, ClassHeads
from al_bench.network.plain_gan import PlainCritic, PlainGenerator
from benchmarks.gan import moved_alike
from run import instantiated

CLASSES, LABELED = 4, 24
IMAGES = (255 * torch.rand(40, 1, 8, 8, generator=seeding.generator(0))).to(torch.uint8)
HEADS = ClassHeads("one_hot", embedding_size=8, spectral_head=False, initialization="normal_002")


def gan_of(kind: type[Gan] = Dcgan, norm: Any = "batch", **changed: Any) -> Gan:
    own = {Dcgan: {"halved": False}, Sngan: {"loss": "cross_entropy"}, WganGp: {"penalty_weight": 10}}[kind]
    adam = partial(torch.optim.Adam, lr=0.01, betas=(0.5, 0.999))
    settings: dict[str, Any] = {
        "generator": partial(PlainGenerator, channels=(4, 3), initialization="normal_002"),
        "discriminator": partial(PlainCritic, channels=(3, 4), slope=0.2, norm=norm, initialization="normal_002"),
        "generator_optimizer": adam,
        "discriminator_optimizer": adam,
        "latent_size": 5,
        "iterations": 3,
        "batch_size": 6,
        "num_critic": 1,
        "conditional": HEADS,
    }
    return kind(**(settings | own | changed))


def learner(gan: Gan | None = None, **changed: Any) -> Acgan:
    settings: dict[str, Any] = {
        "class_weight": 1,
        "generator_class_weight": 1,
        "classify_fakes": False,
        "reads": "labeled",
        "warm_start": False,
        "missing_classes": "skip",
    }
    return Acgan(gan=gan or gan_of(), **(settings | changed))


def pool(labels: Tensor | None = None, images: Tensor = IMAGES) -> Pool:
    if labels is None:
        labels = torch.arange(LABELED) % CLASSES
    return Pool.unlabeled_from(images, CLASSES).with_labels(PoolQuery(torch.arange(len(labels))), labels)


def game_of(settings: Acgan, classes: Tensor | None = None) -> ConditionalGame:
    model = settings.empty(pool(), seed=0).train()
    return ConditionalGame(model, settings, torch.arange(CLASSES) if classes is None else classes)


def batch(critic_steps: int = 1) -> tuple[Tensor, Tensor]:
    chosen = torch.arange(6 * critic_steps).reshape(critic_steps, 6)
    return IMAGES[chosen], chosen % CLASSES


def weights(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def descend(parameters: Sequence[nn.Parameter], gradients: Sequence[Tensor]) -> None:
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.sub_(0.5 * gradient)


def play(game: ConditionalGame, batch: tuple[Tensor, Tensor]) -> Any:
    """One iteration, driven by nobody."""
    return game.step(batch, game.configure_optimizers())


def test_the_losses_are_equations_1_to_5() -> None:
    """Of one step with plain gradient descent: minus Eqs. 4 and 5, written out; no norm couples the images."""
    descent = partial(torch.optim.SGD, lr=0.5)
    gan = gan_of(norm="none", discriminator_optimizer=descent, generator_optimizer=descent)
    game = game_of(learner(gan, class_weight=0.7, generator_class_weight=0.3))
    slow = game_of(game.settings).model
    with torch.no_grad():
        for parameter in (*game.parameters(), *slow.parameters()):
            parameter.mul_(8)  # as they are drawn, gradients of the generator are too small to tell
    images, labels = batch()
    with seeding.fork(1):
        latents, wanted = torch.randn(6, 5), torch.randint(CLASSES, (6,))
    fake = slow.generate(latents, wanted)
    of_d = [*slow.critic.parameters(), *slow.head.parameters()]
    real = images[0] / 255
    d_real, d_fake = (slow.critic(part).sigmoid() for part in (real, fake.detach()))
    eq_1 = d_real.log().mean() + (1 - d_fake).log().mean()
    eq_2 = -slow(real).softmax(1)[torch.arange(6), labels[0]].log().mean()
    gradients = torch.autograd.grad(-(eq_1 - 0.7 * eq_2), of_d)
    descend(of_d, gradients)
    eq_3 = -slow(fake).softmax(1)[torch.arange(6), wanted].log().mean()
    of_g = list(slow.generator.parameters())
    gradients = torch.autograd.grad(-slow.critic(fake).sigmoid().log().mean() + 0.3 * eq_3, of_g)
    descend(of_g, gradients)
    with seeding.fork(1):
        found = play(game, (images, labels))
    for (name, value), other in zip(game.model.named_parameters(), slow.parameters(), strict=True):
        torch.testing.assert_close(value, other, rtol=1e-4, atol=1e-6, msg=name)
    assert float(found["class_loss"]) == pytest.approx(eq_2.item(), rel=1e-5)
    assert float(found["generator_class_loss"]) == pytest.approx(eq_3.item(), rel=1e-5)


@pytest.mark.parametrize("classify_fakes", [False, True])
def test_c_learns_from_fakes_only_where_that_is_asked_for(classify_fakes: bool) -> None:
    game, (images, labels) = game_of(learner(gan_of(norm="none"), classify_fakes=classify_fakes)), batch()
    fake = torch.rand(6, 1, 8, 8, generator=seeding.generator(1))
    found = [game.losses_of_critic(images[0], labels[0], [], fake, torch.full((6,), wanted)) for wanted in (0, 1)]
    assert torch.equal(found[0][0], found[1][0]), "D looks at no class"
    assert torch.equal(found[0][1], found[1][1]) != classify_fakes
    real_alone = functional.cross_entropy(game.model(images[0] / 255), labels[0])
    fakes = functional.cross_entropy(game.model(fake), torch.zeros(6).long())
    torch.testing.assert_close(found[0][1], real_alone + fakes if classify_fakes else real_alone)


@pytest.mark.parametrize("reads", ["labeled", "pool"])
def test_a_critic_is_held_by_its_penalty_between_the_fakes_and_what_d_is_shown(reads: Any) -> None:
    """Image by image: lambda (|grad D| - 1)^2 on the lines between them, in the critic's range of [-1, 1]."""
    game = game_of(learner(gan_of(WganGp, "none"), reads=reads))
    images, labels = batch()
    others = [IMAGES[30:36]] if reads == "pool" else []
    shown = (others[0] if others else images[0]) / 255
    fake = torch.rand(6, 1, 8, 8, generator=seeding.generator(1))
    with torch.no_grad():
        for parameter in game.parameters():
            parameter.mul_(8)  # as they are drawn, the slope is nearly 0 everywhere
    critic, losses = game.model.critic, list[Tensor]()
    with seeding.fork(2):
        share = torch.rand(6, 1, 1, 1)
    for image, made, weight in zip(shown, fake, share, strict=True):
        point = ((weight * made + (1 - weight) * image) * 2 - 1).requires_grad_(True)
        (slope,) = torch.autograd.grad(critic.values(point[None]).sum(), point)
        losses.append(critic(made[None]) - critic(image[None]) + 10 * (slope.norm() - 1) ** 2)
    with seeding.fork(2):
        found, class_loss = game.losses_of_critic(images[0], labels[0], others, fake, torch.zeros(6).long())
    assert found.item() == pytest.approx(torch.cat(losses).mean().item(), rel=1e-4)
    expected = functional.cross_entropy(game.model(images[0] / 255), labels[0])
    assert class_loss.item() == pytest.approx(expected.item(), rel=1e-5), "C learns from labeled images alone"


def test_d_is_shown_no_image_that_is_withheld() -> None:
    """Such as a person's audit set, by which the model is measured."""
    given = replace(pool(), withheld=torch.arange(26, 40))
    batches = learner(reads="pool")._batches(given, seed=0)
    assert batches.others is not None and len(batches.others.inputs) == 26
    shown = torch.cat([batches.load(step)[2].flatten(0, 1) for step in range(30)])
    seen = {number for number, image in enumerate(IMAGES) if bool((shown == image).flatten(1).all(1).any())}
    assert seen == set(range(26))
    assert len(replace(given, withheld=None).readable) == 40


def test_each_update_moves_its_own_player() -> None:
    game = game_of(learner())
    before = weights(game.model)
    play(game, batch())
    after = weights(game.model)
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"generator", "backbone", "head", "drawn"}
    assert all(parameter.requires_grad for parameter in game.parameters())
    assert int(game.model.drawn.sum()) == 6


def test_a_learned_code_of_the_class_moves_with_the_generator() -> None:
    heads = ClassHeads("embedding", embedding_size=8, spectral_head=False, initialization="normal_002")
    game = game_of(learner(gan_of(conditional=heads)))
    before = weights(game.model.code)
    play(game, batch())
    assert not equal(weights(game.model.code), before)


class Watched(ConditionalGame):
    """Keeps what is drawn and what trains."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.seen: list[tuple[Tensor, Tensor, Tensor]] = []
        self.ranked: list[tuple[Tensor, Tensor]] = []

    def rank(self, latents: Tensor, wanted: Tensor) -> Tensor:
        self.ranked.append((latents, wanted))
        return super().rank(latents, wanted)

    def choose_fakes(self, count: int, device: torch.device) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            copy = weights(self.model)
        chosen = super().choose_fakes(count, device)
        assert equal(copy, weights(self.model)), "running statistics and the vectors of spectral norm stay"
        self.seen.append((*chosen, self.values(*self.ranked[-1]) if self.ranked else torch.empty(0)))
        return chosen

    def values(self, latents: Tensor, wanted: Tensor) -> Tensor:
        """D of all candidates, by a copy of its own in train mode."""
        with torch.no_grad():
            kept = weights(self.model)
            for part in self.model.modules():
                part.train(isinstance(part, _BatchNorm))
            values = self.model.critic(self.model.generate(latents, wanted))
            self.model.load_state_dict(kept)
            self.model.train()
        return values


def watched(kind: type[Gan], norm: str, critic_steps: int = 1, gamma: int = 4, **changed: Any) -> Watched:
    settings = learner(gan_of(kind, norm, num_critic=critic_steps), gamma=gamma, **changed)
    return Watched(settings.empty(pool(), 0).train(), settings, torch.arange(CLASSES))


PER_CLASS = {"select": "per_class", "fake_classes": "labeled", "new_fakes": "each_iteration"}


@pytest.mark.gpu
@pytest.mark.parametrize("reads", ["labeled", "pool"])
@pytest.mark.parametrize(("gamma", "chosen"), [(1, {}), (4, {}), (4, PER_CLASS)])
@pytest.mark.parametrize(("kind", "norm"), [(Dcgan, "batch"), (Sngan, "spectral"), (WganGp, "none")])
def test_a_captured_training_ends_as_an_eager_one(
    kind: type[Gan], norm: str, gamma: int, chosen: dict[str, Any], reads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight iterations, five of them replayed."""
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    on_gpu = pool(images=IMAGES.cuda())
    changed = {"gamma": gamma, "reads": reads, **chosen}
    eager, captured = (
        learner(gan_of(kind, norm, iterations=8, capture=capture), **changed).fit(on_gpu, None, seed=1)
        for capture in (False, True)
    )
    start = learner(gan_of(kind, norm)).empty(on_gpu, seed=1)
    assert moved_alike(start, captured, eager)


@pytest.mark.parametrize(("kind", "norm"), [(Dcgan, "batch"), (Sngan, "spectral"), (WganGp, "none")])
def test_the_fakes_of_highest_d_train_and_keep_their_order(kind: type[Gan], norm: str) -> None:
    game = watched(kind, norm)
    play(game, batch())
    ((latents, wanted, values),) = game.seen
    candidates, classes = game.ranked[0]
    assert candidates.shape == (24, 5)
    rows = [int((candidates == latent).all(1).nonzero()) for latent in latents]
    assert rows == sorted(rows), "in the order in which they were drawn"
    assert torch.equal(classes[rows], wanted)
    assert set(rows) == set(values.topk(6).indices.tolist())


@pytest.mark.parametrize(("kind", "norm"), [(Dcgan, "batch"), (Sngan, "spectral"), (WganGp, "none")])
def test_of_each_class_its_fakes_of_highest_d_train_as_many_as_were_drawn_of_it(kind: type[Gan], norm: str) -> None:
    """By a loop; the classes are those that a batch without candidates draws."""
    game = watched(kind, norm, select="per_class")
    play(game, batch())
    ((latents, wanted, values),) = game.seen
    candidates, classes = game.ranked[0]
    slots = classes.reshape(6, 4)
    assert bool((slots == slots[:, :1]).all()), "four candidates of the class of each"
    rows = [int((candidates == latent).all(1).nonzero()) for latent in latents]
    assert rows == sorted(rows), "in the order in which they were drawn"
    assert torch.equal(classes[rows], wanted)
    best = set[int]()
    for number, count in enumerate(torch.bincount(slots[:, 0], minlength=CLASSES).tolist()):
        of_it = (classes == number).nonzero().flatten()
        best.update(of_it[values[of_it].topk(count).indices].tolist())
    assert set(rows) == best


def test_no_shape_of_a_choice_depends_on_values() -> None:
    """On tensors without values, which have no ranks either: a CUDA graph can be made of it."""

    def rows(latents: Tensor, wanted: Tensor) -> Tensor:
        return torch.empty_like(wanted)

    for select in ("together", "per_class"):
        game = game_of(learner(gamma=4, select=select)).to("meta")
        game.rank = rows  # type: ignore[method-assign]
        latents, wanted = game.choose_fakes(6, torch.device("meta"))
        assert (latents.shape, wanted.shape) == ((6, 5), (6,))


@pytest.mark.parametrize(("kind", "norm"), [(Dcgan, "batch"), (Sngan, "spectral"), (WganGp, "none")])
def test_without_candidates_a_choice_per_class_is_regular_training_bit_for_bit(kind: type[Gan], norm: str) -> None:
    trained = {
        (gamma, select): weights(learner(gan_of(kind, norm), gamma=gamma, select=select).fit(pool(), None, seed=3))
        for gamma in (1, 4)
        for select in ("together", "per_class")
    }
    assert equal(trained[1, "together"], trained[1, "per_class"])
    assert not equal(trained[4, "together"], trained[4, "per_class"])


@pytest.mark.parametrize(("kind", "norm"), [(Dcgan, "batch"), (Sngan, "spectral"), (WganGp, "none")])
def test_gamma_1_is_regular_training_bit_for_bit(kind: type[Gan], norm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so is a choice of all candidates: ranking them leaves no trace."""
    regular = learner(gan_of(kind, norm, num_critic=2)).fit(pool(), None, seed=3)

    def ranked(game: ConditionalGame, count: int, device: torch.device) -> tuple[Tensor, Tensor]:
        latents = torch.randn(count, game.model.latent_size)
        wanted = game.classes[torch.randint(len(game.classes), (count,))]
        chosen = game.rank(latents, wanted)[:count].sort().values
        return latents[chosen], wanted[chosen]

    monkeypatch.setattr(ConditionalGame, "choose_fakes", ranked)
    all_chosen = learner(gan_of(kind, norm, num_critic=2)).fit(pool(), None, seed=3)
    assert equal(weights(regular), weights(all_chosen))
    monkeypatch.undo()
    chosen = learner(gan_of(kind, norm, num_critic=2), gamma=2).fit(pool(), None, seed=3)
    assert not equal(weights(regular), weights(chosen))


def test_each_critic_step_chooses_anew_and_the_generator_takes_the_last_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    game = watched(WganGp, "none", critic_steps=3)
    made = list[Tensor]()
    generate = ClassConditionalGan.generate

    def noted(model: ClassConditionalGan, latents: Tensor, classes: Tensor) -> Tensor:
        images = generate(model, latents, classes)
        if images.requires_grad:
            made.append(latents)
        return images

    monkeypatch.setattr(ClassConditionalGan, "generate", noted)
    play(game, batch(3))
    assert len(game.ranked) == 3
    assert len({tuple(latents.flatten().tolist()) for latents, _ in game.ranked}) == 3
    assert len(made) == 1, "one batch has a graph, made once for the last critic step and the generator's"
    assert torch.equal(made[0], game.seen[-1][0])
    assert int(game.model.drawn.sum()) == 3 * 6, "what each critic step was trained on is counted"


def test_fakes_of_an_iteration_train_each_critic_step_and_the_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    game, seen = watched(WganGp, "none", critic_steps=3, new_fakes="each_iteration"), list[tuple[Tensor, Tensor]]()
    judge = ClassConditionalGan.judge

    def noted(game: ConditionalGame, images: Tensor, labels: Tensor, others: Any, fake: Tensor, wanted: Tensor) -> Any:
        seen.append((fake, wanted))
        return losses_of_critic(game, images, labels, others, fake, wanted)

    def judged(model: ClassConditionalGan, images: Tensor) -> Any:
        last.append(images)
        return judge(model, images)

    losses_of_critic, last = ConditionalGame.losses_of_critic, list[Tensor]()
    monkeypatch.setattr(ConditionalGame, "losses_of_critic", noted)
    monkeypatch.setattr(ClassConditionalGan, "judge", judged)
    before = weights(game.model.generator)
    play(game, batch(3))
    assert len(game.ranked) == len(game.seen) == 1
    assert len(seen) == 3 and all(torch.equal(fake, last[-1]) for fake, _ in seen)
    assert all(torch.equal(wanted, game.seen[0][1]) for _, wanted in seen)
    assert not equal(weights(game.model.generator), before)
    assert int(game.model.drawn.sum()) == 3 * 6, "what each critic step was trained on is counted"


def test_with_one_critic_step_fakes_of_an_iteration_are_those_of_the_step() -> None:
    for critic_steps in (1, 2):
        gan = gan_of(WganGp, "none", num_critic=critic_steps)
        each, once = (
            learner(gan, gamma=2, new_fakes=new_fakes).fit(pool(), None, seed=3)
            for new_fakes in ("each_critic_step", "each_iteration")
        )
        assert equal(weights(each), weights(once)) == (critic_steps == 1)


def test_each_critic_step_reads_images_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    game, (images, labels) = game_of(learner(gan_of(WganGp, "none", num_critic=3))), batch(3)
    read = list[tuple[Tensor, Tensor]]()
    losses_of_critic = ConditionalGame.losses_of_critic

    def noted(game: ConditionalGame, images: Tensor, labels: Tensor, *others: Any) -> Any:
        read.append((images, labels))
        return losses_of_critic(game, images, labels, *others)

    monkeypatch.setattr(ConditionalGame, "losses_of_critic", noted)
    play(game, (images, labels))
    assert torch.equal(torch.stack([part for part, _ in read]), images)
    assert torch.equal(torch.stack([part for _, part in read]), labels)


def test_classes_are_drawn_alike_and_d_may_prefer_some() -> None:
    regular, preferring = game_of(learner()), game_of(learner(gamma=4))
    with seeding.fork(0):
        _, wanted = regular.choose_fakes(4000, torch.device("cpu"))
    assert torch.bincount(wanted).tolist() == pytest.approx([1000] * CLASSES, abs=4 * math.sqrt(750))

    def by_class(latents: Tensor, wanted: Tensor) -> Tensor:
        return (wanted == 2).float().sort(descending=True, stable=True).indices

    preferring.rank = by_class  # type: ignore[method-assign]
    with seeding.fork(0):
        _, wanted = preferring.choose_fakes(50, torch.device("cpu"))
    assert torch.bincount(wanted, minlength=CLASSES)[2] > 40, "the choice is among all classes together"


@pytest.mark.parametrize(
    ("fake_classes", "shares"), [("even", [1 / 3, 1 / 3, 0, 1 / 3]), ("labeled", [2 / 8, 5 / 8, 0, 1 / 8])]
)
def test_classes_are_drawn_evenly_or_as_they_are_labeled(fake_classes: str, shares: list[float]) -> None:
    settings = learner(fake_classes=fake_classes)
    classes = settings._classes(pool(torch.tensor([1, 0, 1, 1, 3, 0, 1, 1])))
    with seeding.fork(0):
        _, wanted = game_of(settings, classes).choose_fakes(8000, torch.device("cpu"))
    found = torch.bincount(wanted, minlength=CLASSES) / 8000
    assert found.tolist() == pytest.approx(shares, abs=4 * math.sqrt(1 / 4 / 8000))


def test_labeled_classes_are_those_of_the_training() -> None:
    """Seven eighths of the labels are of one class, and so are the fakes that train D."""
    labels = torch.tensor([1] * 21 + [0, 2, 3])
    drawn = {}
    for fake_classes in ("even", "labeled"):
        model = learner(gan_of(iterations=60), fake_classes=fake_classes).fit(pool(labels), None, seed=0)
        assert isinstance(model, ClassConditionalGan)
        drawn[fake_classes] = int(model.drawn[1]) / (60 * 6)
    assert drawn == {"even": pytest.approx(1 / 4, abs=0.1), "labeled": pytest.approx(7 / 8, abs=0.1)}


def test_a_class_without_a_label_is_not_drawn_and_is_named(caplog: pytest.LogCaptureFixture) -> None:
    without = pool(torch.tensor([0, 1, 1, 3, 0, 3]))
    with caplog.at_level(logging.WARNING):
        model = learner().fit(without, None, seed=0)
    assert "no image of class 2 is labeled" in caplog.text
    assert isinstance(model, ClassConditionalGan)
    assert model.drawn[2] == 0 and int(model.drawn.sum()) == 3 * 6
    caplog.clear()
    many = Pool.unlabeled_from(torch.zeros(2, 1, 8, 8, dtype=torch.uint8), 14).with_labels(
        PoolQuery(torch.arange(2)), torch.tensor([3, 13])
    )
    with pytest.raises(UserError, match="classes 0, 1, 2, 4, 5, 6, 7, 8, 9, 10 and 2 more is labeled"):
        learner(missing_classes="refuse").check(many)
    with pytest.raises(UserError, match="no image of class 2 is labeled: label some at first"):
        learner(missing_classes="refuse").fit(without, None, seed=0)


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        (["loop.initial_size=9", "learner.missing_classes=refuse"], r"^no image of classes? [\d, ]+ is labeled: label"),
        (["loop.initial_size=1"], "^1 labeled image is too few for batch norm"),
    ],
)
@pytest.mark.parametrize("of", ["loop", "tuning"])
def test_first_labels_that_it_cannot_be_trained_on_are_refused_before_anything_is_trained(
    choices: list[str], sentence: str, of: str
) -> None:
    """Nine cannot be of all ten digits; an evaluator of images would train a judge before the first fit."""
    given = ("dataset=digits", "learner=acgan", "strategy=random", "scale=smoke", "recipe.initial=random", *choices)
    procedure = part("procedure", *given, f"procedure={of}", "gan=ac_dcgan", "recipe.every_class=false")
    with pytest.raises(UserError, match=sentence):
        if of == "loop":
            procedure.check_parts(procedure.dataset)
        else:
            procedure.refuse_misfits(procedure.dataset, procedure.label_first(procedure.dataset))


def test_a_warm_start_goes_on_from_the_weights_and_nothing_else() -> None:
    standing = partial(torch.optim.Adam, lr=0.0)
    gan = gan_of(norm="none", discriminator_optimizer=standing, generator_optimizer=standing)
    previous = learner(gan_of(norm="none")).fit(pool(), None, seed=0)
    before = weights(previous)
    assert not learner(gan, warm_start=True).begins_anew
    warm = learner(gan, warm_start=True).fit(pool(), previous, seed=1)
    moved = {name for name, value in weights(warm).items() if not torch.equal(value, before[name])}
    assert not any("weight" in name and "layers.2" not in name for name in moved), "nothing moves without a rate"
    assert torch.equal(warm.head.weight, previous.head.weight)
    assert isinstance(warm, ClassConditionalGan)
    assert int(warm.drawn.sum()) == 3 * 6, "counted anew"
    cold = learner(gan).fit(pool(), previous, seed=1)
    assert not torch.equal(cold.head.weight, previous.head.weight)
    assert equal(weights(previous), before)


def test_d_reads_the_pool_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, classified = set[tuple[float, ...]](), set[tuple[float, ...]]()
    step = ConditionalGame.step

    def noted(game: ConditionalGame, batch: tuple[Tensor, ...], optimizers: Any) -> Any:
        classified.update(rows(batch[0]))
        seen.update(row for part in batch[2:] for row in rows(part))
        return step(game, batch, optimizers)

    def rows(images: Tensor) -> Iterator[tuple[float, ...]]:
        return (tuple(image.tolist()) for image in images.flatten(0, 1).flatten(1))

    monkeypatch.setattr(ConditionalGame, "step", noted)
    learner(iterations=30).fit(pool(), None, seed=0)
    assert not seen and len(classified) == LABELED
    learner(iterations=30, reads="pool").fit(pool(), None, seed=0)
    assert len(seen) == len(IMAGES) and len(classified) == LABELED


def test_what_is_no_class_conditional_gan_is_refused() -> None:
    with pytest.raises(UserError, match="has no class heads: use gan=ac_dcgan"):
        learner(gan_of(conditional=None))
    for choices in (["gan=none"], ["procedure=tuning"]):
        config = compose("learner=acgan", *choices)
        refuse_arguments(*written_and_resolved(config), "procedure")
        with pytest.raises(UserError, match="told classes, and gan=none: use gan=ac_dcgan, ac_sngan or ac_wgan_gp"):
            instantiated(config.learner)
    with pytest.raises(UserError, match=r"gan\.batch_size=1 is too small"):
        learner(gan_of(batch_size=1))
    with pytest.raises(UserError, match=r"gan\.generator_batch_size=9 is another than gan\.batch_size="):
        learner(gan_of(generator_batch_size=9))
    learner(gan_of(generator_batch_size=gan_of().batch_size))
    with pytest.raises(UserError, match="compare two passes over the real images, and learner=acgan makes one"):
        learner(replace(part("gan", "gan=wgan_ct"), conditional=gan_of().conditional))
    features = Pool.unlabeled_from(torch.zeros(4, 7), CLASSES)
    with pytest.raises(UserError, match="these inputs are features: use representation=none"):
        learner().empty(features, 0)
    maps = Pool.unlabeled_from(IMAGES, CLASSES, (8, 8))
    with pytest.raises(UserError, match="these labels are maps"):
        learner().empty(maps, 0)
    with pytest.raises(UserError, match="1 labeled image is too few"):
        learner().fit(pool(torch.tensor([1])), None, seed=0)


def test_a_seed_draws_the_weights_and_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (learner().empty(pool(), seed) for seed in (0, 1))
    assert not equal(weights(first.generator), weights(second.generator))
    assert not torch.equal(first.head.weight, second.head.weight)
    latents = list[Tensor]()
    choose = ConditionalGame.choose_fakes

    def noted(game: ConditionalGame, count: int, device: torch.device) -> tuple[Tensor, Tensor]:
        chosen = choose(game, count, device)
        latents.append(chosen[0])
        return chosen

    monkeypatch.setattr(ConditionalGame, "choose_fakes", noted)
    for seed in (0, 0, 1):
        learner(iterations=1).fit(pool(), None, seed=seed)
    assert torch.equal(latents[0], latents[1]) and not torch.equal(latents[0], latents[2])


def test_its_iterations_are_the_gans_unless_it_says_so() -> None:
    """And the seed of the GAN itself plays no part."""
    usual = learner().fit(pool(), None, seed=0)
    for same in (learner(iterations=3), learner(gan_of(seed=7))):
        assert equal(weights(usual), weights(same.fit(pool(), None, seed=0)))
    longer = learner(iterations=5).fit(pool(), None, seed=0)
    assert isinstance(longer, ClassConditionalGan)
    assert int(longer.drawn.sum()) == 5 * 6
