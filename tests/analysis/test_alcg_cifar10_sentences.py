"""What is written of ALCG on CIFAR-10 (JPEG), computed anew from the stored cells."""

from statistics import fmean

import numpy as np
import pytest
from alcg_cells import WHOLE, Lines, in_words, written
from kept_cells import RESULTS, page_of

from al_bench.analysis.coverage import cover
from al_bench.analysis.published import read_published
from al_bench.analysis.statistics.correction import holm

PAPER = page_of("alcg")
SECTION = RESULTS.partition("## ALCG on CIFAR-10 (JPEG), three seeds")[2].partition(" ## ")[0]
CERTAIN, BESIDE = "CS_MC minus RAND", "ALCG minus CS_MC"
LINES = Lines(
    "cifar10-alcg",
    {"RAND": ("random", 1, 3000), "CS_MC": ("certainty_mc", 1, 3000), WHOLE: ("certainty_mc", 4, 3000)},
    {CERTAIN: ("CS_MC", "RAND"), BESIDE: (WHOLE, "CS_MC"), "ALCG minus RAND": (WHOLE, "RAND")},
    range(3),
    range(1000, 4001, 1000),
)
RUNS = [LINES.run_of(line, seed) for line in LINES.asked for seed in LINES.seeds]


@pytest.mark.parametrize("line", LINES.asked)
def test_a_row_of_the_means(line: str) -> None:
    modes = [float(LINES.run_of(line, seed).cycles[-1].metrics["modes"]) for seed in LINES.seeds]  # type: ignore[arg-type]
    assert f"{LINES.means_row(line)}{fmean(modes):.1f} |" in SECTION


@pytest.mark.parametrize("words", LINES.differences)
def test_the_rows_of_a_difference(words: str) -> None:
    assert LINES.area_row(words).replace(words, f"{words}, 1,000 to 4,000 labels") in SECTION
    assert LINES.end_row(words).replace(words, f"{words}, at 4,000 labels") in SECTION


def over_all(words: str, metric: str) -> str:
    return written(LINES.over_all(words, metric), metric)


def test_what_is_said_of_certainty() -> None:
    assert LINES.told(CERTAIN) == "+gan_test +inception_score"
    gains = [over_all(CERTAIN, metric) for metric in ("gan_test", "inception_score_own")]
    p = [LINES.test_of(CERTAIN, metric).p for metric in ("gan_test", "inception_score_own", "gan_train")]
    said = (
        f"GAN-test is {gains[0]} over all sizes (p {p[0]:.3f} after Holm over three), IS-own {gains[1]} (p {p[1]:.3f})"
    )
    assert said in SECTION
    behind = over_all(CERTAIN, "gan_train")
    assert f"GAN-train is {behind}, lower before correction (p {p[2]:.3f} after it)" in SECTION
    assert LINES.over_all(CERTAIN, "gan_train").high < 0 < LINES.over_all(CERTAIN, "fid_own").high
    ends = [[curve[4000] for curve in LINES.curves(line, "gan_test").values()] for line in ("CS_MC", "RAND")]
    assert f"It ends at {in_words(ends[0])} % where random images have {in_words(ends[1])} %" in SECTION
    of_page = over_all(CERTAIN, "gan_test").replace(" [", " points [")
    assert f"there certainty is {of_page} of area ahead of random images in GAN-test" in PAPER
    assert f"in GAN-test (p {p[0]:.3f} after Holm over three differences, 0.21 over the twenty-two questions)" in PAPER
    assert f"and {gains[1]} in IS-own" in PAPER and f"GAN-train is {behind}" in PAPER


def by_class(line: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and GAN-test in percent, at the end."""
    last = LINES.run_of(line, seed).cycles[-1]
    return np.array(last.class_counts), 100 * np.array(last.metrics["class_gan_test"], float)


def test_which_classes_gain() -> None:
    gained, others, counts = list[float](), list[float](), list[int]()
    for seed in LINES.seeds:
        (asked, certain), (drawn, random) = (by_class(line, seed) for line in ("CS_MC", "RAND"))
        more = asked > drawn
        gained.append((certain - random)[more].mean())
        others.append((certain - random)[~more].mean())
        counts.append(int(more.sum()))
    said = f"the {in_words(counts, 'd')} classes of which a seed of CS_MC has more labels than that of RAND are"
    assert f"{said} {in_words(gained)} points ahead, the others {in_words([-one for one in others])} behind" in SECTION
    labels = [count for seed in LINES.seeds for count in by_class("CS_MC", seed)[0]]
    assert max(labels) < 1107 and "1,107 to 1,613 of a seed's 4,000 labels are of one class" in RESULTS
    assert f"a class has {min(labels)} to {max(labels)} of a seed's 4,000 labels" in SECTION


def test_what_is_said_of_the_whole() -> None:
    assert LINES.told(BESIDE) == "-precision" and LINES.told("ALCG minus RAND") == "+inception_score -precision"
    beside = over_all(BESIDE, "gan_test")
    assert (
        f"in GAN-test ALCG is {beside} over all sizes from CS_MC, its precision {over_all(BESIDE, 'precision')}"
        in SECTION
    )
    random = LINES.over_all("ALCG minus RAND", "gan_test")
    assert random.low > 0 and f"{written(random, 'gan_test')} from random images, before correction" in SECTION
    assert f"on CIFAR-10 (JPEG) {beside.replace(' [', ' points [')} from CS_MC" in PAPER
    cycles = [one for seed in LINES.seeds for one in LINES.run_of(WHOLE, seed).cycles]
    drawn = [100 * share for one in cycles for share in one.metrics["class_drawn"]]  # type: ignore[union-attr, operator]
    assert f"D's choice leaves classes {min(drawn):.0f} to {max(drawn):.0f} % of its fakes" in SECTION


def test_the_claims_of_the_page() -> None:
    (table,) = (one for one in read_published([]) if one.name == "alcg/cifar10_small")
    claims = cover(table, RUNS, lambda name, declared: 1.0, []).claims
    assert {one.scale for one in claims} == {"small dataset.format=folder"}
    words = [one.verdict.word for one in claims]
    counts = {word: words.count(word) for word in ("holds", "does not hold", "not decided")}
    said = f"{counts['holds']} hold, {counts['does not hold']} do not, {counts['not decided']} are not decided"
    assert f"Of the {len(words)} claims of the page by its rules, each a test of its own, {said}" in SECTION
    assert {(one.line, one.column) for one in claims if one.verdict.word == "holds"} == {
        ("alcg/cs_mc", "inception_score"),
        ("alcg/cs_mc", "gan_test"),
    }
    p = sorted(LINES.test_of(CERTAIN, metric).test.p or 1 for metric in ("gan_test", "inception_score_own"))
    both = holm([*p, *[1.0] * (len(words) - 2)])[:2]
    assert both[0] < 0.05 < both[1]
    assert (
        f"after Holm over the six IS-own's is decided, p {both[0]:.3f}, GAN-test's is not, p {both[1]:.3f}" in SECTION
    )


def test_one_judge_measured_them_and_it_knows_far_more_than_they_show() -> None:
    cycles = [one for run in RUNS for one in run.cycles]
    (knows,) = {100 * float(one.metrics["judge_accuracy"]) for one in cycles}  # type: ignore[arg-type]
    assert len({one.measured_by for one in cycles}) == 1 and f"knows {knows:.1f} % of the real test images" in SECTION
    assert max(100 * float(one.metrics["gan_test"]) for one in cycles) < knows - 20  # type: ignore[arg-type]
    starts = [[LINES.run_of(line, seed).cycles[0].metrics for line in ("RAND", "CS_MC")] for seed in LINES.seeds]
    assert all(one == other for one, other in starts)
