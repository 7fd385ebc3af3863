"""What is written of ALCG on Fashion-MNIST, AC-SNGAN, computed anew from the stored cells."""

from statistics import fmean

import pytest
from alcg_cells import AS, METRICS, WHOLE, Lines, fashion, in_common, written
from kept_cells import RESULTS, areas_of, page_of, words_of
from scipy.stats import ttest_rel

from al_bench.analysis.coverage import cover
from al_bench.analysis.published import read_published
from al_bench.analysis.statistics.paired import Interval, interval

PAPER = page_of("alcg")
CERTAINTY, AMONG, GAMMA = fashion("ac_sngan")
OTHER, _, OTHER_GAMMA = fashion("ac_dcgan")
SECTION = RESULTS.partition("## ALCG on Fashion-MNIST, AC-SNGAN")[2].partition(" ## ")[0]


def lines_of(line: str) -> Lines:
    return CERTAINTY if line in CERTAINTY.asked else GAMMA


@pytest.mark.parametrize("line", {**CERTAINTY.asked, **GAMMA.asked})
def test_a_row_of_the_means(line: str) -> None:
    lines = lines_of(line)
    modes = [float(lines.run_of(line, seed).cycles[-1].metrics["modes"]) for seed in lines.seeds]  # type: ignore[arg-type]
    assert f"{lines.means_row(line)}{fmean(modes):.1f} |" in SECTION


@pytest.mark.parametrize(
    ("lines", "words"), [(lines, words) for lines in (CERTAINTY, AMONG, GAMMA) for words in lines.differences]
)
def test_the_rows_of_a_difference(lines: Lines, words: str) -> None:
    assert lines.area_row(words).replace(words, f"{words}, 1,000 to 4,000 labels") in SECTION
    if lines is not AMONG:
        assert lines.end_row(words).replace(words, f"{words}, at 4,000 labels") in SECTION


def in_words(lines: Lines, words: str, metric: str) -> str:
    """Over all sizes, and at the end."""
    whole, end = (written(found(words, metric), metric) for found in (lines.over_all, lines.at_the_end))
    return f"{whole} over all sizes, {end} at 4,000 labels"


def test_what_is_said_of_certainty() -> None:
    words = "CS_MC minus RAND"
    assert f"in GAN-test CS_MC is {in_words(CERTAINTY, words, 'gan_test')}. Decided is a lower recall" in SECTION
    assert [CERTAINTY.told(one) for one in CERTAINTY.differences] == ["-recall"] * 3
    assert [AMONG.told(one) for one in AMONG.differences] == ["+recall", "+recall", ""]
    fid = CERTAINTY.over_all(words, "fid_own")
    assert fid.high < 0 and f"**better in FID-own before correction** ({written(fid, 'fid_own')})" in PAPER
    turned = CERTAINTY.at_the_end(words, "fid_own")
    assert turned.mean > 0 and f"at 4,000 labels its sign turns, {written(turned, 'fid_own')}." in SECTION
    points = in_words(CERTAINTY, words, "gan_test").replace(" [", " points [", 1)
    assert f"On AC-SNGAN, of 64, 32 and 16 channels, CS_MC is {points}" in PAPER
    for seed in CERTAINTY.seeds:
        assert CERTAINTY.run_of("CS_MC", seed).cycles[0].metrics == CERTAINTY.run_of("RAND", seed).cycles[0].metrics


def test_certain_labels_are_more_of_one_class_than_on_the_other_base() -> None:
    def most(lines: Lines) -> list[int]:
        return [max(lines.run_of("CS_MC", seed).cycles[-1].class_counts) for seed in lines.seeds]

    ours, other = (f"{min(counts):,} to {max(counts):,}" for counts in map(most, (GAMMA, OTHER_GAMMA)))
    assert f"{ours} of a seed's 4,000 labels are of one class, where AC-DCGAN's are {other}" in SECTION
    loss, other_loss = (-lines.at_the_end("CS_MC minus RAND", "gan_test").mean for lines in (CERTAINTY, OTHER))
    assert f"loses {loss:.1f} points of GAN-test at 4,000 labels where that one loses {other_loss:.1f}" in SECTION


def last_losses(line: str, name: str) -> list[float]:
    """By seed, over the last hundred iterations with 4,000 labels."""
    lines = lines_of(line)
    return [lines.run_of(line, seed).cycles[-1].losses["AC-GAN"][name][-1] for seed in lines.seeds]


def apart(name: str) -> Interval:
    """Of CS_MC less RAND."""
    found = interval([a - b for a, b in zip(*(last_losses(line, name) for line in ("CS_MC", "RAND")), strict=True)])
    assert found is not None
    return found


def test_the_loss_of_the_classifier_is_less() -> None:
    """Sec. 3.3."""
    certain, random = (fmean(last_losses(line, "class_loss")) for line in ("CS_MC", "RAND"))
    of_labels, of_fakes = (words_of(apart(name), 3) for name in ("class_loss", "generator_class_loss"))
    said = f"{certain:.3f} with CS_MC and {random:.3f} with random images, {of_labels}"
    assert f"C's loss on labeled images over the last hundred iterations is {said}" in SECTION
    assert f"its loss on the generator's fakes is {of_fakes} apart, not decided" in SECTION
    assert f"over the last hundred iterations with 4,000 labels it is {of_labels} from that with random images" in PAPER
    assert apart("class_loss").high < 0 and apart("generator_class_loss").low < 0 < apart("generator_class_loss").high


def test_what_is_said_of_the_criteria() -> None:
    common = in_common(CERTAINTY)
    assert f"first query any two have {min(common)} to {max(common)} in common" in SECTION


def test_what_is_said_of_adversarial_sampling() -> None:
    words = "AS minus RAND"
    assert GAMMA.told(words) == ""
    assert f"in GAN-test AS is {in_words(GAMMA, words, 'gan_test')}, its precision" in SECTION
    precise = GAMMA.over_all(words, "precision")
    assert f"lower before correction, {written(precise, 'precision')}, and no metric" in SECTION and precise.high < 0
    ends_there = [fmean(curve[4000] for curve in GAMMA.curves(line, "gan_test").values()) for line in (AS, "RAND")]
    assert min(ends_there) > 92.2 and "At 4,000 labels both are above the judge's own 92.2 %" in SECTION
    ends = {
        metric: {
            line: fmean(curve[4000] for curve in lines_of(line).curves(line, metric).values())
            for line in {**CERTAINTY.asked, **GAMMA.asked}
        }
        for metric in METRICS
    }
    best = [one for one, of in ends.items() if (min if one == "fid_own" else max)(of, key=lambda line: of[line]) == AS]
    assert best == ["gan_test", "gan_train", "inception_score_own", "fid_own", "recall"]
    assert "The best of the six by GAN-test, GAN-train, IS-own, FID-own and recall at 4,000 labels is AS" in SECTION
    assert f"on AC-SNGAN, AS is {in_words(GAMMA, words, 'gan_test').replace(' [', ' points [', 1)}" in PAPER
    drawn = [
        100 * share
        for seed in GAMMA.seeds
        for one in GAMMA.run_of(AS, seed).cycles
        for share in one.metrics["class_drawn"]  # type: ignore[union-attr]
    ]
    assert f"leaves classes {min(drawn):.0f} to {max(drawn):.0f} % of its fakes" in SECTION


def test_what_is_said_of_alcg() -> None:
    words = "ALCG minus CS_MC"
    assert GAMMA.told(words) == "+gan_test +gan_train"
    found = written(GAMMA.over_all(words, "gan_test"), "gan_test")
    p = GAMMA.test_of(words, "gan_test").p
    assert f"{found} of GAN-test over all sizes from CS_MC (p {p:.3f} after Holm over four)" in SECTION
    beside = written(GAMMA.over_all("ALCG minus RAND", "gan_test"), "gan_test")
    assert f"beside random images {beside}, not decided" in SECTION
    assert f"on AC-SNGAN {found.replace(' [', ' points [')} above CS_MC and {beside} beside random images" in PAPER
    for seed in GAMMA.seeds:
        assert GAMMA.run_of(AS, seed).cycles[0].metrics == GAMMA.run_of(WHOLE, seed).cycles[0].metrics


def test_the_judge_is_that_of_the_other_base() -> None:
    both = {
        f"{100 * float(one.metrics['judge_accuracy']):.1f}"  # type: ignore[arg-type]
        for lines in (GAMMA, OTHER_GAMMA)
        for line in lines.asked
        for seed in lines.seeds
        for one in lines.run_of(line, seed).cycles
    }
    assert both == {"92.2"} and "the same judge" in SECTION


def test_the_claims_of_the_page() -> None:
    (table,) = (one for one in read_published([]) if one.name == "alcg/fashion_mnist_sngan")
    runs = [lines_of(line).run_of(line, seed) for line in {**CERTAINTY.asked, **GAMMA.asked} for seed in GAMMA.seeds]
    claims = cover(table, runs, lambda name, declared: 1.0, []).claims
    words = [one.verdict.word for one in claims]
    counts = {word: words.count(word) for word in ("holds", "does not hold", "not decided")}
    said = f"{counts['holds']} holds, {counts['does not hold']} do not, {counts['not decided']} are not decided"
    assert f"Of the {len(words)} claims of the page by its rules, each a test of its own, {said}" in SECTION
    areas = [areas_of(curves) for curves in CERTAINTY.pair("CS_MC minus RAND", "fid_own")]
    p = ttest_rel(*([one[seed] for seed in CERTAINTY.seeds] for one in areas)).pvalue
    assert p > 0.05 / len(words) and f"(p {p:.3f}, after Holm over the 17 claims {len(words) * p:.2f}, so" in SECTION
    assert [(one.line, one.column) for one in claims if one.verdict.word == "holds"] == [
        ("alcg/cs_mc, gan ac_sngan", "fid")
    ]
