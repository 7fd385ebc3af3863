"""What is written of ALCG on the embedded digits, computed anew from the stored cells."""

from collections.abc import Mapping
from functools import cache
from statistics import fmean

import pytest
from kept_cells import RESULTS, Curves, area, correct_areas, kept_runs, page_of, words_of

from al_bench.analysis.reading import Run
from al_bench.analysis.statistics.correction import CorrectedTest
from al_bench.analysis.statistics.paired import Interval, interval

PAPER = page_of("alcg")
LINES = {
    "RAND": ("random", 1, 200),
    "RAND, 340 iterations": ("random", 1, 340),
    "CS_MC": ("certainty_mc", 1, 200),
    "CS_MC, balanced over predicted classes": ("certainty_balanced", 1, 200),
    "least confidence": ("least_confidence", 1, 200),
    "AS (random images, gamma 4)": ("random", 4, 200),
    "ALCG (CS_MC, gamma 4)": ("certainty_mc", 4, 200),
}
DIFFERENCES = {
    "CS_MC minus RAND": ("CS_MC", "RAND"),
    "balanced CS_MC minus RAND": ("CS_MC, balanced over predicted classes", "RAND"),
    "balanced CS_MC minus CS_MC": ("CS_MC, balanced over predicted classes", "CS_MC"),
    "least confidence minus RAND": ("least confidence", "RAND"),
    "AS minus RAND": ("AS (random images, gamma 4)", "RAND"),
    "AS minus RAND, 340 iterations": ("AS (random images, gamma 4)", "RAND, 340 iterations"),
    "RAND, 340 iterations minus RAND": ("RAND, 340 iterations", "RAND"),
    "ALCG minus CS_MC": ("ALCG (CS_MC, gamma 4)", "CS_MC"),
    "ALCG minus RAND": ("ALCG (CS_MC, gamma 4)", "RAND"),
}
METRICS = {  # the factor with which they are written, and their digits
    "gan_test": (100, 1), "gan_train": (100, 1), "inception_score_own": (1, 2), "fid_own": (1, 1),
    "precision": (100, 1), "recall": (100, 1),
}  # fmt: skip
SEEDS = range(5)
SIZES = range(20, 201, 10)


@cache
def run_of(line: str, seed: int) -> Run:
    strategy, gamma, iterations = LINES[line]
    found = [
        run
        for run in kept_runs(f"digits-{strategy}+acgan+ac_dcgan{'+gamma=4' if gamma == 4 else ''}-seed={seed}")
        if (run.config["learner"]["iterations"] or run.config["gan"]["iterations"]) == iterations
    ]
    assert len(found) == 1
    return found[0]


def curves(line: str, metric: str) -> Curves:
    """As written."""
    factor, _ = METRICS[metric]
    found = {
        seed: {one.annotations: factor * float(one.metrics[metric]) for one in run_of(line, seed).cycles}
        for seed in SEEDS
    }
    assert all(list(curve) == list(SIZES) for curve in found.values())
    return found


def pair(words: str, metric: str) -> tuple[Curves, Curves]:
    first, second = DIFFERENCES[words]
    return curves(first, metric), curves(second, metric)


@cache
def corrected(metric: str) -> Mapping[str, CorrectedTest]:
    """Each difference over all sizes, among those of a metric."""
    return correct_areas({words: pair(words, metric) for words in DIFFERENCES})


def is_decided(words: str, metric: str) -> bool:
    return corrected(metric)[words].better is not None


def written(found: Interval, metric: str) -> str:
    return words_of(found, METRICS[metric][1])


def at_the_end(words: str, metric: str) -> Interval:
    first, second = pair(words, metric)
    found = interval([first[seed][200] - second[seed][200] for seed in SEEDS])
    assert found is not None
    return found


def over_all(words: str, metric: str) -> Interval:
    return area(*pair(words, metric))


@pytest.mark.parametrize("line", LINES)
def test_a_row_of_the_means(line: str) -> None:
    means = [fmean(curve[200] for curve in curves(line, metric).values()) for metric in METRICS]
    cells = [f"{mean:.{digits}f}" for mean, (_, digits) in zip(means, METRICS.values(), strict=True)]
    assert f"| {line} | {' | '.join(cells)} | " in RESULTS


@pytest.mark.parametrize("words", DIFFERENCES)
def test_a_row_at_200_labels(words: str) -> None:
    assert f"| {words} | {' | '.join(written(at_the_end(words, metric), metric) for metric in METRICS)} |" in RESULTS


@pytest.mark.parametrize("words", DIFFERENCES)
def test_a_row_over_all_sizes(words: str) -> None:
    """In bold where Holm's correction over the nine differences of a metric leaves it below 5 %."""
    cells = []
    for metric in METRICS:
        cell = written(over_all(words, metric), metric)
        cells.append(f"**{cell}**" if is_decided(words, metric) else cell)
    assert f"| {words} | {' | '.join(cells)} |" in RESULTS


def told(words: str) -> str:
    """The metrics in which a difference is decided over all sizes: + where its first line is the better one."""
    signs = ["+" if (over_all(words, one).mean > 0) == (one != "fid_own") else "-" for one in METRICS]
    return " ".join(f"{sign}{one}" for sign, one in zip(signs, METRICS, strict=True) if is_decided(words, one)).replace(
        "_own", ""
    )


def test_what_is_said_of_certainty() -> None:
    assert told("CS_MC minus RAND") == "-gan_test -gan_train -inception_score -fid -precision -recall"
    assert "it loses by far**, in each of the six" in RESULTS
    counts = [run_of("CS_MC", seed).cycles[-1].class_counts for seed in SEEDS]
    most = [max(one) for one in counts]
    assert f"{min(most)} to {max(most)} of a seed's 200 labels are of one digit" in RESULTS
    assert {min(one) for one in counts} == {1}


def test_what_is_said_of_balanced_certainty() -> None:
    words = "balanced CS_MC minus RAND"
    assert told(words) == "+gan_test +inception_score -fid +precision -recall"
    recall = [fmean(curve[200] for curve in curves(line, "recall").values()) for line in DIFFERENCES[words]]
    assert recall[0] < recall[1] / 2
    assert f"in GAN-train it is below them by {-over_all(words, 'gan_train').mean:.1f} points" in RESULTS
    assert f"above random images in GAN-test by {over_all(words, 'gan_test').mean:.1f} points" in PAPER


def test_what_is_said_of_least_confidence() -> None:
    assert told("least confidence minus RAND") == "-gan_test -inception_score -fid -precision"
    behind = -over_all("least confidence minus RAND", "gan_test").mean
    assert f"below random images in GAN-test ({behind:.1f} points), IS-own, FID-own and precision" in RESULTS


def test_what_is_said_of_adversarial_sampling() -> None:
    equal, longer, control = "AS minus RAND", "AS minus RAND, 340 iterations", "RAND, 340 iterations minus RAND"
    assert told(equal) == "+inception_score +fid -precision +recall"
    assert told(longer) == "+gan_test +gan_train +inception_score -precision +recall"
    assert told(control) == "-gan_test -inception_score +precision"
    beside_both = set(told(equal).split()) & set(told(longer).split())
    assert beside_both == {"+inception_score", "-precision", "+recall"}, "beside the better of both"
    first, second = pair(equal, "gan_test")
    early = fmean(first[seed][20] - second[seed][20] for seed in SEEDS)
    late = at_the_end(equal, "gan_test").mean
    assert f"GAN-test is {-early:.1f} points behind at 20 labels and {late:.1f} ahead at 200" in RESULTS
    ahead = over_all(longer, "gan_test").mean
    assert (
        f"ahead over all sizes in GAN-test by {ahead:.1f} points" in RESULTS
        and f"seen in GAN-test (+{ahead:.1f})" in PAPER
    )
    assert f"behind in precision by {-over_all(longer, 'precision').mean:.1f}" in RESULTS
    assert f"its FID-own, lower by {-over_all(longer, 'fid_own').mean:.1f}, is not decided" in RESULTS
    assert f"itself {-over_all(control, 'gan_test').mean:.1f} points of GAN-test below regular" in RESULTS
    found = over_all(equal, "gan_test")
    assert f"not in GAN-test ({found.mean:+.1f} points, interval {found.low:.1f} to {found.high:.1f})" in PAPER
    apart = [one for one in METRICS if not at_the_end(longer, one).low < 0 < at_the_end(longer, one).high]
    assert apart == ["precision", "recall"], "at 200 labels alone"


def test_what_is_said_of_the_fakes_that_are_chosen() -> None:
    drawn = {
        line: [share for seed in SEEDS for share in run_of(line, seed).cycles[-1].metrics["class_drawn"]]
        for line in ("AS (random images, gamma 4)", "ALCG (CS_MC, gamma 4)")
    }
    random, certain = (f"{100 * min(found):.0f} to {100 * max(found):.0f} %" for found in drawn.values())
    assert f"a class is {random} of the fakes that trained D with random images, {certain} with certain ones" in RESULTS
