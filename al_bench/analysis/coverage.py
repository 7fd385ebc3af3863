"""How much of the papers is measured: each published number beside ours, each claim with its verdict."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from al_bench.analysis.at_scale import read_at_scale
from al_bench.analysis.claims import OPEN, Verdict, judge
from al_bench.analysis.comparison import ComparedNumber, Factor, compare_numbers
from al_bench.analysis.contents import dataset_of, format_of, has_data
from al_bench.analysis.contrast import groups_by_line
from al_bench.analysis.experiment import Experiment, plan_experiment
from al_bench.analysis.grouping import Group, group_by, sections
from al_bench.analysis.provenance import commits_of, machines_of
from al_bench.analysis.published import Published
from al_bench.analysis.reading import Run
from al_bench.config.command_line import quoted
from al_bench.config.groups import CONF, members
from al_bench.errors import amount

PAPER_SCALE = "paper"
_NO_RESULT = "smoke"  # with which something is tried
_OTHER_DATA = "; there of other data"  # in a claim's source
MEASURED, DOUBTED, MISSING, NO_DATA = "measured", "doubted", "missing", "no data here"


@dataclass(frozen=True)
class CoveredNumber:
    """A published number. state: whether it is measured, and if not why; scale, commits, hardware: of our runs, empty
    where there are none."""

    compared: ComparedNumber
    state: str
    scale: str = ""
    commits: Sequence[str] = ()
    hardware: Sequence[str] = ()


@dataclass(frozen=True)
class CoveredClaim:
    """A claim as it is said of one line, "" for all of a table; scale: of the runs that decide it; rule: as it is
    written, "" where there is none."""

    line: str
    column: str
    sentence: str
    verdict: Verdict
    scale: str = ""
    rule: str = ""

    @property
    def of_other_data(self) -> bool:
        """Whether it is judged here on a data set that the paper says it of nowhere."""
        return _OTHER_DATA in self.sentence


@dataclass(frozen=True)
class Covered:
    """One experiment. runs: its stored ones; others: how many more bear the label of one of its cells and are another
    configuration's, which count for nothing."""

    name: str
    numbers: Sequence[CoveredNumber]
    claims: Sequence[CoveredClaim]
    runs: int
    others: int

    @property
    def of_other_data(self) -> bool:
        """Whether nothing of it is what the paper says of its own data."""
        return not self.numbers and bool(self.claims) and all(claim.of_other_data for claim in self.claims)


def cover(table: Published, stored: Sequence[Run], factor: Factor, data: Sequence[Path], conf: Path = CONF) -> Covered:
    """An experiment's numbers and claims by the stored runs; those of each scale, and of each form of the data set's
    files, apart.

    data: folders of data sets; of one that is a folder of pictures the files are part of a run's id.
    """
    planned = plan_scales(table.name, stored, data, conf)
    known = [(scale, lines) for scale, one in planned.items() if (lines := lines_of(one, stored))]
    own = {run.id for one in planned.values() for run in one.runs(stored)}
    others = {run.id for one in planned.values() for other in one.others(stored) for run in other.runs}
    return Covered(
        table.name,
        _numbers(table, known, factor, bool(folders_with_data(table.name, data, conf))),
        _claims(table, known),
        len(own),
        len(others - own),  # what is a cell of another scale is none of another configuration
    )


def plan_scales(name: str, stored: Sequence[Run], data: Sequence[Path], conf: Path = CONF) -> dict[str, Experiment]:
    """An experiment at each scale at which something of its data set is stored, the paper's first, of the stored seeds.
    A scale at which other files of the data set were read than the experiment asks for has these beside it, as on a
    command line: "small dataset.format=folder". data: see `cover`."""
    where = place_of(name, data, conf)
    return {
        " ".join((scale, *read)): _plan(name, scale, own, [*read, *where], conf)
        for (scale, *read), own in _scales(name, stored, conf)
    }


def place_of(name: str, data: Sequence[Path], conf: Path = CONF) -> list[str]:
    """Where an experiment's data set is, as an override: of one that is a folder of pictures the files are part of a
    run's id."""
    return quoted([f"paths.data={place}" for place in folders_with_data(name, data, conf)[:1]])


def folders_with_data(name: str, data: Sequence[Path], conf: Path = CONF) -> list[Path]:
    """Those of which one is of an experiment's data set."""
    return [place for place in data if has_data(dataset_of(name, conf), place, conf)]


def lines_of(experiment: Experiment, stored: Sequence[Run]) -> dict[str, Group]:
    """The lines of which runs are stored."""
    groups = [group for section in sections(experiment.runs(stored), experiment.names) for group in section.groups]
    return dict(groups_by_line(groups))


def _scales(name: str, stored: Iterable[Run], conf: Path) -> list[tuple[tuple[str, ...], list[Run]]]:
    """The scales at which something of an experiment's data set is stored that counts as a result, the paper's first,
    and what is; of other files than the experiment's, with the override that asks for these."""
    dataset = dataset_of(name, conf)
    usual = format_of(dataset, conf)

    def read(run: Run) -> list[str]:
        chosen = (run.config.get("dataset") or {}).get("format", usual)
        is_word = isinstance(chosen, str) and chosen.isidentifier()  # what is read from a file is no override else
        return [f"dataset.format={chosen}"] if is_word and chosen != usual else []

    own = (run for run in stored if run.choices.get("dataset") == dataset and _counts(run))
    alike = group_by(own, lambda run: (_scale_of(run), *read(run)))
    return sorted(alike.items(), key=lambda one: (one[0][0] != PAPER_SCALE, one[0]))


def say_uncounted(stored: Sequence[Run]) -> list[str]:
    """How many runs count for nothing because of their scale, in sentences."""
    smoke = sum(_scale_of(run) == _NO_RESULT for run in stored)
    others = sorted({_scale_of(run) for run in stored if not _counts(run)} - {_NO_RESULT})
    strange = sum(_scale_of(run) in others for run in stored)
    said = [f"{amount(smoke, 'run')} of scale={_NO_RESULT} counted for nothing, which is no result"] if smoke else []
    if strange:
        names = ", ".join(name or "none" for name in others)
        said.append(f"{amount(strange, 'run')} of a scale that is not in conf/scale counted for nothing: {names}")
    return said


def _scale_of(run: Run) -> str:
    return str(run.choices.get("scale") or "")


def _counts(run: Run) -> bool:
    return _scale_of(run) in _results()


@cache
def _results() -> frozenset[str]:
    """The scales whose runs are results."""
    return frozenset(members("scale")) - {_NO_RESULT}


def _plan(name: str, scale: str, runs: Sequence[Run], where: Sequence[str], conf: Path) -> Experiment:
    seeds = ",".join(str(seed) for seed in sorted({run.seed for run in runs}))
    own = [] if scale == PAPER_SCALE else [f"scale={scale}"]
    return plan_experiment(name, [*own, *read_at_scale(name, scale, conf), *where, f"seed={seeds}"], conf)


def _numbers(
    table: Published, known: Sequence[tuple[str, dict[str, Group]]], factor: Factor, here: bool
) -> list[CoveredNumber]:
    found: dict[int, list[CoveredNumber]] = {}
    for scale, groups in known:
        measured = _by_place(table, compare_numbers(table, list(groups.values()), factor))
        for place, one in measured:
            if one.found is not None:
                group = groups[one.line]
                state = DOUBTED if one.number.doubt else MEASURED
                found.setdefault(place, []).append(CoveredNumber(one, state, scale, *_where(group)))
    missing = compare_numbers(table, [], factor)
    return [
        one
        for place, empty in enumerate(missing)
        for one in found.get(place) or [CoveredNumber(empty, _missing(empty, here))]
    ]


def _by_place(table: Published, compared: Sequence[ComparedNumber]) -> list[tuple[int, ComparedNumber]]:
    places = {id(number): place for place, number in enumerate(table.numbers)}
    return [(places[id(one.number)], one) for one in compared]


def _missing(empty: ComparedNumber, here: bool) -> str:
    return DOUBTED if empty.number.doubt else MISSING if here else NO_DATA


def _where(group: Group) -> tuple[list[str], list[str]]:
    commits = [one for run in group.runs for one in commits_of(run)]
    return list(dict.fromkeys(commits)), machines_of(group.runs)


def _claims(table: Published, known: Sequence[tuple[str, dict[str, Group]]]) -> list[CoveredClaim]:
    """Each row by the first scale that decides it, else by the first."""
    found = []
    for claim in table.claims:
        rules = claim.rules or [None] * max(1, len(claim.rows))
        for line, rule in zip(claim.rows or [""], rules, strict=True):
            judged = [(scale, judge(rule, line, groups)) for scale, groups in known]
            decided = [one for one in judged if one[1].word != OPEN]
            scale, verdict = (decided or judged or [("", judge(rule, line, {}))])[0]
            written = rule.text if rule else ""
            found.append(CoveredClaim(line, claim.column, claim.sentence, verdict, scale, written))
    return found
