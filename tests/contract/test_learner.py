"""What every learner promises to the loop (al_bench/learner/__init__.py)."""

from dataclasses import replace
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from composing import members, on_digits, part
from safetensors.torch import load, save
from torch import Tensor

from al_bench.active.pool import UNKNOWN, Pool
from al_bench.active.query import PoolQuery, SyntheticQuery
from al_bench.dataset import Dataset
from al_bench.learner import Learner
from al_bench.learner.acgan import Acgan
from al_bench.learner.boundary import Boundary
from al_bench.network import Network
from al_bench.network.predict import predict
from al_bench.seeding import generator
from al_bench.storage.artifacts import Artifacts
from al_bench.training.observation import Observer

NEEDS = {  # a GAN that trains in seconds, where a learner trains one
    "acgan": ("gan=ac_dcgan", "scale.gan_width=0.125", "gan.batch_size=32", "learner.iterations=120"),
}


@pytest.fixture(params=members("learner"))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def composed(name: str) -> tuple[str, ...]:
    """The overrides of a run on digits."""
    return on_digits(f"learner={name}", "strategy=random", *NEEDS.get(name, ()))


@pytest.fixture
def digits(name: str) -> Dataset:
    """A small pool, for a learner may pass over what is unlabeled; of two digits where it knows no more."""
    made: Dataset = part("dataset", *composed(name), "dataset.max_images=200")
    return made


@pytest.fixture
def all_digits(name: str) -> Dataset:
    """All there are."""
    made: Dataset = part("dataset", *composed(name))
    return made


def prepared(name: str, digits: Dataset, folder: Path, *overrides: str) -> Learner:
    learner: Learner = part("learner", *composed(name), *overrides)
    learner.prepare(digits.blind(), Artifacts(folder))
    return learner


@pytest.fixture
def learner(name: str, digits: Dataset, tmp_path: Path) -> Learner:
    """One that is fast and has learned little."""
    return prepared(name, digits, tmp_path, "learner.iterations=2" if name in NEEDS else "learner.epochs=2")


def labeled(dataset: Dataset, count: int) -> Pool:
    """The pool with `count` true labels."""
    indices = torch.randperm(len(dataset.train), generator=generator(0))[:count]
    pool = Pool.unlabeled_from(dataset.train.images, dataset.num_classes)
    return pool.with_labels(PoolQuery(indices), dataset.train.labels[indices])


def answers(model: Network, dataset: Dataset) -> Tensor:
    """(N,) predicted classes of the test split."""
    everything = torch.arange(len(dataset.test))
    return predict(model, dataset.test.images, everything, lambda logits: logits.argmax(1))


def same(first: Network, second: Network) -> bool:
    mine, other = first.state_dict(), second.state_dict()
    return mine.keys() == other.keys() and all(torch.equal(mine[key], other[key]) for key in mine)


def test_learns_digits(name: str, digits: Dataset, tmp_path: Path) -> None:
    model = prepared(name, digits, tmp_path).fit(labeled(digits, 150), None, seed=0)
    assert (answers(model, digits) == digits.test.labels).double().mean() > 0.8


def test_both_drivers_end_at_the_same_weights(learner: Learner, digits: Dataset) -> None:
    pool = labeled(digits, 40)
    assert same(learner.fit(pool, None, seed=0), driven_by_a_trainer(learner).fit(pool, None, seed=0))


def driven_by_a_trainer(learner: Learner) -> Learner:
    if isinstance(learner, Acgan):
        return replace(learner, gan=replace(learner.gan, trainer=pl.Trainer))
    return replace(learner, trainer=pl.Trainer)  # type: ignore[type-var]  # each of them is a dataclass


def test_the_same_arguments_give_the_same_model_and_another_seed_another(learner: Learner, digits: Dataset) -> None:
    pool = labeled(digits, 40)
    before = torch.get_rng_state()
    first, again, other = (learner.fit(pool, None, seed=seed) for seed in (0, 0, 1))
    assert same(first, again)
    assert not same(first, other)
    assert torch.equal(torch.get_rng_state(), before), "the global generator is put back"


def test_two_fits_share_no_storage(learner: Learner, digits: Dataset) -> None:
    first, second = (learner.fit(labeled(digits, 40), None, seed=0) for _ in range(2))
    places = {value.untyped_storage().data_ptr() for value in first.state_dict().values()}
    assert places.isdisjoint(value.untyped_storage().data_ptr() for value in second.state_dict().values())


def test_the_previous_model_and_the_pool_stay_as_they_were(learner: Learner, digits: Dataset) -> None:
    pool = labeled(digits, 40)
    previous = learner.fit(pool, None, seed=0)
    weights = {key: value.clone() for key, value in previous.state_dict().items()}
    images, labels = digits.train.images[:].clone(), pool.labels.clone()
    after = learner.fit(pool, previous, seed=1)
    assert learner.begins_anew and same(after, learner.fit(pool, None, seed=1)), "unless a key says otherwise"
    assert all(torch.equal(value, weights[key]) for key, value in previous.state_dict().items())
    assert not any(module.training for module in previous.modules())
    assert torch.equal(digits.train.images[:], images)
    assert torch.equal(pool.labels, labels)


def test_a_model_is_ready_for_use(learner: Learner, digits: Dataset) -> None:
    model = learner.fit(labeled(digits, 40), None, seed=0)
    assert not any(module.training for module in model.modules())
    assert all(value.isfinite().all() for value in model.state_dict().values())
    assert model(torch.rand(2, 1, 8, 8)).shape == (2, digits.num_classes)
    assert all(parameter.requires_grad for parameter in model.parameters()), "nothing is left frozen"


def test_the_network_alone_answers_as_its_model_does(learner: Learner, digits: Dataset) -> None:
    """It is what leaves, without what the learner added to train it."""
    model = learner.empty(labeled(digits, 40), seed=0).eval()
    factory = getattr(learner, "network", None)
    if factory is None:
        pytest.skip("its models are no network that is chosen")
    network = factory(input_shape=(1, 8, 8), num_classes=digits.num_classes)
    weights = {name: value for name, value in model.state_dict().items() if name.startswith(model.prefix)}
    network.load_state_dict({name.removeprefix(model.prefix): value for name, value in weights.items()})
    images = torch.rand(5, 1, 8, 8, generator=generator(0))
    assert torch.equal(network.eval()(images), model(images))


def test_a_model_gives_what_its_network_and_its_learner_promise(learner: Learner, digits: Dataset) -> None:
    model = learner.empty(labeled(digits, 40), seed=0).eval()
    factory = getattr(learner, "network", None)
    if factory is not None and type(model).acquisition_logits is Network.acquisition_logits:
        network = factory(input_shape=(1, 8, 8), num_classes=digits.num_classes)
        assert network.provides <= model.provides, "a wrapper provides what it wraps"
    images = torch.rand(3, 1, 8, 8)
    methods = {"embedding": ("embed", 2), "labeledness": ("labeledness", 1), "predicted_loss": ("predicted_loss", 1)}
    for capability in (model.provides | learner.provides) & methods.keys():
        method, dimensions = methods[capability]
        answer = getattr(model, method)(images)
        assert len(answer) == 3
        assert answer.dim() == dimensions
    assert torch.equal(model.classify(model.features(images)), model(images))


@pytest.mark.parametrize("by_trainer", [False, True])
def test_a_model_that_is_looked_at_is_the_same_model(learner: Learner, digits: Dataset, by_trainer: bool) -> None:
    def look(model: Network) -> dict[str, float]:
        return {"mean logit": float(model(images).mean().detach()), "drawn": float(torch.rand(()))}

    images = torch.rand(20, 1, 8, 8)
    pool, observer = labeled(digits, 40), Observer(look, every=2, seed=0)
    one = long_enough(learner)
    model = (driven_by_a_trainer(one) if by_trainer else one).fit(pool, None, seed=0, observe=observer)
    assert same(model, long_enough(learner).fit(pool, None, seed=0))
    *before, last = observer.trace["iteration"]
    assert before == list(range(2, int(last), 2))
    assert last >= 4
    assert observer.trace["mean logit"][-1] == look(model)["mean logit"], "the model that is evaluated"


def test_stored_weights_give_the_same_predictions(learner: Learner, digits: Dataset) -> None:
    pool = labeled(digits, 40)
    model = learner.fit(pool, None, seed=0)
    restored = learner.empty(pool, seed=5)
    restored.load_state_dict(load(save(model.state_dict())))
    assert torch.equal(answers(restored.eval(), digits), answers(model, digits))


def test_learns_from_synthetic_inputs_and_passes_over_what_nobody_could_label(
    name: str, digits: Dataset, tmp_path: Path
) -> None:
    white = torch.full((20, 1, 1, 8, 8), 255, dtype=torch.uint8)
    label = min(3, digits.num_classes - 1)
    pool = labeled(digits, 100).with_labels(SyntheticQuery(white), torch.full((20, 1), label))
    unknown = PoolQuery(pool.unlabeled[:25])
    pool = pool.with_labels(unknown, torch.full((25,), UNKNOWN))
    longer = () if name in NEEDS else ("learner.epochs=30",)
    model = prepared(name, digits, tmp_path, *longer).fit(pool, None, seed=0)
    assert int(model(torch.ones(1, 1, 8, 8)).argmax()) == label
    assert (answers(model, digits) == digits.test.labels).double().mean() > 0.5


def long_enough(learner: Learner) -> Learner:
    """One that takes two steps, or whose epoch is a single one, takes more of them."""
    if isinstance(learner, Acgan):
        return replace(learner, iterations=60)
    return replace(learner, epochs=20) if isinstance(learner, Boundary) else learner


def test_works_when_nothing_is_unlabeled(learner: Learner, all_digits: Dataset) -> None:
    pool = labeled(all_digits, len(all_digits.train))
    model = long_enough(learner).fit(pool, None, seed=0)
    assert (answers(model, all_digits) == all_digits.test.labels).double().mean() > 0.5


def test_works_when_little_is_unlabeled(learner: Learner, all_digits: Dataset) -> None:
    model = long_enough(learner).fit(labeled(all_digits, len(all_digits.train) - 3), None, seed=0)
    assert (answers(model, all_digits) == all_digits.test.labels).double().mean() > 0.5
