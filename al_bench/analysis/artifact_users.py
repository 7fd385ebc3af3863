"""Which groups use what was trained once for many runs: by their configurations, and the images it was made from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from al_bench.analysis.grouping import Group, Section
from al_bench.analysis.reading import Artifact, Run
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.storage.stored import Plain


@dataclass(frozen=True)
class User:
    """A group that uses an artifact; title: of its section; node: what describes the artifact in its configuration."""

    title: str
    group: Group
    node: Plain


def parts_of(artifact: Artifact) -> list[Plain]:
    """What an artifact was made by, as `part.describe` has it."""
    return [part for part in artifact.record["spec"].values() if isinstance(part, dict) and "part" in part]


def users_of(artifact: Artifact, sections: Sequence[Section], rebuilder: Rebuilder) -> list[User]:
    """The groups of whose identity this artifact is a part, on the very images it was made from."""
    found = []
    for section in sections:
        for group in section.groups:
            nodes = [node for part in parts_of(artifact) for node in find_nodes(group.first, part)]
            if nodes and _same_images(artifact, group, section, rebuilder):
                found.append(User(section.title, group, nodes[0]))
    return found


def find_nodes(run: Run, part: Plain) -> Iterator[Plain]:
    """The configuration nodes of a run that make a part of this description."""
    return _walk(run.identity, run.config["procedure"], part)


def _walk(described: Any, node: Any, part: Plain) -> Iterator[Plain]:
    """An identity and the configuration that it describes have the same keys, but for those of defaults."""
    if not isinstance(described, dict) or not isinstance(node, dict):
        return
    if is_same(described, part):
        yield node
    for key, child in described.items():
        yield from _walk(child, node.get(key), part)


def is_same(described: Plain, part: Plain) -> bool:
    """Whether both say the same, but for what an artifact adds of the parts that it was made with."""
    added = {key for key, value in part.items() if key not in described and isinstance(value, dict) and "part" in value}
    return described == {key: value for key, value in part.items() if key not in added}


def _same_images(artifact: Artifact, group: Group, section: Section, rebuilder: Rebuilder) -> bool:
    """True also where the data set cannot be loaded, so that it is not known."""
    dataset = rebuilder.dataset(group.first)
    if dataset is None:
        return True
    from al_bench.active.inputs import fingerprint

    return bool(fingerprint(dataset.train.images) == artifact.record["spec"].get("images"))
