"""What is written of ALCG's Fig. 9 on Fashion-MNIST, AC-SNGAN, computed anew from the stored cells."""

import re
from statistics import fmean

import pytest
from alcg_cells import BENCH, METRICS, difference, in_words, looks_of, of_figure_9, on_the_way, way, written
from kept_cells import RESULTS, kept_runs, page_of
from statsmodels.stats.multitest import multipletests

from al_bench.analysis.coverage import cover
from al_bench.analysis.published import read_published
from al_bench.analysis.statistics.paired import Interval, interval
from al_bench.storage.record import CycleRecord

PAPER = page_of("alcg")
PATTERNS = [f"fashion_mnist-alcg-random+acgan+ac_sngan{more}-seed=*" for more in ("", "+gamma=4")]
REGULAR, CHOSEN = map(of_figure_9, PATTERNS)
SECTION = RESULTS.partition("## ALCG on Fashion-MNIST, AC-SNGAN")[2].partition(" ## ")[0]
AS_COSTLY = 11  # the look after 6,000 iterations


def at_equal_cost(metric: str) -> Interval:
    """After 6,000 iterations, less regular training after 10,000."""
    found = interval([way(CHOSEN[seed], metric)[AS_COSTLY] - way(REGULAR[seed], metric)[-1] for seed in CHOSEN])
    assert found is not None
    return found


def test_the_row() -> None:
    cells = [written(difference(CHOSEN, REGULAR, metric), metric) for metric in METRICS]
    assert f"| AS minus regular, AC-SNGAN | {' | '.join(cells)} |" in RESULTS
    assert all(one.low < 0 < one.high for one in (difference(CHOSEN, REGULAR, metric) for metric in METRICS))
    assert "and no metric is told apart" in SECTION


def test_what_is_said_of_the_way() -> None:
    found = {metric: on_the_way(CHOSEN, REGULAR, metric) for metric in ("gan_test", "fid_own", "inception_score_own")}
    told = [written(area, metric) for metric, (area, _) in found.items()]
    ahead = [
        sum(a > b for a, b in zip(looks_of(CHOSEN[seed]), looks_of(REGULAR[seed]), strict=True)) for seed in CHOSEN
    ]
    assert {len(looks_of(one)) for one in (*CHOSEN.values(), *REGULAR.values())} == {20}
    p = found["gan_test"][1]
    holm = multipletests([p, found["inception_score_own"][1]], method="holm")[1][0]
    assert holm > 0.05
    plain = interval([fmean(looks_of(CHOSEN[seed])) - fmean(looks_of(REGULAR[seed])) for seed in CHOSEN])
    assert plain is not None and plain.low < 0
    mean = written(plain, "gan_test")
    said = (
        f"its GAN-test is {told[0]} (p {p:.3f}, after Holm over the two scores {holm:.3f}, not decided; the plain mean "
        "of the twenty looks is"
    )
    assert f"{said} {mean}), ahead of regular training's at {in_words(ahead, 'd')} of them" in SECTION
    assert f"of them, its FID-own {told[1]}, its IS-own {told[2]}." in SECTION
    of_area = f"{told[0].replace(' [', ' points [')} of area over the iterations (p {p:.3f}, after Holm over two scores"
    rule = "not decided, by a rule that was chosen after two thirds of the runs"
    assert f"{of_area} {holm:.3f}, {rule}; the plain mean of the looks {mean})" in PAPER


def test_what_is_said_of_the_end() -> None:
    ends = [[looks_of(one)[-1] for one in line.values()] for line in (CHOSEN, REGULAR)]
    assert f"it has {in_words(ends[0])} % where regular training has {in_words(ends[1])} %" in SECTION
    lowest, highest = ([f"{one(line):.1f}" for line in ends] for one in (min, max))
    assert f"{lowest[0]} to {highest[0]} % beside {lowest[1]} to {highest[1]} % at the end, not decided" in PAPER


def test_what_is_said_at_equal_cost() -> None:
    """By the factor that `results/bench.md` has of AC-SNGAN's gamma 4."""
    (factor,) = re.findall(r"AC-SNGAN, gamma 4 / regular training +\| +([\d.]+) x", BENCH)
    at = float(CHOSEN[0].observed["iteration"][AS_COSTLY] or 0)
    assert at == 6000 and 0.95 < float(factor) * at / 10_000 < 1
    assert f"which at {factor} times the cost (`results/bench.md`, of twice these channels, in bfloat16)" in SECTION
    told = [written(at_equal_cost(metric), metric) for metric in ("gan_test", "inception_score_own", "fid_own")]
    said = f"its GAN-test is {told[0]} from that one's end, its IS-own {told[1]}, its FID-own {told[2]}, worse"
    assert said in SECTION and at_equal_cost("fid_own").low > 0
    assert f"and for as much as it costs {told[0]}, with FID-own {told[2]} behind" in PAPER


def test_what_is_said_of_the_classes() -> None:
    drawn = [100 * share for one in CHOSEN.values() for share in one.metrics["class_drawn"]]  # type: ignore[union-attr, operator]
    assert f"D's choice leaves classes {min(drawn):.0f} to {max(drawn):.0f} % of its fakes, where with" in SECTION


def test_one_of_the_five_claims_holds() -> None:
    (table,) = (one for one in read_published([]) if one.name == "alcg/adversarial_fashion_mnist")
    runs = [run for pattern in PATTERNS for run in kept_runs(pattern) if len(run.cycles) == 1]
    covered = cover(table, runs, lambda name, declared: 1.0, [])
    words = {
        (one.column, one.rule.rpartition(" ")[2]): one.verdict.word for one in covered.claims if "sngan" in one.line
    }
    assert words.pop(("gan_test", "trained")) == "holds"
    assert list(words.values()) == ["not decided"] * 4
    assert "Of the paper's five claims GAN-test on the way holds by its rule before correction" in SECTION


@pytest.mark.parametrize("line", [REGULAR, CHOSEN])
def test_one_judge_measured_them(line: dict[int, CycleRecord]) -> None:
    assert {one.measured_by for one in line.values()} == {REGULAR[0].measured_by}
    (knows,) = {f"{100 * float(one.metrics['judge_accuracy']):.1f}" for one in line.values()}  # type: ignore[arg-type]
    assert (
        f"Both are above the judge's own {knows} %" in SECTION and f"those of AC-SNGAN by one of {knows} %" in RESULTS
    )
    assert all(looks_of(one)[-1] > float(knows) for one in line.values())
