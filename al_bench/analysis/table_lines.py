"""Which groups are the lines of a published table, where a page shows all that is stored and nothing was composed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from al_bench.analysis.experiment import Experiment
from al_bench.analysis.grouping import Group
from al_bench.analysis.published import Published
from al_bench.config.groups import name_known


@dataclass(frozen=True)
class TableLines:
    """groups: by the name of a line; unclear: names that several groups bear alike, and which these are, or of which no
    group is known to be, as those are that say what a run records of no choice."""

    groups: Mapping[str, Group]
    unclear: Mapping[str, Sequence[str]] = field(default_factory=dict)


def groups_run_for(table: Published, groups: Sequence[Group]) -> list[Group]:
    """Those that were run for an experiment, or for none by the recipe of its name; of a line that has some of the
    former these alone."""
    own = [group for group in groups if _is_of(table.name, group)]
    named = {group.method for group in own}
    by_hand = [group for group in groups if _is_by_hand(table.name, group) and group.method not in named]
    return [group for group in groups if group in own or group in by_hand]


def say_unknown(table: Published, experiment: Experiment) -> list[str]:
    """A sentence for each row of a table, or line that a rule of it names, that is no line of its experiment, by name
    or by what is chosen for one; none where something given beside chooses among its lines."""
    if not experiment.is_as_written:
        return []
    known = experiment.all_lines
    cells = [cell for of_line in known.values() for cell in of_line]
    chosen = {str(cell.choices.get(group)) for cell in cells for group in ("method", "strategy")}
    rows = dict.fromkeys([*(number.row for number in table.numbers), *_claimed(table)])
    strange = [row for row in rows if row and row not in known and row.partition(", ")[0] not in chosen]
    return [f"names {row}, which is no line of {table.name}: {name_known(row, list(known))}" for row in strange]


def lines_in(table: Published, groups: Sequence[Group]) -> TableLines:
    """The lines that claims of a table speak of. One that was run for its experiment goes before one that was run for
    none; whether one that was run for another is also of this one its id tells, not its name."""
    alike = {name: [one for one in groups if _bears(name, one)] for name in _claimed(table)}
    found = {name: _nearest(table.name, name, own) for name, own in alike.items()}
    others = {group.name: group for group in groups if group.name not in found}
    clear = {name: own[0] for name, own in found.items() if len(own) == 1}
    several = {name: [group.name for group in own or alike[name]] for name, own in found.items() if len(own) != 1}
    return TableLines({**others, **clear}, several)


def named(line: str, groups: Sequence[Group]) -> list[Group]:
    """By the name of the line, else by what was chosen for it."""
    return [group for group in groups if group.method == line] or [group for group in groups if _is_chosen(line, group)]


def _claimed(table: Published) -> list[str]:
    """The lines of its claims and of their rules."""
    rows = {row for claim in table.claims for row in claim.rows}
    rules = [rule for claim in table.claims for rule in claim.rules if rule]
    return sorted(rows | {one.line for rule in rules for clause in rule.clauses for one in clause.operands if one.line})


def _nearest(table: str, line: str, groups: Sequence[Group]) -> list[Group]:
    """Of groups that bear a line's name those of the table, see `named`."""
    kinds: list[Callable[[str, Group], bool]] = [_is_of, _is_by_hand]
    own = next((own for kind in kinds if (own := [one for one in groups if kind(table, one)])), [])
    return named(line, own)


def _bears(line: str, group: Group) -> bool:
    return group.method == line or _is_chosen(line, group)


def _is_of(table: str, group: Group) -> bool:
    return any(run.choices.get("experiment") == table for run in group.runs)


def _is_by_hand(table: str, group: Group) -> bool:
    choices = group.first.choices
    return choices.get("recipe") == table and choices.get("experiment") in (None, "none")


def _is_chosen(line: str, group: Group) -> bool:
    """Whether a line, "alcg/cs_mc, gan ac_dcgan", is of a group's method, or of its strategy, trained as long as the
    others of the table, with what else was chosen."""
    chosen, *more = line.split(", ")
    choices, learner = group.first.choices, group.first.identity.get("learner") or {}
    own = dict(item.rpartition(" ")[::2] for item in more)
    if any(choices.get(key.replace(" ", "_")) != value for key, value in own.items()):
        return False
    is_method = chosen == choices.get("method") and not group.changes
    return is_method or (chosen == choices.get("strategy") and not learner.get("match_steps"))
