"""What a run is called and found by in W&B; the views that are built of an experiment look for the same names.

None of it is in a run's identity.
"""

from collections.abc import Mapping
from typing import Any

from al_bench.active.part import hash_of
from al_bench.config.methods import changes

AXIS = "annotations"  # the x axis of everything
LINE = "line"  # key of the configuration: what a run is a seed of
IMAGES = "query/images"  # what was synthesized, beside its matches
_LONGEST = 64  # characters of a tag, by W&B
_TAGGED = ("experiment", "dataset", "method", "strategy", "learner", "scale")  # of the choices


def metric_key(name: str) -> str:
    """Of what an evaluator measures."""
    return f"test/{name}"


def cost_key(part: str, name: str) -> str:
    """Of what a part of a cycle took: `fit/seconds`."""
    return f"{part}/{name}"


def group_of(choices: Mapping[str, str]) -> str:
    """The experiment where one is chosen, else the data set. choices: Hydra's, by group."""
    return choices["dataset"] if choices["experiment"] == "none" else choices["experiment"]


def tags_of(choices: Mapping[str, str]) -> list[str]:
    """`experiment:asal/mnist_two`, `paper:asal` and the like: a bare word would not say whether `waal` is the strategy,
    the learner or the paper. The paper is the folder of the experiment, or of the method."""
    named = [choices.get(group, "none") for group in ("experiment", "method")]
    papers = [name.partition("/")[0] for name in named if "/" in name]
    found = {"paper": papers[0] if papers else "none", **{group: choices.get(group, "none") for group in _TAGGED}}
    return [tag(group, name) for group, name in found.items() if name != "none"]


def tag(group: str, name: str) -> str:
    """A tag, cut where W&B takes no longer one."""
    return f"{group}:{name}"[:_LONGEST]


def method_of(choices: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """The method that a run is one of: "none" where none is chosen, or something of it was changed."""
    return "none" if changes(choices, config) else str(choices.get("method", "none"))


def line_of(label: str, identity: Mapping[str, Any], method: str = "none") -> str:
    """What runs have in common that differ in the seed alone: the label without it, and four digits that tell from each
    other what bears one label and is configured otherwise. method: where one is chosen its name stands for what it is
    made of, as in the tables; "none" for one of which a run has something changed, see `method_of`."""
    alike, own = _without(identity, identity.get("seed")), label.rpartition("/seed=")[0]
    named = own if method == "none" else f"{own.partition('/')[0]}/{method}"
    return f"{named} {hash_of(alike)[:4]}"


def _without(node: Any, seed: Any) -> Any:
    """The same without the run's own seed, wherever a part has it too."""
    if isinstance(node, Mapping):
        return {key: _without(value, seed) for key, value in node.items() if not (key == "seed" and value == seed)}
    return [_without(value, seed) for value in node] if isinstance(node, list) else node
