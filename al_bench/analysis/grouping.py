"""Which runs are one line of a plot: those that differ in the seed and in nothing else."""

import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from al_bench.analysis.reading import Run
from al_bench.config.methods import changes
from al_bench.config.values import differences
from al_bench.storage.stored import Plain

_UNREAD = ("files", "part")  # settings of a data set that say nothing to a person
_TASK = ("dataset", "evaluator")  # of the identity: what makes two curves comparable at all


T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Group:
    """Runs of one configuration, by seed. variant: 0, or how many groups before it bear the same label; differs:
    where its identity differs from that of the first of them."""

    task: str
    method: str
    runs: Sequence[Run]
    variant: int = 0
    differs: Sequence[str] = ()

    @property
    def name(self) -> str:
        """What a person reads: "entropy", and "entropy (2)" for another configuration of it."""
        return self.method if self.variant == 0 else f"{self.method} ({self.variant + 1})"

    @property
    def seeds(self) -> list[int]:
        return [run.seed for run in self.runs]

    @property
    def first(self) -> Run:
        return self.runs[0]

    @property
    def changes(self) -> list[str]:
        """What it has otherwise than the method that was chosen for it, as a command line says it."""
        return changes(self.first.choices, self.first.config)

    def differences_from(self, other: "Group") -> list[str]:
        """Where its configuration is another, "there" the other's."""
        return differences(_but_seed(other.first.identity), _but_seed(self.first.identity))

    def say_as_baseline(self, line: str) -> str:
        """The name of its line, which others are compared with: of random sampling that nobody tuned it says so.

        Methods in `conf/method/tuned` are, and those in `compared`, whose recipes are, unless their name says not or
        a run has them changed.
        """
        chosen, method = self.first.choices, str(self.first.choices.get("method"))
        tuned = method.startswith(("tuned/", "compared/")) and not ("untuned" in method or self.changes)
        return (
            f"{line} (untuned)" if chosen.get("strategy") == "random" and not tuned and "untuned" not in line else line
        )


@dataclass(frozen=True)
class Section:
    """What may stand in one plot: groups on the same data set, measured in the same way."""

    title: str
    groups: Sequence[Group]
    differs: Sequence[str] = ()

    @property
    def apart(self) -> str:
        """What `differs` is about, in words."""
        if all(line.startswith("evaluator") for line in self.differs):
            return "The data set of the section above, measured otherwise"
        return "Another data set than in the section above"


def group_by(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """Items that have the same key; keys in the order in which they first come."""
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def sections(runs: Iterable[Run], lines: Mapping[str, str] | None = None) -> list[Section]:
    """All groups of all runs; a section for each data set and evaluator as they are configured.

    lines: names of the lines of an experiment by run ids, in their order; without them methods are named as in paths.
    """
    tasks = group_by(group_runs(runs), lambda alike: alike[0].label[0])
    return [section for task in sorted(tasks) for section in _of_task(task, tasks[task], lines or {})]


def group_runs(runs: Iterable[Run]) -> list[list[Run]]:
    """Runs whose identities are equal but for the seed, each list by seed, the largest first."""
    alike = group_by(runs, lambda run: _key(_without_seeds(run.identity))).values()
    groups = [group for bucket in alike for group in _apart(bucket)]
    ordered = [sorted(group, key=lambda run: run.seed) for group in groups]
    return sorted(ordered, key=lambda group: (-len(group), group[0].id))


def _apart(bucket: Sequence[Run]) -> Iterable[list[Run]]:
    """Runs alike but for seeds, by those seeds that are not the run's own."""
    return group_by(bucket, lambda run: _key(_own_seeds(run, bucket))).values()


def _key(node: Any) -> str:
    return json.dumps(node, sort_keys=True)


def _of_task(task: str, groups: list[list[Run]], lines: Mapping[str, str]) -> list[Section]:
    apart = group_by(groups, lambda group: _key([group[0].identity.get(key) for key in _TASK]))
    parts = sorted(apart.values(), key=lambda part: -sum(len(group) for group in part))
    tasks = [{key: part[0][0].identity.get(key) for key in _TASK} for part in parts]
    words = ["", *(_apart_by(tasks[0], own) for own in tasks[1:])]
    found = []
    for number, (part, own, word) in enumerate(zip(parts, tasks, words, strict=True)):
        told = word if words.count(word) == 1 else f"{word} ({number + 1})".lstrip()
        title = task if number == 0 else f"{task}, {told}" if word else f"{task} {told}"
        found.append(Section(title, _name_groups(task, part, lines), _differences(tasks[0], own)))
    return found


def _differences(first: Plain, own: Plain) -> list[str]:
    """Of two tasks; of evaluators that are not of one kind no more than that."""
    parts = [(one.get("evaluator") or {}).get("part") for one in (first, own)]
    if parts[0] != parts[1]:
        first, own = ({**one, "evaluator": part} for one, part in zip((first, own), parts, strict=True))
    return differences(first, own)


def _apart_by(first: Plain, own: Plain) -> str:
    """What tells a task from the first one of its name, for a title: its evaluator, or the first setting of its data
    set that a person reads; "" where there is none."""
    parts = [str((one.get("evaluator") or {}).get("part", "")) for one in (first, own)]
    if parts[0] != parts[1]:
        return parts[1].rpartition("/")[2].partition("@")[0].replace("_", " ")
    before, after = (one.get("dataset") or {} for one in (first, own))
    for key in dict.fromkeys([*before, *after]):
        value = after.get(key)
        if before.get(key) != value and key not in _UNREAD and not isinstance(value, dict | list):
            words = key.replace("_", " ")
            return f"no {words}" if value is None else f"{words} {value}"
    return ""


def _name_groups(task: str, groups: Sequence[list[Run]], lines: Mapping[str, str]) -> list[Group]:
    """The groups by method; those that bear the same label say in what they differ from the first.

    The first of each method are of the settings that most runs have, then those that were run for the experiment of
    their recipe's name, then of the experiment and the GAN that most have: so lines without a number are alike in all
    but what they are named by, as far as there are such.
    """
    ordered = _usual_first(_usual_first(groups, _generating), _run_for)
    ordered.sort(key=lambda group: _run_for(group[0]) != group[0].choices.get("recipe"))
    ordered = _usual_first(ordered, _beside_strategy)
    methods = group_by(ordered, lambda group: lines.get(group[0].id, group[0].label[1]))
    places = {name: place for place, name in enumerate(dict.fromkeys(lines.values()))}
    named = []
    for method in sorted(methods, key=lambda name: (places.get(name, len(places)), name)):
        first = Group(task, method, methods[method][0])
        for variant, runs in enumerate(methods[method]):
            group = Group(task, method, runs, variant)
            named.append(replace(group, differs=group.differences_from(first)))
    return named


def _usual_first(groups: Sequence[list[Run]], told: Callable[[Run], Any]) -> list[list[Run]]:
    """By what is told of their runs, what most runs have first."""
    alike = group_by(groups, lambda group: _key(told(group[0]))).values()
    return [group for own in sorted(alike, key=lambda own: -sum(map(len, own))) for group in own]


def _but_seed(identity: Plain) -> Plain:
    return {key: value for key, value in identity.items() if key != "seed"}


def _beside_strategy(run: Run) -> Plain:
    return {key: _without_seeds(value) for key, value in run.identity.items() if key not in ("seed", "strategy")}


def _run_for(run: Run) -> Any:
    return run.choices.get("experiment")


def _generating(run: Run) -> Any:
    return _without_seeds((run.identity.get("strategy") or {}).get("gan"))


def _without_seeds(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_seeds(value) for key, value in node.items() if key != "seed"}
    return [_without_seeds(value) for value in node] if isinstance(node, list) else node


def _own_seeds(run: Run, bucket: Sequence[Run]) -> list[Any]:
    """The seeds inside the parts of a run that tell it from its like: not the run's own, nor those that all share.

    A noisy oracle's seed is the run's (conf/oracle/noisy.yaml), a trained oracle's is its own.
    """
    seeds = [_seeds_in(_but_seed(other.identity)) for other in bucket]
    mine = _seeds_in(_but_seed(run.identity))
    differing = [
        path for path in sorted({path for one in seeds for path in one}) if len({one.get(path) for one in seeds}) > 1
    ]
    return ["the run's" if mine.get(path) == run.seed else mine.get(path) for path in differing]


def _seeds_in(node: Any, path: str = "") -> dict[str, Any]:
    """The seeds inside an identity, by where they are; one that is its part's default is not there."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    found: dict[str, Any] = {}
    for key, value in children:
        found |= {path: value} if key == "seed" else _seeds_in(value, f"{path}.{key}")
    return found
