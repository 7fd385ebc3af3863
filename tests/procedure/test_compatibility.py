"""Parts that do not fit are refused before anything is trained, by one sentence that names the value."""

import re
from contextlib import nullcontext, suppress

import pytest
import torch
from composing import members, part

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.evaluator import Evaluation, Evaluator
from al_bench.evaluator.judging import refuse_for_judge
from al_bench.network import Network
from al_bench.procedure.compatibility import evaluators_of, refuse_misfits, refuse_other_labels

CUT = "{_target_:al_bench.training.augmentation.FlipCrop,padding:0,flip:false,size:99}"
SHAPES = [(1, 28, 28), (3, 32, 32), (3, 64, 64)]


def made(name: str) -> tuple[Network, tuple[int, ...]]:
    """A network and the first shape that it takes."""
    for shape in SHAPES:
        with suppress(UserError):
            network: Network = part("network", f"network={name}")(input_shape=shape, num_classes=3)
            return network, shape
    raise AssertionError(f"fits none of {SHAPES}")


@pytest.mark.parametrize("name", members("network"))
def test_networks_fit_maps_or_classes(name: str) -> None:
    network, shape = made(name)
    before = [value.clone() for value in network.state_dict().values()]
    fits, other = (shape[1:], ()) if network.of_maps else ((), shape[1:])
    refuse_other_labels(network, shape, fits)
    with pytest.raises(UserError, match=f"^network=.*{name}.* answers .* labels are "):
        refuse_other_labels(network, shape, other)
    assert all(torch.equal(*pair) for pair in zip(network.state_dict().values(), before, strict=True))
    assert network.training


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        (
            ["dataset=shapes_seg", "network=conv_small", "learner=supervised"],
            "^network=conv_small or conv_small_strided answers once for an image",
        ),
        (["dataset=shapes_seg", "network=small_cnn", "strategy=mal"], "needs features for each position"),
        (["dataset=digits", "network=small_fcn", "strategy=mal"], "^network=small_fcn answers for each pixel"),
        (
            ["dataset=shapes_seg", "network=drn", "strategy=bald"],
            "^strategy=bald or mc_entropy needs a model with dropout, which network=drn does not have: "
            "use network=drn_dropout or network=small_fcn$",
        ),
        (
            ["dataset=digits", "strategy=batchbald", "network=linear"],
            "^strategy=batchbald needs a model with dropout, which network=linear does not have: use ",
        ),
        (
            ["dataset=digits", "method=alcg/rand", "strategy=bald"],
            "a model with dropout, which learner=acgan does not have: use another strategy$",
        ),
        (
            ["dataset=digits", "method=alcg/rand", "strategy=waal"],
            "does not have: use learner=waal or another strategy$",
        ),
    ],
)
def test_a_run_refuses_what_does_not_fit(choices: list[str], sentence: str) -> None:
    procedure = part("procedure", "scale=smoke", "strategy=random", *choices)
    with pytest.raises(UserError, match=sentence):
        procedure.check_parts(procedure.dataset)


class Picky(Evaluator):
    """Asks a model for what few networks give."""

    scalars = ()
    needs = frozenset({"hyperplane"})

    def evaluate(self, model: Network, dataset: Dataset) -> Evaluation:
        return Evaluation({})


def test_an_evaluator_is_held_against_learner_and_network() -> None:
    procedure = part("procedure", "dataset=digits", "strategy=random", "gan=none")
    procedure.evaluator = Picky()
    sentence = (
        "Picky needs a model with hyperplane, which network=small_cnn does not have: use "
        "network=linear or evaluator=accuracy$"
    )
    with pytest.raises(UserError, match=sentence):
        procedure.check_parts(procedure.dataset)
    fitting = part(
        "procedure", "dataset=digits", "strategy=random", "gan=none", "+dataset.classes=[3,8]", "network=linear"
    )
    fitting.evaluator = Picky()
    fitting.check_parts(fitting.dataset)


def test_evaluators_that_ask_for_less_are_those_of_such_labels() -> None:
    assert evaluators_of({"embedding"}, on_maps=False) == ["accuracy"]
    assert evaluators_of({"embedding"}, on_maps=True) == ["mean_iou"]
    assert evaluators_of({"sample"}, on_maps=False) == ["accuracy", "gan_quality"]
    on_maps = part("procedure", "dataset=shapes_seg", "strategy=random", "gan=none", "evaluator=gan_quality")
    with pytest.raises(UserError, match=r"use learner=acgan or evaluator=mean_iou$"):
        on_maps.check_parts(on_maps.dataset)


def test_a_judge_is_measured_by_what_a_classifier_has() -> None:
    with pytest.raises(UserError, match=r"^Picky needs a model with hyperplane.*use evaluator=accuracy"):
        refuse_for_judge(Picky())


def test_images_are_what_vaal_works_on() -> None:
    choices = ("strategy=vaal", "representation=autoencoder")
    strategy, learner, oracle, representation = (
        part(name, *choices) for name in ("strategy", "learner", "oracle", "representation")
    )
    with pytest.raises(UserError, match=r"^strategy=vaal works on images, and representation=autoencoder replaces"):
        refuse_misfits(strategy, learner, made("small_cnn")[0], oracle, representation)


@pytest.mark.parametrize("choices", [["learner=supervised"], ["learner=waal"], ["learner=mal"]])
def test_batch_norm_refuses_batches_of_one_image(choices: list[str]) -> None:
    images = torch.zeros((6, 3, 32, 32), dtype=torch.uint8)
    pool = Pool.unlabeled_from(images, 2).with_labels(PoolQuery(torch.arange(4)), torch.tensor([0, 1, 0, 1]))
    network = ("network=resnet18", "network.width=4", "strategy=random")
    learner = part("learner", *network, *choices, "learner.batch_size=1", "learner.epochs=1")
    with pytest.raises(
        UserError, match=r"learner\.batch_size=1 is too small for the batch norm of network=resnet18: give"
    ):
        learner.fit(pool, None, 0)


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        (
            "strategy=random learner.batch_size=1",
            "learner.batch_size=1 is too small for the batch norm of network=small_resnet: ",
        ),
        (
            "strategy=waal learner.batch_size=1",
            "learner.batch_size=1 is too small for the batch norm of network=small_resnet: ",
        ),
        (
            "strategy=mal learner.batch_size=1",
            "learner.batch_size=1 is too small for the batch norm of network=small_resnet: ",
        ),
        (
            "strategy=asal_auto loop.initial_size=1 loop.every_class=false",
            "1 labeled input is too few for the batch norm of network=small_resnet: label at least 2 at first ",
        ),
        ("strategy=waal loop.initial_size=1 loop.every_class=false", ""),
        (f"recipe.augmentation={CUT}", "augmentation.size=99 is larger than images of 8 pixels"),
        (f"strategy=waal recipe.augmentation={CUT}", "augmentation.size=99 is larger than images of 8 pixels"),
        (f"representation=autoencoder network=linear recipe.augmentation={CUT}", "recipe.augmentation needs images "),
        (f"strategy=vaal strategy.augmentation={CUT}", "augmentation.size=99 is larger than images of 8 pixels"),
        (
            "strategy=uherding loop.initial_size=3 strategy.held_out=0.9 loop.every_class=false",
            "strategy.learner trains on 1 of the first 3 labels, and the others calibrate its model (strategy.held_out="
            "0.9): 1 labeled input is too few for the batch norm of network=small_resnet: ",
        ),
        (
            "strategy=uherding loop.initial_size=3 strategy.held_out=0.9 loop.every_class=false strategy.temperature=1",
            "",
        ),
        (
            "strategy=random oracle=classifier oracle.learner.batch_size=1 oracle.learner.network=${network}",
            "oracle=classifier cannot be trained: learner.batch_size=1 is too small for the batch norm of ",
        ),
        (
            f"strategy=random learner=acgan gan=ac_dcgan evaluator=gan_quality +evaluator.gan_train.augmentation={CUT}",
            "evaluator.gan_train cannot be trained: augmentation.size=99 is larger than images of 8 pixels",
        ),
    ],
)
def test_a_run_refuses_what_cannot_be_trained_before_it_trains(choices: str, sentence: str) -> None:
    procedure = part("procedure", "scale=smoke", "dataset=digits", "network=small_resnet", *choices.split())
    with pytest.raises(UserError, match=f"^{re.escape(sentence)}") if sentence else nullcontext():
        procedure.check_parts(procedure.dataset)


@pytest.mark.parametrize(("side", "trains"), [(8, False), (9, True)])
def test_one_label_map_is_enough_where_batch_norm_sees_two_positions_of_it(side: int, trains: bool) -> None:
    """drn has one position of 8 pixels, four of 9."""
    choices = (
        "network=drn",
        "network.width=1",
        f"dataset.image_size={side}",
        "strategy=random",
        "learner.batch_size=1",
    )
    procedure = part("procedure", "scale=smoke", "dataset=shapes_seg", "loop.initial_size=1", *choices)
    if not trains:
        with pytest.raises(UserError, match=r"^learner\.batch_size=1 is too small for the batch norm of network=drn: "):
            procedure.check_parts(procedure.dataset)
        return
    procedure.check_parts(procedure.dataset)
    train = procedure.dataset.train
    first = PoolQuery(torch.arange(1))
    pool = Pool.unlabeled_from(train.images, procedure.dataset.num_classes, procedure.dataset.map_shape)
    procedure.learner.fit(pool.with_labels(first, train.labels[first.indices]), None, 0)
