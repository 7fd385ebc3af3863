"""What is written of ALCG on Fashion-MNIST, AC-WGAN-GP, of one seed, computed anew from the stored cells."""

import pytest
from alcg_cells import WHOLE, Lines
from kept_cells import RESULTS, page_of

from al_bench.analysis.coverage import cover
from al_bench.analysis.published import read_published

PAPER = page_of("alcg")
SECTION = RESULTS.partition("## ALCG on Fashion-MNIST, AC-WGAN-GP, one seed")[2].partition(" ## ")[0]
LINES = Lines(
    "fashion_mnist-alcg",
    {"RAND": ("random", 1, 3000), "CS_MC": ("certainty_mc", 1, 3000), WHOLE: ("certainty_mc", 4, 3000)},
    {},
    [0],
    range(1000, 4001, 1000),
    "ac_wgan_gp",
)
RUNS = [LINES.run_of(line, 0) for line in LINES.asked]


@pytest.mark.parametrize("line", LINES.asked)
def test_a_row(line: str) -> None:
    (curve,) = LINES.curves(line, "gan_test").values()
    *first, _ = (f"{value:.1f}" for value in curve.values())
    modes = float(LINES.run_of(line, 0).cycles[-1].metrics["modes"])  # type: ignore[arg-type]
    ends = LINES.means_row(line).removeprefix(f"| {line} | ")
    assert f"| {line} | {' | '.join(first)} | {ends}{modes:.0f} |" in SECTION


def test_no_claim_is_decided() -> None:
    (table,) = (one for one in read_published([]) if one.name == "alcg/fashion_mnist_wgan_gp")
    claims = cover(table, RUNS, lambda name, declared: 1.0, []).claims
    assert {one.verdict.word for one in claims} == {"not decided"} and {one.scale for one in claims} == {"small"}
    assert "**One seed claims nothing**" in SECTION and f"{len(claims)} claims of the page are open" in SECTION
    assert "on AC-WGAN-GP one seed was run, which claims nothing" in PAPER


def test_what_each_query_asks_for() -> None:
    most = [max(LINES.run_of(line, 0).cycles[-1].class_counts) for line in ("CS_MC", WHOLE)]
    said = f"{most[0]:,} of CS_MC's 4,000 labels and {most[1]:,} of ALCG's are of one class"
    assert said in SECTION


def test_the_judge_is_that_of_the_other_bases() -> None:
    (knows,) = {f"{100 * float(one.metrics['judge_accuracy']):.1f}" for run in RUNS for one in run.cycles}  # type: ignore[arg-type]
    assert knows == "92.2" and "the same judge" in SECTION
    assert RUNS[0].cycles[0].metrics == RUNS[1].cycles[0].metrics


def test_an_iteration_of_gamma_4_costs_what_is_said() -> None:
    seconds = [sum(one.costs["fit"].seconds for one in run.cycles) / 12_000 for run in RUNS]
    said = f"An iteration took {seconds[0]:.2f} s with RAND, {seconds[1]:.2f} with CS_MC and {seconds[2]:.2f} with ALCG"
    assert said in SECTION
