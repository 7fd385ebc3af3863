"""What is written of ALCG on Fashion-MNIST, AC-SNGAN, computed anew from the stored cells."""

from statistics import fmean

import pytest
from alcg_cells import Lines, written
from kept_cells import RESULTS, page_of

PAPER = page_of("alcg")
WORDS = "CS_MC minus RAND"
SNGAN = Lines(
    "fashion_mnist-alcg",
    {"RAND": ("random", 1, 3000), "CS_MC": ("certainty_mc", 1, 3000)},
    {WORDS: ("CS_MC", "RAND")},
    seeds=range(3),
    sizes=range(1000, 4001, 1000),
    base="ac_sngan",
)


@pytest.mark.parametrize("line", SNGAN.asked)
def test_a_row_of_the_means(line: str) -> None:
    modes = [float(SNGAN.run_of(line, seed).cycles[-1].metrics["modes"]) for seed in SNGAN.seeds]  # type: ignore[arg-type]
    row = SNGAN.means_row(line).replace(f"| {line} |", f"| {line}, AC-SNGAN |", 1)
    assert f"{row}{fmean(modes):.1f} |" in RESULTS


def test_the_rows_of_the_difference() -> None:
    for row, at in ((SNGAN.area_row(WORDS), "1,000 to 4,000 labels"), (SNGAN.end_row(WORDS), "at 4,000 labels")):
        assert row.replace(WORDS, f"{WORDS}, AC-SNGAN, {at}") in RESULTS


def test_what_is_said_of_it() -> None:
    area = written(SNGAN.over_all(WORDS, "gan_test"), "gan_test")
    assert (
        f"**On AC-SNGAN certainty is not told apart from random images in GAN-test**: {area} over all sizes" in RESULTS
    )
    assert "It is better in FID-own and worse in recall, six metrics uncorrected." in RESULTS
    assert SNGAN.told(WORDS) == "+fid -recall"
    for seed in SNGAN.seeds:
        assert SNGAN.run_of("CS_MC", seed).cycles[0].metrics == SNGAN.run_of("RAND", seed).cycles[0].metrics
    counts = [SNGAN.run_of("CS_MC", seed).cycles[-1].class_counts for seed in SNGAN.seeds]
    most, least = ([choose(one) for one in counts] for choose in (max, min))
    said = (
        f"{min(most):,} to {max(most):,} of a seed's 4,000 labels are of one class and {min(least)} to {max(least)} of"
    )
    assert said in RESULTS
    assert (
        f"on AC-SNGAN, of a quarter of the channels, {area.replace(' [', ' points [')} of area, not decided |" in PAPER
    )
