"""Whether parts fit together, asked before anything is trained."""

import importlib
import pkgutil
from collections.abc import Callable, Sequence, Set
from types import ModuleType
from typing import Any

import al_bench.evaluator
import al_bench.learner
import al_bench.network
from al_bench.active.pool import Pool
from al_bench.config.groups import name_chosen
from al_bench.errors import UserError
from al_bench.evaluator import Evaluator
from al_bench.feature import Feature
from al_bench.gan import Gan
from al_bench.learner import Learner
from al_bench.network import Network, name_network
from al_bench.network.dropout_passes import drops
from al_bench.network.dry_run import dry_run
from al_bench.oracle import Annotator
from al_bench.representation import Representation
from al_bench.strategy import Strategy


def refuse_misfits(
    strategy: Strategy,
    learner: Learner,
    network: Network,
    oracle: Annotator,
    representation: Representation,
    on_maps: bool = False,
) -> None:
    """Raises UserError where a strategy asks for what the other parts do not give, naming what would.

    on_maps: whether labels are maps.
    """
    if strategy.synthesizes and on_maps:
        raise UserError(
            f"{name_chosen(strategy)} asks for labels of synthetic images, and nobody labels their pixels: use one "
            "that asks for images of the pool, such as strategy=mal, entropy, coreset or random"
        )
    for need in find_missing(strategy, learner, network):
        others = () if learner.trains_network else ("another strategy",)
        raise UserError(_what_lacks(name_chosen(strategy), need, learner, network, on_maps, others))
    if strategy.needs_images and not representation.gives_images:
        raise UserError(
            f"{name_chosen(strategy)} works on images, and {name_chosen(representation)} replaces images by features: "
            "use representation=none"
        )
    if strategy.needs_decoder and not representation.decodes:
        raise UserError(
            f"{name_chosen(strategy)} makes up inputs, and {name_chosen(representation)} cannot turn them into images "
            "for an annotator: use representation=latent"
        )
    if strategy.synthesizes and not oracle.labels_synthetic:
        raise UserError(
            f"{name_chosen(strategy)} asks for labels of synthetic images, which {name_chosen(oracle)} cannot give: "
            "use oracle=classifier"
        )


def refuse_unmeasurable(evaluator: Evaluator, learner: Learner, network: Network, on_maps: bool = False) -> None:
    """Raises UserError where an evaluator asks for what neither the learner nor the network gives, naming what would,
    and the evaluators of such labels that ask for less.

    on_maps: whether labels are maps.
    """
    given = _given(learner, network)
    for need in find_missing(evaluator, learner, network):
        others = [f"evaluator={member}" for member in evaluators_of(given, on_maps)]
        raise UserError(_what_lacks(name_chosen(evaluator), need, learner, network, on_maps, others))


def refuse_other_labels(network: Network, input_shape: Sequence[int], map_shape: Sequence[int]) -> None:
    """Raises UserError for a network that answers for each pixel where labels are classes, or once for an image where
    they are maps.

    input_shape: of one input; map_shape: (H, W) of the label maps, () of classes.
    """
    if dry_run(network, input_shape)[1:] == tuple(map_shape):
        return
    name = name_network(network)
    if map_shape:
        raise UserError(f"{name} answers once for an image and labels are maps: use network=drn or small_fcn")
    raise UserError(f"{name} answers for each pixel and labels are classes: use network=resnet18 or small_cnn")


def find_missing(asking: Strategy | Evaluator, learner: Learner, network: Network) -> list[str]:
    """What is asked of the model that neither the learner nor the network gives, in alphabetical order."""
    return sorted(asking.needs - _given(learner, network))


def _given(learner: Learner, network: Network) -> frozenset[str]:
    """What can be asked of the model: no dropout of a network whose rate is 0."""
    return learner.provides | (network.provides if drops(network) else network.provides - {"dropout"})


def model_for(strategy: Strategy, learner: Learner, pool: Pool, seed: int) -> Network:
    """The learner's untrained model. Raises UserError where it has none, or one that the strategy cannot ask."""
    model = learner.empty(pool, seed)
    refuse_other_labels(model, pool.inputs.shape[1:], pool.labels.shape[1:])
    if missing := find_missing(strategy, learner, model):
        raise UserError(f"{name_network(model)} has no {', '.join(missing)}, which {name_chosen(strategy)} needs")
    return model


def require_fixed(gan: Gan | None, feature: Feature | None, purpose: str) -> tuple[Gan, Feature]:
    """A GAN and a feature for a procedure that turns no loop. purpose: which procedure does what with them.

    Raises UserError where one is none, and where the feature changes with a cycle's model.
    """
    if gan is None or feature is None:
        missing = "gan" if gan is None else "feature"
        raise UserError(f"{purpose} and {missing}=none: choose another {missing}")
    if feature.follows_model:
        raise UserError(f"{purpose} without models of cycles and this feature follows the model: use another")
    return gan, feature


def networks_with(need: str, on_maps: bool) -> list[str]:
    """The networks for label maps, or for classes, by the names they are chosen by, that provide something."""
    family, base = al_bench.network, Network
    return _choices(family, base, lambda member: need in member.provides and member.of_maps == on_maps)


def learners_with(need: str) -> list[str]:
    """The learners, by the names they are chosen by, whose models provide something."""
    return _choices(al_bench.learner, Learner, lambda member: need in member.provides)


def evaluators_of(given: Set[str], on_maps: bool) -> list[str]:
    """The evaluators of label maps, or of classes, by the names they are chosen by, that ask a model for no more than
    what is given."""
    family, base = al_bench.evaluator, Evaluator
    return _choices(family, base, lambda member: member.needs <= given and member.of_maps == on_maps)


def _choices(family: ModuleType, base: type, holds: Callable[[Any], bool]) -> list[str]:
    """Modules of a family with a class of their own below `base` of which something holds."""
    found = []
    for module in pkgutil.iter_modules(family.__path__):
        members = vars(importlib.import_module(f"{family.__name__}.{module.name}")).values()
        classes = [member for member in members if isinstance(member, type) and issubclass(member, base)]
        if any(member is not base and holds(member) for member in classes):
            found.append(module.name)
    return sorted(found)


def _what_lacks(who: str, need: str, learner: Learner, network: Network, on_maps: bool, others: Sequence[str]) -> str:
    """The sentence on what nothing of a model gives. others: remedies besides another network or learner."""
    if need == "dropout" and need in network.provides:
        return f"{who} asks a model for dropout, and {name_network(network)} drops nothing: use network.dropout=0.5"
    networks = [f"network={member}" for member in networks_with(need, on_maps)] if learner.trains_network else []
    learners = [f"learner={member}" for member in learners_with(need)]
    remedies = [learner.switched_by[need]] if need in learner.switched_by else networks + learners
    model = name_network(network)
    if not learner.trains_network:
        model = name_chosen(learner)
    elif learners:  # one of which would give it
        model = f"{model}, trained by {name_chosen(learner)},"
    return f"{who} needs a model with {need}, which {model} does not have: use {' or '.join([*remedies, *others])}"
