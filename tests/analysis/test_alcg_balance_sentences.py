"""What is written of ALCG's certainty without its imbalance, computed anew from the stored cells."""

from statistics import fmean

import numpy as np
import pytest
from alcg_cells import Lines, in_words, written
from kept_cells import RESULTS, page_of

PAPER = page_of("alcg")
SECTION = RESULTS.partition("## Certainty without its imbalance")[2].partition(" ## ")[0]
RANDOM, CERTAIN, BALANCED = "RAND", "CS_MC", "CS_MC, balanced"
ASKED = {RANDOM: ("random", 1, 3000), CERTAIN: ("certainty_mc", 1, 3000), BALANCED: ("certainty_balanced", 1, 3000)}
BESIDE, AHEAD = f"{BALANCED} minus {CERTAIN}", f"{BALANCED} minus {RANDOM}"
DIFFERENCES = {BESIDE: (BALANCED, CERTAIN), AHEAD: (BALANCED, RANDOM)}
FASHION, CIFAR = (
    Lines(f"{dataset}-alcg", ASKED, DIFFERENCES, range(3), range(1000, 4001, 1000))
    for dataset in ("fashion_mnist", "cifar10")
)
LABELED = "CS_MC, fakes as labeled"
OF_LABELED = {f"{LABELED} minus {CERTAIN}": (LABELED, CERTAIN), f"{LABELED} minus {RANDOM}": (LABELED, RANDOM)}
DRAWN = Lines(
    "fashion_mnist-alcg",
    {**ASKED, LABELED: ("certainty_mc", 1, 3000, "fake_classes=labeled")},
    OF_LABELED,
    range(3),
    range(1000, 4001, 1000),
)
DATA = {"Fashion-MNIST": FASHION, "CIFAR-10": CIFAR}


@pytest.mark.parametrize("line", ASKED)
@pytest.mark.parametrize("data", DATA)
def test_a_row_of_the_means(data: str, line: str) -> None:
    lines = DATA[data]
    modes = [float(lines.run_of(line, seed).cycles[-1].metrics["modes"]) for seed in lines.seeds]  # type: ignore[arg-type]
    assert f"{lines.means_row(line)}{fmean(modes):.1f} |".replace("| ", f"| {data}, ", 1) in SECTION


@pytest.mark.parametrize("words", DIFFERENCES)
@pytest.mark.parametrize("data", DATA)
def test_the_rows_of_a_difference(data: str, words: str) -> None:
    whole, end = DATA[data].area_row(words), DATA[data].end_row(words)
    assert whole.replace(words, f"{data}: {words}, 1,000 to 4,000 labels") in SECTION
    assert end.replace(words, f"{data}: {words}, at 4,000 labels") in SECTION


def points(found: str) -> str:
    return found.replace(" [", " points [")


def over_all(lines: Lines, words: str, metric: str) -> str:
    return written(lines.over_all(words, metric), metric)


def ends(lines: Lines, line: str) -> str:
    """GAN-test of each seed."""
    return in_words([curve[4000] for curve in lines.curves(line, "gan_test").values()])


def labels(lines: Lines, line: str) -> str:
    """The fewest and the most of a class, at the end."""
    counts = [count for seed in lines.seeds for count in lines.run_of(line, seed).cycles[-1].class_counts]
    return f"{min(counts)} to {max(counts):,}"


def by_class(lines: Lines, line: str) -> np.ndarray:
    """GAN-test in percent at the end: (seeds, classes)."""
    return np.array(
        [100 * np.array(lines.run_of(line, seed).cycles[-1].metrics["class_gan_test"], float) for seed in lines.seeds]
    )


def ahead(lines: Lines, line: str) -> str:
    """Of how many classes it is, with each seed."""
    return in_words(list((by_class(lines, line) > by_class(lines, RANDOM)).sum(1)), "d")


def lowest(lines: Lines, line: str) -> str:
    low = by_class(lines, line).min(1)
    return f"{low.min():.1f} to {low.max():.1f} %"


@pytest.mark.parametrize("lines", DATA.values(), ids=DATA)
def test_a_seed_begins_as_random_images_do(lines: Lines) -> None:
    for seed in lines.seeds:
        first = [lines.run_of(line, seed).cycles[0].metrics for line in ASKED]
        assert first[0] == first[1] == first[2]


def test_what_is_said_of_fashion_mnist() -> None:
    assert FASHION.told(BESIDE) == "+gan_test +gan_train +inception_score +fid +precision +recall"
    beside, best = over_all(FASHION, BESIDE, "gan_test"), over_all(FASHION, AHEAD, "gan_test")
    p = FASHION.test_of(AHEAD, "gan_test").p
    assert (
        f"balanced it is {points(beside)} of area from CS_MC and {best} from random images (p {p:.3f} after Holm over"
        in SECTION
    )
    said = f"It ends at {ends(FASHION, BALANCED)} % where random images have {ends(FASHION, RANDOM)} %"
    assert f"{said} and CS_MC {ends(FASHION, CERTAIN)} %" in SECTION
    said = (
        f"{ahead(FASHION, BALANCED)} of the ten classes are ahead of those of random images, and the lowest of a seed"
    )
    assert f"{said} has {lowest(FASHION, BALANCED)} (with random images {lowest(FASHION, RANDOM)})" in SECTION
    counts = f"it has {labels(FASHION, BALANCED)} of a seed's 4,000 labels, CS_MC {labels(FASHION, CERTAIN)}."
    assert counts in SECTION
    assert f"balanced over predicted classes it is {points(best)} of area ahead of random images" in PAPER


def test_what_it_gains_there_are_plainer_pictures() -> None:
    assert FASHION.told(AHEAD) == "+gan_test -gan_train +inception_score -fid +precision -recall"
    (knows,) = {100 * float(FASHION.run_of(BALANCED, seed).cycles[-1].metrics["judge_accuracy"]) for seed in range(3)}  # type: ignore[arg-type]
    assert min(curve[4000] for curve in FASHION.curves(BALANCED, "gan_test").values()) > knows
    assert f"above the {knows:.1f} % that the judge knows of real test images" in SECTION
    recall, fid, train = (over_all(FASHION, AHEAD, metric) for metric in ("recall", "fid_own", "gan_train"))
    assert f"but recall is {recall}, FID-own {fid} and GAN-train {train}:" in SECTION
    assert f"recall is {points(recall)} and GAN-train {train}" in PAPER


def test_what_is_said_of_cifar() -> None:
    assert CIFAR.told(BESIDE) == "+gan_train" and CIFAR.told(AHEAD) == ""
    beside, best = (over_all(CIFAR, words, "gan_test") for words in DIFFERENCES)
    p = CIFAR.test_of(AHEAD, "gan_test").p
    said = f"balanced it is {beside} of GAN-test from CS_MC, and {best} from random images (p {p:.3f} after Holm over"
    assert said in SECTION
    assert f"It ends at {ends(CIFAR, BALANCED)} %. Of a class it has {labels(CIFAR, BALANCED)} of" in SECTION
    assert f"4,000 labels, CS_MC {labels(CIFAR, CERTAIN)}; {ahead(CIFAR, BALANCED)} classes are ahead of" in SECTION
    assert f"those of random images, with CS_MC {ahead(CIFAR, CERTAIN)}." in SECTION
    train = [over_all(CIFAR, words, "gan_train") for words in DIFFERENCES]
    assert (
        f"Its GAN-train is {train[0]} from CS_MC, and not told apart from that of random images ({train[1]})" in SECTION
    )
    assert f"balanced it is {points(beside)} from CS_MC" in PAPER


def test_what_stands_at_the_top() -> None:
    """Not decided among all questions, as on the digits."""
    best, recall = FASHION.over_all(AHEAD, "gan_test").mean, -FASHION.over_all(AHEAD, "recall").mean
    of_cifar = CIFAR.over_all(AHEAD, "gan_test").mean
    assert (
        f"by {best:.1f} on Fashion-MNIST, at {recall:.1f} points less of it, and by {of_cifar:.1f} on CIFAR-10"
        in RESULTS
    )
    for data in ("Fashion-MNIST", "CIFAR-10 (JPEG)"):
        row = RESULTS.partition("| balanced certainty, GAN-test | ")[2].partition(f"| the same | {data}, 3 | ")[2]
        assert row.split(" | ")[3].startswith("not decided after correction")


def test_what_is_said_of_fakes_drawn_as_labeled() -> None:
    assert f"{DRAWN.means_row(LABELED)}10.0 |".replace("| ", "| Fashion-MNIST, ", 1) in SECTION
    for words in OF_LABELED:
        whole, end = DRAWN.area_row(words), DRAWN.end_row(words)
        assert whole.replace(words, f"Fashion-MNIST: {words}, 1,000 to 4,000 labels") in SECTION
        assert end.replace(words, f"Fashion-MNIST: {words}, at 4,000 labels") in SECTION
    beside, random = OF_LABELED
    assert DRAWN.told(random) == "+gan_test -gan_train -fid -recall"
    most = {max(DRAWN.run_of(LABELED, seed).cycles[-1].class_counts) for seed in DRAWN.seeds}
    assert min(most) > 900 and f"a class has {labels(DRAWN, LABELED)} of a seed's 4,000 labels, and yet" in SECTION
    of_random, p = over_all(DRAWN, random, "gan_test"), DRAWN.test_of(random, "gan_test").p
    said = f"{points(over_all(DRAWN, beside, 'gan_test'))} of area from CS_MC and {of_random} from random images"
    assert f"GAN-test is {said} (p {p:.3f} after Holm" in SECTION
    assert f"{points(of_random)} of area from random images (p {p:.3f} after Holm over its two" in PAPER
    assert f"on Fashion-MNIST it is [{of_random}]" in RESULTS
    assert f"It ends at {ends(DRAWN, LABELED)} %. {ahead(DRAWN, LABELED)} classes are ahead of" in SECTION
    assert f"the lowest of a seed has {lowest(DRAWN, LABELED)}. Recall is" in SECTION
    recall, fid, train = (over_all(DRAWN, random, metric) for metric in ("recall", "fid_own", "gan_train"))
    assert f"Recall is {recall} from random images, FID-own {fid}, GAN-train {train}." in SECTION
