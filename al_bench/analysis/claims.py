"""Claims in words, judged by their rules: each row holds, does not hold, or is not decided, and why.

A comparison is over the seeds that both lines have: what is claimed holds where the whole interval of the paired
difference lies on its side, and does not hold where the whole interval lies on the other. A run that ends before it
reaches a goal counts as there at its end, which is too early, and one that begins there at its beginning, which may be
too late: tested is the mean within what was looked at (a restricted mean), which errs to one side, and nothing is
decided that what is lacking could undo. Nor is anything of an end or a whole while a run that is compared goes on.
Of a claim of several comparisons every one has to hold; that one fails has to be seen after Holm's correction over all
of them, for among many one is always far off.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from al_bench.analysis.ending import name_seeds, say_unfinished, unfinished
from al_bench.analysis.grouping import Group
from al_bench.analysis.rule_curves import stored_name
from al_bench.analysis.rule_values import Pairs, paired_values
from al_bench.analysis.rules import Clause, Operand, Rule
from al_bench.analysis.statistics.correction import holm
from al_bench.analysis.statistics.paired import LEVEL, PairedTest, compare_pairs, probability
from al_bench.errors import amount

Word = Literal["holds", "does not hold", "not decided"]
HOLDS: Word = "holds"
FAILS: Word = "does not hold"
OPEN: Word = "not decided"

_CLEAR: Mapping[str, Sequence[str]] = {}
_TELLS = "a page of the experiment alone, --experiment, tells"


@dataclass(frozen=True)
class Verdict:
    """word: of a row; reason: the comparison that it hangs on, with its interval and pairs, or what is missing."""

    word: Word
    reason: str


@dataclass(frozen=True)
class _Found:
    """One comparison: the first value minus the second, which the claimed margin moved, and how both are called. open:
    what may not be concluded, as a goal was not reached; beside: what is to be said of the seeds."""

    clause: Clause
    second: str
    test: PairedTest
    wanted: int  # 1: the difference has to be positive; -1: negative; 0: small
    open: Collection[Word] = ()
    beside: str = ""

    @property
    def word(self) -> Word:
        low, high = self._ends
        if self.wanted == 0:
            inside, outside = abs(low) <= self._width >= abs(high), low > self._width or high < -self._width
        else:
            ends = sorted((self.wanted * low, self.wanted * high))
            inside, outside = ends[0] > 0, ends[1] < 0 or (self.clause.exact and ends[1] == 0)
        word = HOLDS if inside else FAILS if outside else OPEN
        return OPEN if word in self.open else word

    @property
    def sureness(self) -> tuple[float, float]:
        """How far its mean is on the claimed side of the bound: in halves of its interval, above 1 it holds and below
        -1 it fails; then as it is, which tells apart what was computed."""
        low, high = self._ends
        far = self._width - abs(self.test.mean) if self.wanted == 0 else self.wanted * self.test.mean
        half = (high - low) / 2
        return (far / half if half else math.copysign(math.inf, far) if far else 0.0), far

    @property
    def p(self) -> float:
        """Of the test against what refutes the claim: 0, or the nearer bound, which one inside of it does not; 1 where
        there is none."""
        if self.wanted == 0 and abs(self.test.mean) <= self._width:
            return 1.0
        nearer = math.copysign(self._width, self.test.mean) if self.wanted == 0 else 0.0
        found = probability([one - nearer for one in self.test.differences])
        return 1.0 if found is None else found

    @property
    def _width(self) -> float:
        return self.clause.margin

    @property
    def _ends(self) -> tuple[float, float]:
        if self.clause.exact:
            return self.test.mean, self.test.mean
        low, high = self.test.low, self.test.high
        return (float("-inf"), float("inf")) if low is None or high is None else (low, high)

    @property
    def words(self) -> str:
        pairs = f"{amount(self.test.n, 'seed')}{self.beside}"
        moved = self.wanted * self.clause.margin
        mean = f"{self.second}{self._bound}: {_signed(self.test.mean + moved)}"
        if self.clause.exact:
            return f"{mean}, computed"
        low, high = self.test.low, self.test.high
        nothing = "one tests nothing" if self.test.n == 1 else "without a spread, which tests nothing"
        if low is None or high is None:
            return f"{mean}, {nothing}, {pairs}"
        return f"{mean}, {LEVEL:.0%} interval {_signed(low + moved)} to {_signed(high + moved)}, {pairs}"

    @property
    def _bound(self) -> str:
        if self.wanted == 0:
            return f", claimed to be within ±{self._width:g}"
        moved = self.wanted * self.clause.margin
        return f", claimed to be {'above' if moved > 0 else 'below'} {moved:+g}" if moved else ""


def _signed(value: float) -> str:
    """With three digits, of labels, steps and seconds with all before the point."""
    return f"{value:+.3g}" if abs(value) < 999.5 else f"{value:+,.0f}"


def judge(
    rule: Rule | None, line: str, groups: Mapping[str, Group], unclear: Mapping[str, Sequence[str]] = _CLEAR
) -> Verdict:
    """A row by its rule. line: that it is of; groups: all lines by name of which something is stored; unclear: names
    of lines that several groups bear alike, and which these are, or none."""
    if rule is None:
        return Verdict(OPEN, "no rule")
    if rule.why:
        return Verdict(OPEN, f"no rule judges it: {rule.why}")
    if (group := groups.get(line)) is None:
        return Verdict(OPEN, _say_missing("this line", line, groups, unclear))
    found: list[_Found] = []
    for clause in rule.clauses:
        for operand in clause.operands:
            if operand.line and operand.line not in groups:
                return Verdict(OPEN, _say_missing(operand.line, operand.line, groups, unclear))
            compared = list(_compare(clause, operand, group, groups))
            if not compared:
                return Verdict(OPEN, f"{clause.text}: nothing stored has both")
            found += compared
    return _of_all(found)


def _say_missing(called: str, line: str, groups: Mapping[str, Group], unclear: Mapping[str, Sequence[str]]) -> str:
    """That no group is a line, or which of several: those of its name, or whose name begins with it and says more, as a
    path does of what an experiment has alike in all."""
    if unclear.get(line):
        return f"{called} may be {' or '.join(unclear[line])}: {_TELLS}"
    if others := [name for name in groups if name.startswith(f"{line}+")]:
        return f"no run of {called} is stored under this name (there is {', '.join(others)}: {_TELLS})"
    return f"no run is known to be of {called}: {_TELLS}" if line in unclear else f"no run of {called} is stored"


def _compare(clause: Clause, operand: Operand, group: Group, groups: Mapping[str, Group]) -> Iterator[_Found]:
    """One for each size that the clause speaks of."""
    other = groups[operand.line] if operand.line else None
    for pairs in paired_values(clause, operand, group, other):
        wanted = _wanted(clause.relation, pairs.higher)
        moved = {seed: value + wanted * clause.margin for seed, value in pairs.second.items()}
        test = compare_pairs(pairs.first, moved, pairs.higher)
        if test is not None:
            line = operand.line and other and other.say_as_baseline(operand.line)
            itself = "" if operand.at is None else f"itself at {operand.at}"
            against = line or operand.metric or itself or f"{operand.factor:g}"
            times = "" if operand.factor == 1 or operand.is_number else f"{operand.factor:g} x "
            name = f"{stored_name(group.first, clause.measure)} minus {times}{against}{pairs.place}"
            begun = _unfinished(clause, pairs, [group, *([other] if other else [])])
            yield _Found(clause, name, test, wanted, _undone(wanted, pairs, begun), _said_beside(clause, pairs, begun))


def _unfinished(clause: Clause, pairs: Pairs, groups: Sequence[Group]) -> list[int]:
    """The compared seeds of which a run goes on to what the clause speaks of."""
    runs = [run for group in groups for run in group.runs if run.is_loop]
    beyond = [run for run in runs if clause.goes_beyond(run.cycles[-1].annotations)]
    return unfinished(beyond, {*pairs.first, *pairs.neither})


def _said_beside(clause: Clause, pairs: Pairs, begun: Sequence[int]) -> str:
    """After the number of seeds: what is not known of them, and which are no pair. begun: see `_unfinished`."""
    said = ""
    if pairs.short:
        said = ", one line less than half as far as the other"
    elif begun:
        said = f"; {say_unfinished(begun)}"
    if pairs.unseen:
        said += f", {pairs.unseen} with a line that ends before {clause.goal} or begins there: that look stands in"
    if pairs.neither:
        said += f", beside {len(pairs.neither)} of which neither line is seen to reach {clause.goal}"
    if pairs.alone:
        said += f"; {name_seeds(pairs.alone)} {'is' if len(pairs.alone) == 1 else 'are'} of one line alone"
    return said + (f"; of {name_seeds(pairs.lacking)} one has nothing there" if pairs.lacking else "")


def _undone(wanted: int, pairs: Pairs, begun: Sequence[int]) -> list[Word]:
    """What the labels could undo that a run lacks to reach a goal: a difference that rises ends what it is to be below,
    and what refutes that it is above. Or to come to its end, or half as far as the other line: all that is said of end
    or whole. begun: see `_unfinished`."""
    if pairs.short or begun:
        return [HOLDS, FAILS]
    if wanted == 0:
        return [HOLDS, FAILS] if pairs.may_rise or pairs.may_fall else []
    rising, falling = (FAILS, HOLDS) if wanted > 0 else (HOLDS, FAILS)
    return [word for word, may in ((rising, pairs.may_rise), (falling, pairs.may_fall)) if may]


def _wanted(relation: str, higher: bool) -> int:
    if relation == "within":
        return 0
    return (1 if higher else -1) * (1 if relation == "better" else -1) if relation in ("better", "worse") else (
        1 if relation == "more" else -1
    )  # fmt: skip


def _of_all(found: Sequence[_Found]) -> Verdict:
    """All hold; or one fails, all counted; else nothing is decided. Told is the one that it hangs on: the surest to
    fail, else the one that is furthest from holding."""
    undecided = [one for one in found if one.word == OPEN]
    failed = [one for one in found if one.word == FAILS]
    sure = [one for one in failed if _fails_among(one, found)]
    if sure:
        worst = min(sure, key=lambda one: one.p)
        return Verdict(FAILS, _told(worst, len(sure), len(found)))
    if undecided or failed:
        least = min(undecided or failed, key=lambda one: one.sureness)
        return Verdict(OPEN, _told(least, len(found) - len(undecided) - len(failed), len(found)))
    return Verdict(HOLDS, _told(min(found, key=lambda one: one.sureness), len(found), len(found)))


def _fails_among(one: _Found, found: Sequence[_Found]) -> bool:
    if one.clause.exact or len(found) == 1:
        return True
    raised = holm([other.p for other in found])
    return raised[[other is one for other in found].index(True)] < 1 - LEVEL


def _told(one: _Found, count: int, total: int) -> str:
    return one.words if total == 1 else f"{one.words} ({count} of {total} comparisons)"
