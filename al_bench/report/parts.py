"""What the page shows of one section: its plots, tables and images, made once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from al_bench.analysis.cost import memory_is
from al_bench.analysis.curves import class_shares, headline
from al_bench.analysis.grouping import Group, Section
from al_bench.analysis.published import Published
from al_bench.analysis.reading import Problem, Run
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.analysis.table_lines import TableLines, groups_run_for, lines_in
from al_bench.config.values import from_project
from al_bench.errors import amount
from al_bench.report import results
from al_bench.report.by_class import measure_classes
from al_bench.report.comparison import Comparison, compare
from al_bench.report.doubts import Doubts, show_doubts
from al_bench.report.figures.charts import Charts, EarlyPlots, Plots, has_all
from al_bench.report.figures.palette import Look, class_looks
from al_bench.report.images import Beside, CycleImages, section_class_names, show_synthesized, side_by_side
from al_bench.report.measures import listed, measure
from al_bench.report.notes import mixed, notes
from al_bench.report.outlook import tabulate_forecasts, tabulate_standings
from al_bench.report.paper import Addition, add_to_section
from al_bench.report.picks import Gallery, show_gallery
from al_bench.report.queries import ClassCounts, Picks, count_classes, show_picks
from al_bench.report.samples import Samples, show_samples
from al_bench.report.segmentation import Segmentation, show_segmentation
from al_bench.report.settings import settings_ledger, settings_that_differ
from al_bench.report.statistics import Statistics, statistics
from al_bench.report.tables import Table
from al_bench.report.trained import Trained
from al_bench.report.trainings import Losses, Trainings, show_losses, show_trainings


@dataclass(frozen=True)
class Part:
    """One section. shares: of the classes in the data, None where unknown; published: of what its runs were run for,
    where no experiment was asked for; segmentation, trainings, losses, asked: None where there are no label maps, no
    looks into a training, no losses that are kept, no classes that a query brought; gallery, doubts: None where nothing
    was picked from a pool, or no guess is stored; by_class: a table of each metric that is one number per class."""

    section: Section
    anchor: str
    charts: Charts
    plots: Plots
    notes: Sequence[str]
    mixed: Sequence[str]
    tables: dict[str, Table]
    published: Sequence[tuple[Published, Comparison | None, TableLines]]
    segmentation: Segmentation | None
    trainings: Trainings | None
    losses: Losses | None
    statistics: Statistics | None
    by_class: Sequence[Table]
    asked: ClassCounts | None
    picks: Sequence[Picks]
    gallery: Gallery | None
    doubts: Doubts | None
    samples: Sequence[Samples]
    beside: Beside | None
    synthesized: Sequence[tuple[Group, Run, Sequence[CycleImages]]]
    additions: Sequence[Addition]
    configs: Sequence[tuple[Group, str]]
    classes: Sequence[str]
    shares: Sequence[float] | None

    @property
    def has_levels(self) -> bool:
        """Whether a line goes across: of a model that had every label from the start."""
        return any(map(has_all, self.section.groups))

    @property
    def headline(self) -> str:
        first = self.section.groups[0].first
        return measure(headline(first), first.metrics).words

    @property
    def scale(self) -> str:
        return listed(list(dict.fromkeys(str(group.first.choices.get("scale")) for group in self.section.groups)))

    @property
    def seeds(self) -> str:
        """How many, in words."""
        counts = [len(group.runs) for group in self.section.groups]
        usual = max(counts, key=counts.count)
        others = [f"{group.name}: {len(group.runs)}" for group in self.section.groups if len(group.runs) != usual]
        return amount(usual, "seed") + (f", but {listed(others)}" if others else "")

    @property
    def memory(self) -> str:
        return memory_is(self.section.groups)

    @property
    def class_legend(self) -> list[tuple[str, Look]]:
        return list(zip(self.classes, class_looks(len(self.classes)), strict=True))


@dataclass(frozen=True)
class Shared:
    """What all parts of a page are made with. trained: what was trained once; problems: to which what cannot be read is
    added; most_cycles: whose pictures are shown, of each method."""

    trained: Sequence[Trained]
    rebuilder: Rebuilder
    problems: list[Problem]
    conf: Path
    most_cycles: int


def part(charts: Charts, early: EarlyPlots, chapter: str, numbers: Sequence[Published], shared: Shared) -> Part:
    """Everything of the section of `charts`. early: asked of it; chapter: the experiment's name, or empty; numbers:
    published ones to look through."""
    section, rebuilder, problems = charts.section, shared.rebuilder, shared.problems
    classes = section_class_names(section, rebuilder)
    shares = _data_shares(section, rebuilder, len(classes))
    plots = charts.ask_for_all(early, classes, shares)
    tables = [
        results.summary(section), results.learning(section), results.curves(section),
        results.classes(section, classes, shares), results.cost(section, _name_users(shared.trained, section)),
        results.agreements(section, shared.conf), settings_that_differ(section), settings_ledger(section, shared.conf),
        tabulate_standings(section), tabulate_forecasts(section),
    ]  # fmt: skip
    additions = add_to_section(charts, problems)
    images = [(group, show_synthesized(group, rebuilder, problems)) for group in section.groups]
    groups_of = [(known, groups_run_for(known, section.groups)) for known in numbers]
    return Part(
        section,
        anchor(f"{chapter} {section.title}"),
        charts,
        plots,
        notes(section),
        mixed(section),
        {table.name: table for table in tables},
        [(known, compare(known, groups), lines_in(known, section.groups)) for known, groups in groups_of if groups],
        show_segmentation(section, classes, rebuilder, problems),
        show_trainings(charts),
        show_losses(charts),
        statistics(section),
        measure_classes(section, classes),
        count_classes(section, classes),
        show_picks(section, rebuilder),
        show_gallery(section, rebuilder, classes, shared.most_cycles),
        show_doubts(section, rebuilder, classes),
        [found for group in section.groups if (found := show_samples(group, classes, problems))],
        side_by_side(section, rebuilder, problems),
        [(group, *found) for group, found in images if found],
        additions,
        [(group, from_project(_readable(group.first))) for group in section.groups],
        classes,
        shares,
    )


def anchor(title: str) -> str:
    """A title as a link and a file name have it."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _name_users(trained: Sequence[Trained], section: Section) -> list[tuple[str, Any]]:
    """Each artifact that groups of a section use, with their names as one: it was made once for all of them."""
    users = [(one, [user.group.name for user in one.users if user.title == section.title]) for one in trained]
    return [(listed(names), one.artifact) for one, names in users if names]


def _data_shares(section: Section, rebuilder: Rebuilder, num_classes: int) -> list[float] | None:
    """Each class's fraction of the pool: of a run that had all labels, else of the data set, if it can be loaded."""
    whole = next((group.first for group in section.groups if has_all(group)), None)
    if whole is not None:
        return class_shares(whole.cycles[-1], num_classes)
    run = section.groups[0].first
    dataset = rebuilder.dataset(run)
    labels = getattr(getattr(dataset, "train", None), "labels", None)
    if labels is None or len(labels.shape) != 1 or getattr(dataset, "unlabeled", None) is not None:
        return None
    counts = labels.bincount(minlength=num_classes).tolist()
    return [count / len(labels) for count in counts]


def _readable(run: Run) -> str:
    """A run's configuration as conf/ would have it, without `procedure`, which holds the same parts once more."""
    config = {key: value for key, value in run.config.items() if key != "procedure"}
    write = partial(yaml.dump, config, sort_keys=False, default_flow_style=None, allow_unicode=True, width=120)
    try:
        return str(write(Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))  # libyaml: a tenth of the time
    except UnicodeEncodeError:  # a path that is no UTF-8
        return str(write(Dumper=yaml.SafeDumper))
