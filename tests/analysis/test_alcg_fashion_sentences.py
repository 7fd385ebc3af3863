"""What is written of ALCG on Fashion-MNIST, computed anew from the stored cells."""

from statistics import fmean

import pytest
from alcg_cells import Lines, written
from kept_cells import RESULTS, kept_runs, page_of

from al_bench.analysis.statistics.paired import Interval, interval

PAPER = page_of("alcg")
ASKED = {"RAND": ("random", 1, 3000), "CS_MC": ("certainty_mc", 1, 3000)}
WORDS = "CS_MC minus RAND"
FASHION = Lines("fashion_mnist-alcg", ASKED, {WORDS: ("CS_MC", "RAND")}, seeds=range(3), sizes=range(1000, 4001, 1000))
NARROW = ("61a5fd7e9b60", "01a28fe1a1c8", "e556c2f690dd")  # Fig. 9 at half of the channels: regular, and gamma 4 twice


@pytest.mark.parametrize("line", ASKED)
def test_a_row_of_the_means(line: str) -> None:
    modes = [float(FASHION.run_of(line, seed).cycles[-1].metrics["modes"]) for seed in FASHION.seeds]
    assert f"{FASHION.means_row(line)}{fmean(modes):.1f} |" in RESULTS


def test_the_rows_of_the_difference() -> None:
    assert FASHION.area_row(WORDS).replace(WORDS, f"{WORDS}, 1,000 to 4,000 labels") in RESULTS
    assert FASHION.end_row(WORDS).replace(WORDS, f"{WORDS}, at 4,000 labels") in RESULTS


def test_what_is_said_of_certainty() -> None:
    assert FASHION.told(WORDS) == "-gan_test -gan_train -inception_score -fid -recall"
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
    assert len(few) == 9, "the nine classes of a seed"
    assert f"({min(after)} to {max(after)}, of 4,000) have a mean GAN-test of {100 * fmean(late):.1f} %" in RESULTS
    then = f"with {min(before)} to {max(before)} labels of the first 1,000"
    assert f"{then} the same nine had {100 * fmean(early):.1f} %" in RESULTS


def test_a_first_cycle_is_one_whatever_asks_next() -> None:
    """And what a query and a training take."""
    fits, queries = list[float](), list[float]()
    for seed in FASHION.seeds:
        random, certain = (FASHION.run_of(line, seed).cycles for line in ASKED)
        assert random[0].metrics == certain[0].metrics
        fits += [one.costs["fit"].seconds for one in (*random, *certain)]
        queries += [one.costs["query"].seconds for one in certain[1:]]
    assert f"takes {fmean(queries):.0f} seconds of the 60,000 images" in RESULTS
    assert f"a training {min(fits):.0f} to {max(fits):.0f}, other work beside them;" in RESULTS


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


def test_what_is_said_of_adversarial_sampling_with_all_labels() -> None:
    every = [run for more in ("", "+gamma=4") for run in kept_runs(f"fashion_mnist-alcg-random+acgan+ac_dcgan{more}")]
    regular, chosen = (next(run for run in every if run.id == own).cycles[0] for own in NARROW[:2])
    assert {f"{100 * float(one.metrics['judge_accuracy']):.1f}" for one in (regular, chosen)} == {"91.9"}
    looks = [[100 * value for value in one.observed["gan_test"]] for one in (regular, chosen)]
    best = max(looks[1])
    assert chosen.observed["iteration"][looks[1].index(best)] == 1000
    beside = f"{best:.1f} % (regular training {looks[0][1]:.1f} %)"
    assert f"1,000 iterations, {beside}, and falls to {looks[1][-1]:.1f} %" in RESULTS
    assert f"at 10,000 ({looks[0][-1]:.1f} %)" in RESULTS
    fid = [one.metrics["fid_own"] for one in (chosen, regular)]
    assert f"FID-own {fid[0]:.1f} beside {fid[1]:.1f} at the end" in RESULTS
    (second,) = kept_runs("fashion_mnist-alcg-random+acgan+ac_dcgan+gamma=4-seed=1")
    ends = 100 * float(second.cycles[0].metrics["gan_test"])
    assert f"Its second seed ends at {ends:.1f} % (regular training of that seed was not run)" in RESULTS
    drawn = chosen.metrics["class_drawn"]
    assert isinstance(drawn, list)
    assert f"leaves classes {100 * min(drawn):.0f} to {100 * max(drawn):.0f} % of the fakes" in RESULTS
