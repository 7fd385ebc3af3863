"""What is written of ALCG on the embedded digits, computed anew from the stored cells."""

from statistics import fmean

import pytest
from alcg_cells import METRICS, Lines, written
from kept_cells import RESULTS, Curves, area, areas_of, kept_runs, page_of

from al_bench.analysis.statistics.paired import Interval, interval

PAPER = page_of("alcg")
ASKED = {
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
DIGITS = Lines("digits", ASKED, DIFFERENCES, seeds=range(5), sizes=range(20, 201, 10))
SEEDS = DIGITS.seeds


@pytest.mark.parametrize("line", ASKED)
def test_a_row_of_the_means(line: str) -> None:
    assert DIGITS.means_row(line) in RESULTS


@pytest.mark.parametrize("words", DIFFERENCES)
def test_a_row_at_200_labels(words: str) -> None:
    assert DIGITS.end_row(words) in RESULTS


@pytest.mark.parametrize("words", DIFFERENCES)
def test_a_row_over_all_sizes(words: str) -> None:
    assert DIGITS.area_row(words) in RESULTS


def test_what_is_said_of_certainty() -> None:
    assert DIGITS.told("CS_MC minus RAND") == "-gan_test -gan_train -inception_score -fid -precision -recall"
    assert "it loses by far**, in each of the six" in RESULTS
    counts = [DIGITS.run_of("CS_MC", seed).cycles[-1].class_counts for seed in SEEDS]
    most = [max(one) for one in counts]
    assert f"{min(most)} to {max(most)} of a seed's 200 labels are of one digit" in RESULTS
    assert {min(one) for one in counts} == {1}
    p = DIGITS.test_of("CS_MC minus RAND", "gan_test").p
    assert len(DIFFERENCES) == 9
    assert f"(over all sizes p {p:.3f} after Holm over the nine differences of" in PAPER


def test_what_is_said_of_balanced_certainty() -> None:
    words = "balanced CS_MC minus RAND"
    assert DIGITS.told(words) == "+gan_test +inception_score -fid +precision -recall"
    recall = [fmean(curve[200] for curve in DIGITS.curves(line, "recall").values()) for line in DIFFERENCES[words]]
    assert recall[0] < recall[1] / 2
    assert f"in GAN-train it is below them by {-DIGITS.over_all(words, 'gan_train').mean:.1f} points" in RESULTS
    mean = DIGITS.over_all(words, "gan_test").mean
    said = f"above random images in GAN-test by {mean:.1f} points (decided among those nine, not among the twenty-two"
    assert said in PAPER and DIGITS.is_decided(words, "gan_test")
    assert "| balanced certainty, GAN-test | digits, 5 | " in RESULTS and "over all twenty-two tests" in RESULTS
    row = RESULTS.partition("| balanced certainty, GAN-test | ")[2].partition(" | the same")[0][:120]
    assert "| not decided after correction |" in row


def test_what_is_said_of_least_confidence() -> None:
    assert DIGITS.told("least confidence minus RAND") == "-gan_test -inception_score -fid -precision"
    behind = -DIGITS.over_all("least confidence minus RAND", "gan_test").mean
    assert f"below random images in GAN-test ({behind:.1f} points), IS-own, FID-own and precision" in RESULTS


def test_what_is_said_of_adversarial_sampling() -> None:
    equal, longer, control = "AS minus RAND", "AS minus RAND, 340 iterations", "RAND, 340 iterations minus RAND"
    assert DIGITS.told(equal) == "+inception_score +fid -precision +recall"
    assert DIGITS.told(longer) == "+gan_test +gan_train +inception_score -precision +recall"
    assert DIGITS.told(control) == "-gan_test -inception_score +precision"
    beside_both = set(DIGITS.told(equal).split()) & set(DIGITS.told(longer).split())
    assert beside_both == {"+inception_score", "-precision", "+recall"}, "beside the better of both"
    first, second = DIGITS.pair(equal, "gan_test")
    early = fmean(first[seed][20] - second[seed][20] for seed in SEEDS)
    late = DIGITS.at_the_end(equal, "gan_test").mean
    assert f"GAN-test is {-early:.1f} points behind at 20 labels and {late:.1f} ahead at 200" in RESULTS
    ahead = DIGITS.over_all(longer, "gan_test").mean
    assert (
        f"ahead over all sizes in GAN-test by {ahead:.1f} points" in RESULTS
        and f"seen in GAN-test (+{ahead:.1f})" in PAPER
    )
    assert f"behind in precision by {-DIGITS.over_all(longer, 'precision').mean:.1f}" in RESULTS
    assert f"its FID-own, lower by {-DIGITS.over_all(longer, 'fid_own').mean:.1f}, is not decided" in RESULTS
    assert f"itself {-DIGITS.over_all(control, 'gan_test').mean:.1f} points of GAN-test below regular" in RESULTS
    found = DIGITS.over_all(equal, "gan_test")
    assert f"not in GAN-test ({found.mean:+.1f} points, interval {found.low:.1f} to {found.high:.1f})" in PAPER
    apart = [one for one in METRICS if not DIGITS.at_the_end(longer, one).low < 0 < DIGITS.at_the_end(longer, one).high]
    assert apart == ["precision", "recall"], "at 200 labels alone"


def test_what_is_said_of_the_fakes_that_are_chosen() -> None:
    drawn = {
        line: [share for seed in SEEDS for share in DIGITS.run_of(line, seed).cycles[-1].metrics["class_drawn"]]
        for line in ("AS (random images, gamma 4)", "ALCG (CS_MC, gamma 4)")
    }
    random, certain = (f"{100 * min(found):.0f} to {100 * max(found):.0f} %" for found in drawn.values())
    assert f"a class is {random} of the fakes that trained D with random images, {certain} with certain ones" in RESULTS


def judge_of(line: str, seed: int) -> float:
    """What it knows of the real test images, in every cycle."""
    (known,) = {float(one.metrics["judge_accuracy"]) for one in DIGITS.run_of(line, seed).cycles}
    return known


def test_what_is_said_of_the_judges() -> None:
    known = [{judge_of(line, seed) for line in ASKED} for seed in SEEDS]
    assert [len(of_seed) for of_seed in known] == [1] * 5, "the lines of a seed share it"
    first, second = (max(known[seed]) for seed in (0, 3))
    assert known == [{first}] * 3 + [{second}] * 2 and first != second
    early, late = (f"{100 * one:.1f} %" for one in (first, second))
    assert f"that of seeds 0 to 2 knows {early} of the real test images" in RESULTS
    assert f"that of seeds 3 and 4, another one, {late}." in RESULTS
    for seed in SEEDS:
        starts = [
            DIGITS.run_of(line, seed).cycles[0].metrics["fid_own"] for line, of in ASKED.items() if of[1:] == (1, 200)
        ]
        assert len(starts) == 4 and len(set(starts)) == 1, "one GAN, to the last digit"


def test_which_lines_are_above_their_judge() -> None:
    of_judge = 100 * fmean(judge_of("RAND", seed) for seed in SEEDS)
    ends = {line: fmean(curve[200] for curve in DIGITS.curves(line, "gan_test").values()) for line in ASKED}
    above = {line: end for line, end in ends.items() if end > of_judge}
    balanced, adversarial = "CS_MC, balanced over predicted classes", "AS (random images, gamma 4)"
    assert set(above) == {balanced, adversarial, "RAND, 340 iterations"}
    said = f"(balanced CS_MC {above[balanced]:.1f}, AS {above[adversarial]:.1f}"
    said += f", RAND for 340 iterations {above['RAND, 340 iterations']:.1f})"
    assert f"GAN-test above the judge's own accuracy {said} says that samples are plainer than real images" in RESULTS


def hits_of_one_label(line: str, place: int) -> float:
    """Mean GAN-test of the classes that have one label in a cycle, in percent."""
    cycles = [DIGITS.run_of(line, seed).cycles[place] for seed in SEEDS]
    pairs = [pair for one in cycles for pair in zip(one.class_counts, one.metrics["class_gan_test"], strict=True)]
    return 100 * fmean(hits for count, hits in pairs if count == 1)


def test_one_image_of_a_class_is_too_few_only_beside_many_others() -> None:
    (first, last), (early, late) = (
        [hits_of_one_label(line, place) for place in (0, -1)] for line in ("CS_MC", "ALCG (CS_MC, gamma 4)")
    )
    assert (
        f"classes with one label have a mean GAN-test of {first:.1f} % in the first cycles, of 20 labels, and of "
        f"{last:.1f} % at 200 labels under CS_MC (ALCG {early:.1f} and {late:.1f} %)"
    ) in RESULTS
    for false in ("has one image of a class cannot make it", "with one image of a class cannot make it"):
        assert false not in RESULTS and false not in PAPER
    assert "a GAN hardly makes a class that is a small share of what its discriminator is shown" in RESULTS


def of_labeled(metric: str) -> Curves:
    """Of CS_MC whose fakes are drawn as labeled, as written."""
    found: Curves = {}
    for seed in SEEDS:
        (run,) = kept_runs(f"digits-certainty_mc+acgan+ac_dcgan+fake_classes=labeled-seed={seed}")
        found[seed] = {one.annotations: METRICS[metric][0] * float(one.metrics[metric]) for one in run.cycles}
    return found


def ending(first: Curves, second: Curves) -> Interval:
    """The difference at 200 labels."""
    found = interval([first[seed][200] - second[seed][200] for seed in SEEDS])
    assert found is not None
    return found


@pytest.mark.parametrize("metric", ["gan_test", "gan_train"])
def test_what_is_said_of_fakes_that_are_drawn_as_labeled(metric: str) -> None:
    labeled = of_labeled(metric)
    even, random = (DIGITS.curves(line, metric) for line in ("CS_MC", "RAND"))
    end = fmean(curve[200] for curve in labeled.values())
    said = f"{end:.1f} % ({written(area(labeled, even), metric)} of area beside even ones, "
    assert f"{said}{written(area(labeled, random), metric)} beside random images)" in RESULTS
    if metric == "gan_test":
        behind = written(area(labeled, random), metric)
        last = written(ending(labeled, random), metric)
        assert f"drawn as labeled certainty ends with {end:.1f} %, {last} there and {behind} of area beside" in PAPER
        assert f"drawn as labeled it is over all sizes {behind} of GAN-test from random images on the digits" in RESULTS
        assert f"uncorrected ({last} at 200 labels; three of the five seeds compare two judges)" in RESULTS
        assert f"At 200 labels alone it is {last} of" in RESULTS
        ahead = [sum(labeled[seed][200] > other[seed][200] for seed in SEEDS) for other in (even, random)]
        assert ahead == [5, 0]


def test_what_certainty_loses_however_fakes_are_drawn() -> None:
    """By the two seeds whose judge is that of the other lines."""

    def apart(metric: str, first: Curves) -> str:
        random = DIGITS.curves("RAND", metric)
        found = [areas_of(first)[seed] - areas_of(random)[seed] for seed in (3, 4)]
        return f"{found[0]:+.1f} and {found[1]:+.1f}"

    recall, fid = (apart(one, of_labeled(one)) for one in ("recall", "fid_own"))
    even = apart("recall", DIGITS.curves("CS_MC", "recall"))
    assert f"recall is {recall} from random images (even ones {even}), FID-own {fid}, and two seeds" in RESULTS
    assert area(of_labeled("gan_train"), DIGITS.curves("RAND", "gan_train")).high < 0
    assert "three of the five seeds compare two judges), behind them in GAN-train, which has none." in PAPER


def test_what_certainty_asks_for_whose_fakes_are_drawn_as_labeled() -> None:
    runs = [kept_runs(f"digits-certainty_mc+acgan+ac_dcgan+fake_classes=labeled-seed={seed}")[0] for seed in SEEDS]
    most = [max(run.cycles[-1].class_counts) for run in runs]
    assert f"It asks for fewer of one class, too, {min(most)} to {max(most)} of a seed's 200 labels" in RESULTS
    (known,) = {100 * float(run.cycles[0].metrics["judge_accuracy"]) for run in runs}  # type: ignore[arg-type]
    assert f"by a judge of {known:.1f} %: so are the other lines' seeds 3 and 4, by accuracy," in RESULTS
    assert [100 * judge_of("RAND", seed) == known for seed in SEEDS] == [False] * 3 + [True] * 2


def test_what_is_said_of_a_choice_within_classes() -> None:
    runs = {seed: kept_runs(f"digits-random+acgan+ac_dcgan+gamma=4+select=per_class-seed={seed}")[0] for seed in SEEDS}
    within = {
        metric: {
            seed: {one.annotations: METRICS[metric][0] * float(one.metrics[metric]) for one in run.cycles}
            for seed, run in runs.items()
        }
        for metric in METRICS
    }
    others = ("AS (random images, gamma 4)", "RAND")
    found = [{one: area(within[one], DIGITS.curves(line, one)) for one in METRICS} for line in others]
    end = fmean(curve[200] for curve in within["gan_test"].values())
    beside = [written(one["gan_test"], "gan_test") for one in found]
    assert f"ends with a GAN-test of {end:.1f} %, {beside[0]} of area beside candidates of all classes and" in RESULTS
    assert f"candidates of all classes and {beside[1]} beside random images;" in RESULTS
    assert f"that choice changes GAN-test by {beside[0]} of area, five seeds" in PAPER
    apart = [[one for one in METRICS if not areas[one].low < 0 < areas[one].high] for areas in found]
    assert apart == [["gan_train"], ["gan_train", "fid_own", "recall"]]
    assert [areas[one].mean > 0 for areas, names in zip(found, apart, strict=True) for one in names] == [
        True, True, False, True,
    ], "a lower FID is a better one"  # fmt: skip
    assert f"apart from the former ({written(found[0]['gan_train'], 'gan_train')})" in RESULTS
    knows = {100 * float(one.metrics["judge_accuracy"]) for run in runs.values() for one in run.cycles}
    assert len(knows) == 1 and f"Seeds 3 and 4 are by the judge of {knows.pop():.1f} %;" in RESULTS
