"""What a run's results depend on, the id made from it, and the label that a person reads.

A run is its procedure with all that this is made of (`active.part`): how something is written on the command line,
where files lie, and what parts declare to be beside their results, is not in it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from al_bench.active.metric import Metric, Recorded
from al_bench.active.part import hash_of, plain_value
from al_bench.config.catalog import About, about_path, looked_up

_REFERENCES = ("hydra.utils.get_method", "hydra.utils.get_class")  # nodes that give what stands at a path


def identify(config: DictConfig) -> dict[str, Any]:
    """What a run's results depend on, as plain values: the same however it was spelled on the command line."""
    procedure = OmegaConf.to_container(config.procedure, resolve=True)
    with looked_up(config.paths.outputs) as about:
        described: dict[str, Any] = describe_node(procedure, about)
    return described


def describe_node(node: Any, about: Callable[[str], About] = about_path) -> Any:
    """What a resolved configuration node, in plain containers, makes: `part.describe` of it, without making it.

    about: of a path in the code, what its part says of itself.
    """
    if isinstance(node, Mapping) and node.get("_target_") in _REFERENCES:
        return about(str(node.get("path"))).counted.describe_call({})
    if isinstance(node, Mapping) and "_target_" in node:
        part = about(str(node["_target_"])).counted
        names = [str(key) for key in node if _is_argument(str(key)) and part.counts(str(key))]
        return part.describe_call({name: describe_node(node[name], about) for name in names})
    if isinstance(node, Mapping):
        return {str(key): describe_node(value, about) for key, value in node.items()}
    if isinstance(node, list):
        return [describe_node(value, about) for value in node]
    return plain_value(node)


def targets_of(node: Any) -> set[str]:
    """The paths in the code of all that a resolved configuration node, in plain containers, makes."""
    if isinstance(node, list):
        return {path for value in node for path in targets_of(value)}
    if not isinstance(node, Mapping):
        return set()
    target = node.get("path") if node.get("_target_") in _REFERENCES else node.get("_target_")
    inside = {path for value in node.values() for path in targets_of(value)}
    return inside | ({target} if isinstance(target, str) else set())


def _is_argument(key: str) -> bool:
    return not key.startswith("_") or key == "_args_"  # the others say how it is made, not of what


def metrics_of(config: DictConfig) -> tuple[Metric, ...]:
    """The metrics that are one number of the evaluator that is chosen."""
    with looked_up(config.paths.outputs) as about:
        return about(str(config.evaluator._target_)).scalars


def records_of(config: DictConfig) -> tuple[Recorded, ...]:
    """What the strategy that is chosen records inside its queries, and the evaluator of each class."""
    with looked_up(config.paths.outputs) as about:
        return about(str(config.strategy._target_)).records + about(str(config.evaluator._target_)).records


def run_id(*, _root_: DictConfig) -> str:
    """Twelve hexadecimal digits that name the run: its folder's last part."""
    return hash_of(identify(_root_))


def label(*, _root_: DictConfig) -> str:
    """The label of the run that is composed."""
    return label_of(_root_.hydra.runtime.choices, _root_)


def label_of(chosen: Mapping[str, str], config: DictConfig) -> str:
    """What a person reads in the path of a run: dataset, recipe where it is another's, strategy, learner and the GAN
    that it trains, with networks other than its usual ones, seed; of a procedure other than the loop: with what it
    looks at.

    chosen: Hydra's `runtime.choices`.
    """
    seed = config.seed
    task = "-".join(dict.fromkeys([chosen["dataset"], *chosen["recipe"].split("/")]))
    if chosen["procedure"] != "loop":
        looked_at = [chosen[family] for family in ("gan", "feature") if chosen[family] != "none"]
        return f"{task}/{'+'.join([chosen['procedure'], *looked_at])}/seed={seed}"
    method = [chosen["strategy"]]
    for family, usual in (("learner", "supervised"), ("representation", "none")):
        if chosen[family] != usual:
            method.append(chosen[family])
    if "gan" in config.learner:
        method.append(chosen["gan"])
        if (networks := chosen.get("architecture@gan", "plain")) != "plain":
            method.append(networks)
    with looked_up(config.paths.outputs) as about:
        method += _shown(config.learner, about(str(config.learner._target_)))
    return f"{task}/{'+'.join(method)}/seed={seed}"


def _shown(node: DictConfig, about: About) -> list[str]:
    """Of what a part wants to be read, what is switched on, and what is a number or a word other than its default."""
    found = {name: node.get(name) for name in about.shown}
    usual = about.counted.defaults
    return [
        name if value is True else f"{name}={value}"
        for name, value in found.items()
        if value and value != usual.get(name)
    ]
