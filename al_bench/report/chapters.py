"""What belongs together on the page: all that is stored, or one experiment with what is missing of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from al_bench.analysis.contrast import groups_by_line
from al_bench.analysis.experiment import Experiment, Other
from al_bench.analysis.grouping import Group, Section, sections
from al_bench.analysis.published import Published
from al_bench.analysis.reading import Problem, Run, StoredRuns
from al_bench.analysis.table_lines import TableLines, say_unknown
from al_bench.analysis.versions import Side, name_apart, sides
from al_bench.report.cells import summarize_cells, tabulate_cells
from al_bench.report.comparison import Comparison, compare
from al_bench.report.contrasts import tabulate_contrasts
from al_bench.report.figures.charts import Charts, Looks
from al_bench.report.measured import ProcedureRuns, measurements
from al_bench.report.paper import Addition, add_to_experiment
from al_bench.report.parts import Part, Shared, anchor, part
from al_bench.report.tables import Table


@dataclass(frozen=True)
class Planned:
    """An experiment and the runs that were found for it. groups: its lines, sections' and procedures';
    contrasts: the differences that its file asks for."""

    experiment: Experiment
    anchor: str
    cells: Table
    said: str
    others: Sequence[Other]
    published: Sequence[tuple[Published, Comparison | None]]
    groups: Sequence[Group]
    contrasts: Sequence[Table]
    additions: Sequence[Addition]

    @property
    def lines(self) -> TableLines:
        """Those that its claims are judged of."""
        return TableLines(groups_by_line(self.groups))

    @property
    def tables(self) -> list[Table]:
        """Those of its own."""
        beside = [table for _, one in self.published if one for table in one.tables]
        return [self.cells, *beside, *self.contrasts, *(table for one in self.additions for table in one.tables)]


@dataclass(frozen=True)
class Chapter:
    """planned: None where no experiment was asked for."""

    planned: Planned | None
    parts: Sequence[Part]
    measured: Sequence[ProcedureRuns]

    @property
    def titles(self) -> list[tuple[str, str]]:
        """What there is of it, each with its anchor."""
        if self.planned:
            return [(self.planned.experiment.name, self.planned.anchor)]
        own = [(one.section.title, one.anchor) for one in self.parts]
        return own + [(one.title, anchor(one.title)) for one in self.measured]


@dataclass(frozen=True)
class Outline:
    """A chapter's sections and the measurements of other procedures, before anything is drawn. sides: the versions of
    its experiment, none where there is one only."""

    experiment: Experiment | None
    sections: Sequence[Section]
    measured: Sequence[ProcedureRuns]
    sides: Sequence[Side] = ()

    @property
    def every(self) -> list[Section]:
        """The sections, and what the other versions have that these have not."""
        return [*self.sections, *(name_apart(side, self.sides[0].version.unchanged) for side in self.sides[1:])]


def outlines(found: StoredRuns, experiments: Sequence[Experiment]) -> list[Outline]:
    """One of each experiment, or one of everything."""
    chosen: list[tuple[Experiment | None, list[Run], Mapping[str, str]]] = [
        (one, one.runs(found.runs), one.names) for one in experiments
    ]
    return [
        Outline(
            one,
            _title_sections(one, experiments, [run for run in runs if run.is_loop], names),
            measurements(runs, names),
            sides(one, found.runs) if one else [],
        )
        for one, runs, names in chosen or [(None, found.runs, {})]
    ]


def _title_sections(
    own: Experiment | None, all_of_them: Sequence[Experiment], runs: Sequence[Run], names: Mapping[str, str]
) -> list[Section]:
    """Sections that bear the experiment's name where there are several, which may be of one data set."""
    found = sections(runs, names)
    if own is None or len(all_of_them) == 1:
        return found
    return [replace(section, title=f"{own.name}: {section.title}") for section in found]


@dataclass(frozen=True)
class Editor:
    """Makes chapters of outlines; everything that all of them need. band: "range" or "deviation"; numbers: published
    ones."""

    found: StoredRuns
    looks: Looks
    band: str
    numbers: Sequence[Published]
    shared: Shared

    def chapter(self, outline: Outline) -> Chapter:
        """Draws and tabulates; what cannot be read is added to the problems of what was found."""
        planned = self._plan(outline) if outline.experiment else None
        name, numbers = (outline.experiment.name, ()) if outline.experiment else ("", self.numbers)
        shown = [one for one in self.numbers if name in ("", one.name)]
        charts = [Charts(section, self.looks, self.band, shown) for section in outline.sections]
        early = [one.ask_early() for one in charts]
        parts = [part(one, asked, name, numbers, self.shared) for one, asked in zip(charts, early, strict=True)]
        return Chapter(planned, parts, outline.measured)

    def _plan(self, outline: Outline) -> Planned:
        experiment = outline.experiment
        assert experiment is not None
        groups = [group for section in outline.sections for group in section.groups]
        groups += [group for one in outline.measured for group in one.groups]
        own = [one for one in self.numbers if one.name == experiment.name]
        known = [(one, compare(one, groups)) for one in own]
        table = Path(f"{experiment.name}.csv")
        self.found.problems += [Problem(table, sentence) for one in own for sentence in say_unknown(one, experiment)]
        stored = self.found.runs
        additions = add_to_experiment(outline.sides, stored, self.looks, self.band)
        return Planned(
            experiment, anchor(experiment.name), tabulate_cells(experiment, stored),
            summarize_cells(experiment, stored), _others(experiment, stored), known, groups,
            tabulate_contrasts(experiment, groups, self.found.problems, self.shared.conf), additions,
        )  # fmt: skip


def _others(experiment: Experiment, stored: Sequence[Run]) -> list[Other]:
    """Of its versions too, whose lines then say so."""
    changed = [version.without(experiment.unchanged) for version in experiment.versions]
    named = [replace(one, line=f"{one.line}, {own.version}") for own in changed for one in own.others(stored)]
    return [*experiment.others(stored), *named]
