"""What we ask of Hydra outside of a run: the cells of an experiment, the object that a stored node describes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from al_bench.active.metric import Metric
from al_bench.active.part import hash_of
from al_bench.active.stopping import Stopping
from al_bench.config.catalog import looked_up
from al_bench.config.command_line import unknown_choice
from al_bench.config.identity import identify, label_of, metrics_of
from al_bench.config.one_run import refuse_no_cell, refuse_two_of_one
from al_bench.config.resolvers import register_resolvers
from al_bench.config.top_level import refuse_stop_rules
from al_bench.config.values import plain, written_and_resolved
from al_bench.errors import UserError

Node = dict[str, Any]  # a configuration, or a part of one, as plain values


class Absent(NamedTuple):
    """A data set that is not here. place: where it is looked for; dataset: its choice; counted: whether its files are
    in a run's id, so that no finished run of it is known without them; fetched: whether a run fetches it."""

    place: str
    dataset: str
    counted: bool
    fetched: bool


@dataclass(frozen=True)
class Cell:
    """One cell of an experiment's sweep.

    overrides: its own command line but for the experiment's name, each key once; choices: Hydra's; identity: what its
    id is the hash of; loop: the settings that say when it is finished; label: as in the path of its folder;
    metrics: of its evaluator; absent: its data set, where that is not here.
    """

    overrides: tuple[str, ...]
    choices: Mapping[str, str]
    identity: Node
    loop: Node
    label: str
    metrics: tuple[Metric, ...]
    absent: Absent | None = None

    @property
    def stopping(self) -> Stopping:
        """The rules that say when it is finished."""
        return Stopping.stored(self.loop, self.metrics)

    @property
    def id(self) -> str:
        return hash_of(self.identity)

    @property
    def seed(self) -> int:
        """Raises UserError where what was given is none."""
        return _as_seed(self.identity["seed"])


def cells_of(experiment: str, overrides: Sequence[str] = ()) -> list[Cell]:
    """The cells that `python run.py -m experiment=... <overrides>` would run, in its order.

    Raises UserError where the experiment is not known, sweeps nothing or cannot be composed.
    """
    return cells_of_line([f"experiment={experiment}", *overrides])


def cells_of_line(line: Sequence[str], held: bool = False) -> list[Cell]:
    """The cells that a command line runs, a single one's too, in its order. held: whether to each part's signature as
    a run is, for which the code of all of them is loaded. Raises UserError as `cells_of` does."""
    from hydra.errors import HydraException

    from al_bench.config.composing import composing
    from al_bench.config.refusal import sentence_of

    if problem := unknown_choice(line):
        raise UserError(problem)
    register_resolvers()
    try:
        with composing():
            cells = [cell for job in _jobs(line, held) for cell in job]
    except (HydraException, OmegaConfBaseException) as error:
        words = f"{' '.join(line)} cannot be composed: {_first_line(error)}"
        raise UserError(sentence_of(error) or words) from error
    refuse_two_of_one((cell.id, cell.overrides, cell.choices["procedure"], cell.loop) for cell in cells)
    return list({cell.id: cell for cell in cells}.values())


def is_sweep(line: Sequence[str]) -> bool:
    """Whether one of these overrides has several values."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return any(one.is_sweep_override() for one in OverridesParser.create().parse_overrides(list(line)))


def node_of(name: str, overrides: Sequence[str]) -> Node:
    """A node of what `python run.py <overrides>` would run, for `made`. Raises UserError where there is none
    or a part does not take its arguments."""
    from hydra.errors import HydraException

    from al_bench.config.composing import composing

    if problem := unknown_choice(overrides):
        raise UserError(problem)
    register_resolvers()
    try:
        with composing():
            config = _composed(overrides)
            _refuse(config, name)
            node: Node = plain(config[name])
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(f"{' '.join(overrides)} cannot be composed: {_first_line(error)}") from error
    return node


def written_of(overrides: Sequence[str]) -> Node:
    """The configuration of a command line without Hydra's own, interpolations as they are written."""
    from al_bench.config.composing import composing

    register_resolvers()
    with composing():
        node: Node = OmegaConf.to_container(_composed(overrides), resolve=False)  # type: ignore[assignment]
    del node["hydra"]
    return node


def composed_or_none(overrides: Sequence[str]) -> Node | None:
    """As `written_of`; None where nothing can be composed, which is said of the whole line."""
    from hydra.errors import HydraException

    try:
        return written_of(overrides)
    except (HydraException, OmegaConfBaseException, UserError):
        return None


def made(node: Node) -> Any:
    """What a stored configuration node describes. Raises UserError where that cannot be made here."""
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate

    register_resolvers()
    try:
        return instantiate(node, _convert_="all")
    except InstantiationException as error:
        raise UserError(str(error.__cause__ or error)) from error


def _jobs(line: Sequence[str], held: bool) -> list[list[Cell]]:
    """The cells by what they have in common but for the seed, which only a composition's end has to know."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper  # the sweep's own, so that both always agree
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parser = OverridesParser.create(GlobalHydra.instance().config_loader())  # which knows what `glob(*)` is
    parsed = zip(line, parser.parse_overrides(list(line)), strict=True)
    fixed = [text for text, override in parsed if not override.is_sweep_override()]
    params = _composed(fixed).hydra.sweeper.params or {}
    overrides = parser.parse_overrides([*(f"{key}={value}" for key, value in params.items()), *line])
    (jobs,) = BasicSweeper.split_arguments(overrides, None)
    refuse_no_cell(jobs)
    alike: dict[tuple[str, ...], list[tuple[list[str], int | None]]] = {}
    for job in jobs:
        seeds = [_as_seed(item.removeprefix("seed=")) for item in job if item.startswith("seed=")]
        rest = tuple(item for item in job if not item.startswith("seed="))
        alike.setdefault(rest, []).append((job, seeds[-1] if seeds else None))
    return [_cells(rest, seeded, held) for rest, seeded in alike.items()]


def _as_seed(value: Any) -> int:
    """Of a configuration, or of text as it stands in an override. Raises UserError for what is no whole number."""
    text = "null" if value is None else str(value)
    try:
        return int(text)
    except ValueError as error:
        raise UserError(f"seed={text} must be a whole number") from error


def _cells(rest: Sequence[str], seeded: Sequence[tuple[Sequence[str], int | None]], held: bool) -> list[Cell]:
    from al_bench.config.top_level import refuse_nodes

    config = _composed(rest)
    refuse_nodes({str(key): config[key] for key in config if key != "hydra"})
    if held:
        _refuse(config, "procedure")
    cells = []
    for job, seed in seeded:
        if seed is not None:
            config.seed = seed
        own = tuple(item for item in job if not item.startswith("experiment="))
        cells.append(cell_of(own, config))
    return cells


def _refuse(config: DictConfig, name: str) -> None:
    """Raises UserError for what a run would refuse of the top level and of the parts below a node, before any data."""
    from al_bench.config.top_level import refuse_top_level
    from al_bench.config.validation import refuse_arguments

    written, resolved = written_and_resolved(config)
    refuse_top_level(written, resolved)
    refuse_arguments(written, resolved, name)


def cell_of(overrides: Sequence[str], config: DictConfig) -> Cell:
    """What Hydra composed of a cell. overrides: see `Cell`. Raises UserError for stop rules that are none, which a plan
    would count by."""
    rules = OmegaConf.to_container(config.loop, resolve=True)
    assert isinstance(rules, dict)
    refuse_stop_rules({str(key): value for key, value in rules.items()})
    chosen, loop = dict(config.hydra.runtime.choices), plain(rules)
    label, metrics = label_of(chosen, config), metrics_of(config)
    return Cell(tuple(overrides), chosen, identify(config), loop, label, metrics, find_absent(config))


def find_absent(config: DictConfig) -> Absent | None:
    """The data set of what Hydra composed, where it is not here. Nothing is read, and what a run would fetch counts as
    absent."""
    node, dataset = config.dataset, str(config.hydra.runtime.choices["dataset"])
    if "root" not in node:
        return None
    with looked_up(config.paths.outputs) as about:
        said = about(str(node._target_))
    places = said.places or ("",)
    folder, counted = Path(str(node.root)).expanduser(), "files" in node
    if node.root is None:
        return Absent("dataset.root=DIR", dataset, counted, said.fetched)
    is_known = folder.is_dir() and not (counted and node["files"] is None)
    is_there = is_known and any((folder / place).exists() for place in places)
    return None if is_there else Absent(str(folder / places[0]), dataset, counted, said.fetched)


def _composed(overrides: Sequence[str]) -> DictConfig:
    from hydra import compose as hydra_compose

    return hydra_compose("config", overrides=list(overrides), return_hydra_config=True)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
