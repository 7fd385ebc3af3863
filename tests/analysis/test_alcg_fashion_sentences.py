"""What is written of ALCG on Fashion-MNIST, computed anew from the stored cells."""

from statistics import fmean

import pytest
from alcg_cells import AS, METRICS, WHOLE, fashion, in_common, in_words, written
from kept_cells import RESULTS, kept_runs, page_of

from al_bench.analysis.coverage import cover
from al_bench.analysis.published import read_published
from al_bench.analysis.statistics.paired import Interval, interval

PAPER = page_of("alcg")
FASHION, AMONG, ALCG = fashion("ac_dcgan")
NARROW = ("61a5fd7e9b60", "36644f10057d", "b9cfbad4e1db")  # Fig. 9 at half of the channels: regular training


@pytest.mark.parametrize("line", {**FASHION.asked, **ALCG.asked})
def test_a_row_of_the_means(line: str) -> None:
    lines = FASHION if line in FASHION.asked else ALCG
    modes = [float(lines.run_of(line, seed).cycles[-1].metrics["modes"]) for seed in lines.seeds]
    assert f"{lines.means_row(line)}{fmean(modes):.1f} |" in RESULTS


@pytest.mark.parametrize("words", FASHION.differences)
def test_the_rows_of_certainty(words: str) -> None:
    assert FASHION.area_row(words).replace(words, f"{words}, 1,000 to 4,000 labels") in RESULTS
    assert FASHION.end_row(words).replace(words, f"{words}, at 4,000 labels") in RESULTS


@pytest.mark.parametrize("words", AMONG.differences)
def test_the_rows_among_the_criteria(words: str) -> None:
    assert AMONG.area_row(words).replace(words, f"{words}, 1,000 to 4,000 labels") in RESULTS


@pytest.mark.parametrize("words", ALCG.differences)
def test_the_rows_of_gamma_4(words: str) -> None:
    assert ALCG.area_row(words).replace(words, f"{words}, 1,000 to 4,000 labels") in RESULTS
    assert ALCG.end_row(words).replace(words, f"{words}, at 4,000 labels") in RESULTS


def test_what_is_said_of_adversarial_sampling_along_the_labels() -> None:
    assert ALCG.told("AS minus RAND") == "-gan_test -gan_train -inception_score -fid -precision"
    said = written(ALCG.over_all("AS minus RAND", "gan_test"), "gan_test")
    ends = in_words([curve[4000] for curve in ALCG.curves(AS, "gan_test").values()])
    assert f"its GAN-test ends at {ends} %, over all sizes {said} from RAND" in RESULTS
    assert f"D's choice leaves classes {shares_of(AS)} of its fakes; chosen within classes" in RESULTS
    p = ALCG.test_of("AS minus RAND", "gan_test").p
    assert f"{said.replace(' [', ' points [')} of area (p {p:.3f} after Holm over the four" in PAPER


def test_what_is_said_of_alcg() -> None:
    ends = in_words([curve[4000] for curve in ALCG.curves(WHOLE, "gan_test").values()])
    said = "**ALCG has the lowest GAN-test of the six in the mean**, over all sizes not decided: it ends at"
    assert f"{said} {ends} %" in RESULTS and not ALCG.is_decided("ALCG minus RAND", "gan_test")
    assert f"ends at {ends} % GAN-test on Fashion-MNIST" in PAPER
    for words in ("ALCG minus CS_MC", "ALCG minus RAND"):
        first, second = ALCG.pair(words, "gan_test")
        assert all(first[seed][size] < second[seed][size] for seed in ALCG.seeds for size in ALCG.sizes)
    rows = [lines.means_row(line).split(" | ")[1] for lines in (ALCG, FASHION) for line in lines.asked]
    assert min(map(float, rows)) == float(ALCG.means_row(WHOLE).split(" | ")[1])
    assert f"There D's choice leaves classes {shares_of(WHOLE)} of its fakes" in RESULTS
    for seed in ALCG.seeds:
        assert ALCG.run_of(AS, seed).cycles[0].metrics == ALCG.run_of(WHOLE, seed).cycles[0].metrics
    whole, end = (written(found("ALCG minus AS", "gan_test"), "gan_test") for found in (ALCG.over_all, ALCG.at_the_end))
    assert not ALCG.is_decided("ALCG minus AS", "gan_test")
    assert (
        f"adds over all sizes is {whole} of GAN-test, not decided, at 4,000 labels {end} before correction" in RESULTS
    )


def shares_of(line: str) -> str:
    """Of the classes among the fakes that trained D, of all cycles."""
    cycles = [one for seed in ALCG.seeds for one in ALCG.run_of(line, seed).cycles]
    drawn = [100 * share for one in cycles for share in one.metrics["class_drawn"]]  # type: ignore[union-attr, operator]
    return f"{min(drawn):.0f} to {max(drawn):.0f} %"


def test_what_is_said_of_the_criteria() -> None:
    worse = "-gan_test -gan_train -inception_score -fid -recall"
    assert [FASHION.told(words) for words in FASHION.differences] == [
        worse,
        worse,
        worse.replace("-rec", "+precision -rec"),
    ]
    assert not any(map(AMONG.told, AMONG.differences))
    apart = [
        not one.low < 0 < one.high for words in AMONG.differences for one in (AMONG.over_all(words, m) for m in METRICS)
    ]
    assert (len(apart), sum(apart)) == (18, 2) and "(before it two differences of 18 are without 0)" in RESULTS
    common = in_common(FASHION)
    assert f"first query any two have {min(common)} to {max(common)} in common" in RESULTS
    assert f"nearly the same images: {min(common)} to {max(common)} of a first query's 1,000" in PAPER
    words = "CS_MC minus CS_LE"
    said = written(AMONG.over_all(words, "gan_test"), "gan_test")
    assert f"is not decided: {words} is {said}." in RESULTS and f"is not decided ({words} {said})" in PAPER
    (table,) = (one for one in read_published([]) if one.name == "alcg/fashion_mnist")
    runs = [FASHION.run_of(line, seed) for line in FASHION.asked for seed in FASHION.seeds]
    claims = cover(table, runs, lambda name, declared: 1.0, []).claims
    assert [one.verdict.word for one in claims if one.column == "criteria"] == ["not decided"] * 3
    of_criteria = [one.verdict.word for one in claims if "alcg/cs_" in one.line and one.column != "criteria"]
    assert of_criteria == ["does not hold"] * 9
    areas = [{metric: FASHION.over_all(words, metric) for metric in METRICS} for words in FASHION.differences]
    means = [f"{one['gan_test'].mean:.1f}" for one in areas]
    assert f"Each of the three loses to random images: {means[0]}, {means[1]} and {means[2]} points of area" in PAPER
    precise = [written(one["precision"], "precision") for one in areas]
    assert (
        f"is {precise[0]}, {precise[1]} and {precise[2].replace(' [', ' points [')} from random images there" in PAPER
    )
    recalled = [f"{one['recall'].mean:.1f}" for one in areas]
    assert f"recall {recalled[0]}, {recalled[1]} and {recalled[2]} |" in PAPER


def test_what_is_said_of_certainty() -> None:
    of_certain = [FASHION.run_of("CS_MC", seed).cycles for seed in FASHION.seeds]
    most, least = ([choose(cycles[-1].class_counts) for cycles in of_certain] for choose in (max, min))
    said = f"{min(most):,} to {max(most):,} of a seed's 4,000 labels are of one class and {min(least)} to {max(least)}"
    first = [count for cycles in of_certain for count in cycles[0].class_counts]
    assert f"{said} of another, where the first thousand have {min(first)} to {max(first)} of each" in RESULTS


def risen(line: str) -> Interval:
    """GAN-test from the first labels to the last."""
    found = interval([curve[4000] - curve[1000] for curve in FASHION.curves(line, "gan_test").values()])
    assert found is not None
    return found


def test_certain_labels_are_worse_than_none() -> None:
    certain, random = (written(risen(line), "gan_test") for line in ("CS_MC", "RAND"))
    points = certain.replace(" [", " points [")
    assert f"CS_MC's GAN-test changes by {points}, that of random images by {random}." in RESULTS
    assert f"{-risen('CS_MC').mean:.1f} points below what the first 1,000 labels alone give" in PAPER
    low, high = risen("RAND").low, risen("RAND").high
    assert f"is {risen('RAND').mean:+.1f} points from 1,000 to 4,000, interval {low:.1f} to {high:.1f}" in PAPER


def test_the_classes_that_few_labels_are_of() -> None:
    """At the end, and what the same classes had at first."""
    few: list[tuple[int, int, float, float]] = []
    for seed in FASHION.seeds:
        first, *_, last = FASHION.run_of("CS_MC", seed).cycles
        counts = zip(first.class_counts, last.class_counts, strict=True)
        of_class = (one.metrics["class_gan_test"] for one in (first, last))
        few += [(*of, *hits) for of, *hits in zip(counts, *of_class, strict=True) if of[1] < 150]
    before, after, early, late = zip(*few, strict=True)
    assert len(few) == 9
    counts = f"({min(after)} to {max(after)} of 4,000), of the thirty classes of three seeds,"
    assert f"{counts} have a mean GAN-test of {100 * fmean(late):.1f} %" in RESULTS
    then = f"with {min(before)} to {max(before)} labels of the first 1,000"
    assert f"{then} the same nine had {100 * fmean(early):.1f} %" in RESULTS


def test_a_first_cycle_is_one_whatever_asks_next() -> None:
    """And what a query and a training take."""
    fits, queries = list[float](), list[float]()
    for seed in FASHION.seeds:
        random, certain = (FASHION.run_of(line, seed).cycles for line in ("RAND", "CS_MC"))
        assert random[0].metrics == certain[0].metrics
        fits += [one.costs["fit"].seconds for one in (*random, *certain)]
        queries += [one.costs["query"].seconds for one in certain[1:]]
    assert f"A query of CS_MC takes {fmean(queries):.0f} seconds of the 60,000 images" in RESULTS
    assert f"a training of it and RAND {min(fits):.0f} to {max(fits):.0f}, other work beside them;" in RESULTS


def test_with_all_labels_the_gan_can_be_trained() -> None:
    """Which is asked for before lines are compared."""
    regular = kept_runs("fashion_mnist-alcg-random+acgan+ac_dcgan-seed=0")
    (run,) = (one for one in regular if len(one.cycles) == 1 and one.id not in NARROW)
    (cycle,) = run.cycles
    looks = dict(zip(cycle.observed["iteration"], cycle.observed["gan_test"], strict=True))
    assert (cycle.annotations, max(looks)) == (60_000, 10_000)
    early, late = (f"{100 * float(looks[at] or 0):.1f} %" for at in (3000, 10_000))
    assert f"{early} GAN-test after 3,000 iterations, {late} after 10,000" in RESULTS
    every = [*kept_runs("fashion_mnist-alcg-random+acgan+ac_dcgan"), *kept_runs("fashion_mnist-alcg-certainty_mc")]
    wide = [run for run in every if run.id not in NARROW]
    (known,) = {float(one.metrics["judge_accuracy"]) for kept in wide for one in kept.cycles}
    assert float(looks[3000] or 0) > known
    assert f"a LeNet, knows {100 * known:.1f} % of the real test images" in RESULTS
    assert f"Both are above the judge's own {100 * known:.1f} %, which says that samples are plainer than" in RESULTS
