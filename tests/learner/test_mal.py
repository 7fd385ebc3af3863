"""MAL's game on inputs of two kinds: who moves what, in which direction, and what of it the query sees."""

import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.errors import UserError
from al_bench.learner.mal import Alignment, Mal
from al_bench.network import Network
from al_bench.network.aligned import Aligned
from al_bench.network.predict import predict
from al_bench.network.resnet18 import ResNet18
from al_bench.network.vgg16_bn_imagenet import Vgg16BnImagenet
from al_bench.training import losses
from al_bench.training.classification import Classification
from al_bench.training.cost import measure_cost

NUM_LABELED, NUM_UNLABELED = 20, 50
Batch = tuple[Tensor, Tensor, Tensor]


class Small(Network):
    """Eight features of two inputs, with batch norm, as a residual network has."""

    def __init__(self, input_shape: tuple[int, ...], num_classes: int) -> None:
        layers = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Tanh())
        super().__init__(layers, nn.Identity(), nn.Linear(8, num_classes))


def made_pool() -> Pool:
    """Three classes in a row; what is unlabeled is shifted."""
    inputs = torch.randn(NUM_LABELED + NUM_UNLABELED, 2, generator=seeding.generator(0))
    inputs[NUM_LABELED:, 0] += 1
    labels = torch.bucketize(inputs[:NUM_LABELED, 1].contiguous(), torch.tensor([-0.5, 0.5]))
    return Pool.unlabeled_from(inputs, 3).with_labels(PoolQuery(torch.arange(NUM_LABELED)), labels)


def learner(**changes: Any) -> Mal:
    adam = partial(torch.optim.Adam, lr=0.01)
    usual: dict[str, Any] = {
        "network": Small,
        "epochs": 5,
        "task_epochs": 5,
        "batch_size": 8,
        "optimizer": adam,
        "classifier_optimizer": adam,
        "discriminator_optimizer": adam,
        "task_optimizer": adam,
        "minimax": True,
        "discriminator": True,
        "d_to_f": "none",
        "discriminator_reads": "train",
        "reversal": "inside",
        "normalize": "embedding",
        "temperature": 0.05,
        "discriminator_temperature": 1.0,
        "weight": 0.1,
        "hidden": 6,
        "discriminator_hidden": [16, 16],
        "discriminator_channels": [4, 4, 4],
        "head": "linear",
        "carry_over": False,
    }
    return Mal(**{**usual, **changes})


def made(settings: Mal) -> tuple[Aligned, Alignment]:
    """Untrained, in train mode."""
    model = settings.empty(made_pool(), seed=0)
    assert isinstance(model, Aligned)
    return model, Alignment(model, settings).train()


def batch() -> Batch:
    pool = made_pool()
    return pool.inputs[pool.labeled], pool.labels, pool.inputs[pool.unlabeled]


def step(game: Alignment, optimizers: list[Optimizer]) -> None:
    """One step, as `Fitter.fit` makes it."""
    _, *driven = Fabric(accelerator="cpu").setup(game, *optimizers)
    game.step(batch(), driven)


def entropy(model: Aligned) -> float:
    with torch.no_grad():
        return float(losses.smoothed_entropy(model.classifier(batch()[2])))


def weights(module: nn.Module) -> list[Tensor]:
    """With the statistics of batch norm."""
    return [value.clone() for value in module.state_dict().values()]


def moved(module: nn.Module, before: list[Tensor]) -> bool:
    return any(not torch.equal(now, was) for now, was in zip(module.state_dict().values(), before, strict=True))


def change_of_entropy(settings: Mal, part: str) -> float:
    """By one step of SGD on the minimax loss, taken by one part alone."""
    model, game = made(replace(settings, weight=1.0))
    before = entropy(model)
    parts = {"F": model.classifier.backbone, "first layer": model.classifier.neck, "prototypes": model.classifier.head}
    optimizer = torch.optim.SGD(parts[part].parameters(), lr=0.01)
    logits = game.reversed_logits(model.classifier.features(batch()[2]))
    (-losses.smoothed_entropy(logits)).backward()
    optimizer.step()
    return entropy(model) - before


@pytest.mark.parametrize(
    ("reversal", "directions"),
    [
        ("inside", {"F": -1, "first layer": -1, "prototypes": 1}),
        ("before", {"F": -1, "first layer": 1, "prototypes": 1}),
    ],
)
def test_features_lower_the_entropy_and_prototypes_raise_it(reversal: str, directions: dict[str, int]) -> None:
    for part, direction in directions.items():
        assert direction * change_of_entropy(learner(reversal=reversal), part) > 1e-4, part


def test_a_whole_step_has_the_gradients_of_algorithm_1() -> None:
    """SGD in place of Adam: each of its losses by hand, F and C moving between them."""
    sgd = partial(torch.optim.SGD, lr=0.01)
    settings = learner(optimizer=sgd, classifier_optimizer=sgd, discriminator_optimizer=sgd, weight=0.3)
    model, game = made(settings)
    slow = copy.deepcopy(model)
    step(game, game.configure_optimizers())

    inputs, labels, others = batch()
    f_and_c = list(slow.classifier.parameters())
    features = slow.classifier.features(inputs)
    _descend(f_and_c, functional.cross_entropy(slow.classifier.classify(features), labels), [1] * len(f_and_c))
    unlabeled = slow.classifier.features(others)
    probs = slow.classifier.classify(unlabeled).softmax(1)
    mean = -(probs * (probs + 1e-5).log()).sum(1).mean()
    head = len(list(slow.classifier.head.parameters()))
    signs = [1] * (len(f_and_c) - head) + [-1] * head  # F and the first layer descend, the prototypes ascend
    _descend(f_and_c, 0.3 * mean, signs)
    assert slow.discriminator is not None
    answers = [slow.discriminator(part.detach()) for part in (features, unlabeled)]
    loss = functional.softplus(-answers[0]).mean() + functional.softplus(answers[1]).mean()
    _descend(list(slow.discriminator.parameters()), loss, None)
    for (name, now), expected in zip(model.named_parameters(), slow.parameters(), strict=True):
        assert torch.allclose(now, expected, atol=1e-6), name


def _descend(parameters: list[nn.Parameter], loss: Tensor, signs: list[int] | None) -> None:
    gradients = torch.autograd.grad(loss, parameters)
    with torch.no_grad():
        for value, gradient, sign in zip(parameters, gradients, signs or [1] * len(parameters), strict=True):
            value.sub_(0.01 * sign * gradient)


@pytest.mark.parametrize("minimax", [True, False])
def test_d_moves_nothing_of_the_features_unless_asked(minimax: bool) -> None:
    after = []
    for discriminator in (True, False):
        model, game = made(learner(minimax=minimax, discriminator=discriminator))
        step(game, game.configure_optimizers())
        after.append(weights(model.classifier))
    assert all(torch.equal(first, second) for first, second in zip(*after, strict=True))


def test_an_adversarial_d_is_hidden_from() -> None:
    """F moves against D, which moves as ever."""
    sgd = partial(torch.optim.SGD, lr=0.05)
    model, game = made(learner(d_to_f="adversarial", weight=0.0, optimizer=sgd, discriminator_optimizer=sgd))
    assert model.discriminator is not None
    for part, direction in (("F", 1), ("D", -1)):
        tried, played = copy.deepcopy(model), Alignment(copy.deepcopy(model), game.settings).train()
        tried = Aligned(model.network, played.classifier, played.discriminator)
        before = told_apart(tried)
        optimizers = played.configure_optimizers()
        for position, optimizer in enumerate(optimizers):
            if position != (0 if part == "F" else 2):
                optimizer.param_groups[0]["lr"] = 0.0
        _, *driven = Fabric(accelerator="cpu").setup(played, *optimizers)
        inputs, _, others = batch()
        played.discriminate(inputs, others, (), driven)
        assert direction * (told_apart(tried) - before) > 1e-6, part


def told_apart(model: Aligned) -> float:
    """D's loss."""
    inputs, _, others = batch()
    assert model.discriminator is not None
    with torch.no_grad():
        features = [model.classifier.features(part) for part in (inputs, others)]
        return float(losses.labeledness_loss(*(model.discriminator(part) for part in features)))


def test_labels_alone_show_batch_norm_nothing_unlabeled() -> None:
    """SL-Div's F is SL-Random's where nothing is augmented, and its D is trained on it all the same (Sec. 5)."""
    pool = made_pool()
    alone, beside_d = (
        learner(minimax=False, discriminator=discriminator).fit(pool, None, seed=0) for discriminator in (False, True)
    )
    assert isinstance(alone, Aligned)
    assert isinstance(beside_d, Aligned)
    assert not moved(beside_d.classifier, weights(alone.classifier))
    assert not moved(beside_d.network, weights(alone.network))
    begun = learner(minimax=False).empty(pool, seed=0)
    assert isinstance(begun, Aligned) and begun.discriminator is not None and beside_d.discriminator is not None
    assert moved(beside_d.discriminator, weights(begun.discriminator))


def final_entropy(weight: float, shared: bool) -> float:
    """The last entropy of a game with one Adam for each module, or with a second one for the minimax loss."""
    model, game = made(learner(weight=weight, discriminator=False))
    optimizers = game.configure_optimizers()
    seconds = optimizers if shared else game.configure_optimizers()
    inputs, labels, others = batch()
    for _ in range(60):
        cross = losses.cross_entropy(model.classifier(inputs), labels)
        _update(optimizers, cross)
        logits = game.reversed_logits(model.classifier.features(others))
        _update(seconds, -weight * losses.smoothed_entropy(logits))
    return entropy(model)


def _update(optimizers: list[Optimizer], loss: Tensor) -> None:
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()


def test_a_second_adam_would_undo_lambda() -> None:
    """Adam divides a constant factor away: only beside the other loss's gradients does lambda weigh anything."""
    apart = [final_entropy(weight, shared=False) for weight in (0.01, 1.0)]
    shared = [final_entropy(weight, shared=True) for weight in (0.01, 1.0)]
    assert abs(apart[0] - apart[1]) < 0.2 * abs(shared[0] - shared[1])


@pytest.mark.parametrize("weight", [0.01, 1.0])
def test_the_step_takes_both_losses_by_one_adam(weight: float) -> None:
    """What its Adam remembers of one loss weighs in the other's update."""
    model, game = made(learner(weight=weight, discriminator=False))
    _, *driven = Fabric(accelerator="cpu").setup(game, *game.configure_optimizers())
    for _ in range(60):
        game.step(batch(), driven)
    assert entropy(model) == pytest.approx(final_entropy(weight, shared=True), rel=1e-3)
    assert entropy(model) != pytest.approx(final_entropy(weight, shared=False), rel=1e-2)


def test_the_learner_has_one_optimizer_for_each_module() -> None:
    model, game = made(learner())
    parts = [
        {id(value) for group in optimizer.param_groups for value in group["params"]}
        for optimizer in game.configure_optimizers()
    ]
    f, c = model.classifier.backbone, [*model.classifier.neck.parameters(), *model.classifier.head.parameters()]
    assert model.discriminator is not None
    assert parts == [{id(value) for value in group} for group in (f.parameters(), c, model.discriminator.parameters())]


@pytest.mark.parametrize("still", ["optimizer", "classifier_optimizer", "discriminator_optimizer"])
def test_each_part_moves_at_its_own_rate(still: str) -> None:
    model, game = made(learner(**{still: partial(torch.optim.SGD, lr=0.0)}))
    assert model.discriminator is not None
    parts = {
        "optimizer": list(model.classifier.backbone.parameters()),
        "classifier_optimizer": [*model.classifier.neck.parameters(), *model.classifier.head.parameters()],
        "discriminator_optimizer": list(model.discriminator.parameters()),
    }
    before = {name: [value.clone() for value in values] for name, values in parts.items()}
    step(game, game.configure_optimizers())
    same = {name for name, values in parts.items() if all(map(torch.equal, values, before[name]))}
    assert same == {still}


def test_m_begins_with_the_features_of_this_round() -> None:
    """A task optimizer that stands still leaves M's backbone as F is."""
    still = partial(torch.optim.SGD, lr=0.0)
    model = learner(task_optimizer=still).fit(made_pool(), None, seed=0)
    assert isinstance(model, Aligned)
    assert all(
        torch.equal(m, f)
        for m, f in zip(model.network.backbone.parameters(), model.classifier.backbone.parameters(), strict=True)
    )
    begun = learner().empty(made_pool(), seed=0)
    assert moved(model.classifier.backbone, weights(begun.classifier.backbone))  # type: ignore[arg-type]


def test_strategies_see_c_and_the_evaluator_m() -> None:
    model = learner().fit(made_pool(), None, seed=0)
    assert isinstance(model, Aligned)
    inputs, positions = made_pool().inputs, torch.arange(10)
    seen = predict(model, inputs, positions, lambda logits: logits)
    assert torch.allclose(seen, model.classifier(inputs[positions]))
    assert torch.allclose(model(inputs[positions]), model.network(inputs[positions]))
    assert not torch.allclose(seen, model(inputs[positions]))


def test_d_answers_low_on_what_is_unlike_the_labeled_inputs() -> None:
    """In train mode batch norm would hide from it how both kinds differ."""
    inputs = torch.cat([made_pool().inputs])
    inputs[NUM_LABELED:, 0] += 4
    pool = replace(made_pool(), inputs=inputs)
    model = learner(weight=0.0, epochs=60, discriminator_reads="eval").fit(pool, None, seed=0)
    assert isinstance(model, Aligned)
    answers = model.labeledness(inputs)
    assert answers[:NUM_LABELED].min() > answers[NUM_LABELED:].max()
    logits, same = model.logits_and_labeledness(inputs)
    assert torch.equal(same, answers)
    assert torch.equal(logits, model.acquisition_logits(inputs))


@pytest.mark.parametrize("minimax", [True, False])
def test_d_reads_in_eval_mode_where_no_step_of_f_reads_unlabeled_inputs(minimax: bool) -> None:
    """So that in SL-Div both are one training, whatever the key says, and in SSL-Div they are two."""
    trained = [
        weights(learner(minimax=minimax, discriminator_reads=reads).fit(made_pool(), None, seed=0).discriminator)  # type: ignore[attr-defined]
        for reads in ("train", "eval")
    ]
    same = all(torch.equal(one, other) for one, other in zip(*trained, strict=True))
    assert same != minimax


def test_what_was_learned_is_carried_over_only_when_asked() -> None:
    still = {
        name: partial(torch.optim.SGD, lr=0.0)
        for name in ("optimizer", "classifier_optimizer", "discriminator_optimizer")
    }
    previous = learner().fit(made_pool(), None, seed=0)
    assert isinstance(previous, Aligned)
    for carry_over in (True, False):
        model = learner(carry_over=carry_over, **still).fit(made_pool(), previous, seed=1)
        assert isinstance(model, Aligned)
        assert model.discriminator is not None and previous.discriminator is not None
        both = (model.classifier, previous.classifier), (model.discriminator, previous.discriminator)
        for now, was in both:
            pairs = zip(now.parameters(), was.parameters(), strict=True)
            assert all(torch.equal(*pair) for pair in pairs) == carry_over


def test_m_is_trained_for_epochs_of_its_own() -> None:
    """20 inputs are 3 batches of 8 an epoch; each is a step by labels, one by entropy and one of D, of M one."""
    with measure_cost() as cost:
        learner(epochs=2, task_epochs=4).fit(made_pool(), None, seed=0)
    assert cost.optimizer_steps == 3 * (2 * 3 + 4)


def test_a_cosine_head_is_eq_1() -> None:
    model = learner(head="cosine").fit(made_pool(), None, seed=0)
    assert isinstance(model, Aligned)
    features = model.features(made_pool().inputs)
    by_hand = functional.normalize(features, dim=1) @ model.network.head.vectors.weight.T / 0.05
    assert torch.allclose(model(made_pool().inputs), by_hand, atol=1e-4)


def test_normalizing_features_leaves_only_their_directions() -> None:
    for normalize, same in (("features", True), ("embedding", False)):
        model, _ = made(learner(normalize=normalize))
        features = torch.randn(5, 8)
        assert (
            torch.allclose(model.classifier.classify(features), model.classifier.classify(3 * features), atol=1e-5)
            == same
        )


@pytest.mark.parametrize("left", [0, 1])
def test_the_end_of_the_pool_is_trained_without_the_game(left: int, tmp_path: Path) -> None:
    """Batch norm cannot be shown a single unlabeled input."""
    pool = made_pool()
    rest = pool.unlabeled[: NUM_UNLABELED - left]
    pool = pool.with_labels(PoolQuery(rest), torch.zeros(len(rest), dtype=torch.int64))
    model = learner(epochs=1, task_epochs=1).fit(pool, None, 0, tmp_path)
    assert model(pool.inputs).isfinite().all()


def test_a_stop_in_the_second_phase_repeats_nothing_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uncut = learner().fit(made_pool(), None, 0, tmp_path / "uncut")
    with monkeypatch.context() as patched:
        patched.setattr(Classification, "step", _stop)
        with pytest.raises(KeyboardInterrupt):
            learner().fit(made_pool(), None, 0, tmp_path / "cut")
    monkeypatch.setattr(Alignment, "step", _stop)
    resumed = learner().fit(made_pool(), None, 0, tmp_path / "cut")
    assert not moved(resumed, weights(uncut))


def _stop(*given: Any) -> None:
    raise KeyboardInterrupt


def test_refuses_what_has_no_meaning() -> None:
    with pytest.raises(UserError, match="discriminator=true"):
        learner(discriminator=False, d_to_f="adversarial")
    with pytest.raises(UserError, match=r"discriminator_reads=eval gives no gradient to .*=adversarial"):
        learner(discriminator_reads="eval", d_to_f="adversarial")
    assert not learner(discriminator=False).provides
    assert learner().provides == {"labeledness"}


class Flat(Network):
    """No features to train."""

    def __init__(self, input_shape: tuple[int, ...], num_classes: int) -> None:
        super().__init__(nn.Identity(), nn.Identity(), nn.Linear(2, num_classes))


def test_refuses_a_network_without_features() -> None:
    with pytest.raises(UserError, match="Flat has none"):
        learner(network=Flat).empty(made_pool(), seed=0)


@pytest.mark.parametrize(
    ("network", "hidden", "counts"),
    [
        (
            partial(ResNet18, stem="imagenet", width=64, mean=0.5, std=0.5),
            256,
            (11_176_512, 156_928, 525_825, 11_227_812),
        ),
        (partial(Vgg16BnImagenet, mean=0.5, std=0.5), 512, (14_723_136, 12_896_768, 13_108_737, 17_232_036)),
    ],
    ids=["resnet18", "vgg16_bn_imagenet"],
)
def test_sizes_are_the_papers(network: Any, hidden: int, counts: tuple[int, ...]) -> None:
    """Sec. 5.1, for CIFAR-100: F, C, D and M have 11.18M, 156.93K, 525.83K and 11.23M parameters with ResNet18."""
    settings = learner(network=network, hidden=hidden, discriminator_hidden=[512, 512])
    model = settings.empty(Pool.unlabeled_from(torch.empty((0, 3, 32, 32)), 100), seed=0)
    assert isinstance(model, Aligned)
    c = nn.ModuleList([model.classifier.neck, model.classifier.head])
    parts = [model.classifier.backbone, c, model.discriminator, model.network]
    assert tuple(sum(value.numel() for value in part.parameters()) for part in parts if part is not None) == counts
