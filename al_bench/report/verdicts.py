"""What became of a claim, in words: lines of one verdict together, each with the comparison that it hangs on."""

from collections.abc import Sequence

from al_bench.analysis.claims import Verdict, Word, judge
from al_bench.analysis.grouping import group_by
from al_bench.analysis.published import Claim
from al_bench.analysis.table_lines import TableLines
from al_bench.report.measures import listed


def word_verdicts(claim: Claim, lines: TableLines) -> list[tuple[Word, str]]:
    """Each verdict with its reasons: "asal_pixel: accuracy minus random on average: +0.57, ...". lines: all that are
    stored of the claim's table."""
    rules = claim.rules or [None] * max(1, len(claim.rows))
    judged = [
        (line, judge(rule, line, lines.groups, lines.unclear))
        for line, rule in zip(claim.rows or [""], rules, strict=True)
    ]
    return [(word, _reasons(own, len(judged) > 1)) for word, own in group_by(judged, lambda one: one[1].word).items()]


def _reasons(judged: Sequence[tuple[str, Verdict]], several: bool) -> str:
    """Lines with the same reason are named together; a claim of one line names none."""
    alike = group_by(judged, lambda one: one[1].reason)
    if not several:
        return judged[0][1].reason
    return "; ".join(f"{listed([line for line, _ in own])}: {reason}" for reason, own in alike.items())
