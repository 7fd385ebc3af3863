"""Which groups use what was trained once for many runs: by their configurations, and the images it was made from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from al_bench.analysis.grouping import Group, Section
from al_bench.analysis.reading import Artifact
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.storage.exported import Record


@dataclass(frozen=True)
class User:
    """A group that uses an artifact; title: of its section; node: what describes the artifact in its configuration."""

    title: str
    group: Group
    node: Record


def parts_of(artifact: Artifact) -> list[Record]:
    """What an artifact was made by, as `artifacts.describe` wrote it."""
    return [part for part in artifact.record["spec"].values() if isinstance(part, dict) and "target" in part]


def users_of(artifact: Artifact, sections: Sequence[Section], rebuilder: Rebuilder) -> list[User]:
    """The groups in whose configuration a node describes this artifact, on the very images it was made from."""
    found = []
    for section in sections:
        for group in section.groups:
            identity = group.first.identity
            nodes = _nodes(identity.get(artifact.kind, identity))
            node = next((node for node in nodes if any(describes(node, part) for part in parts_of(artifact))), None)
            if node is not None and _same_images(artifact, group, section, rebuilder):
                found.append(User(section.title, group, node))
    return found


def _nodes(node: Any) -> Iterator[Record]:
    if isinstance(node, dict):
        if "_target_" in node:
            yield node
        for child in node.values():
            yield from _nodes(child)


def describes(node: Any, part: Any) -> bool:
    """Whether a configuration node and what `artifacts.describe` made of the object say the same.

    The node leaves out what has a default, the description what does not matter (a trainer), and names of classes
    lead to where these are defined.
    """
    if isinstance(node, dict) and node.get("_target_") == "hydra.utils.get_method":
        return bool(node.get("path") == part)
    if isinstance(node, dict) and isinstance(part, dict):
        if _class(node.get("_target_")) != _class(part.get("target")):
            return False
        shared = [key for key in node if key in part]
        return all(describes(node[key], part[key]) for key in shared)
    return bool(node == part)


def _class(path: Any) -> str:
    return str(path).rsplit(".", 1)[-1]


def _same_images(artifact: Artifact, group: Group, section: Section, rebuilder: Rebuilder) -> bool:
    """True also where the data set cannot be loaded, so that it is not known."""
    dataset = rebuilder.get(f"the data set {section.title}", group.first.config["dataset"])
    if dataset is None:
        return True
    from al_bench.active.inputs import fingerprint

    return bool(fingerprint(dataset.train.images) == artifact.record["spec"].get("images"))
