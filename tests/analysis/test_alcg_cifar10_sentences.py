"""What is written of ALCG on CIFAR-10, of whose three seeds two are kept, computed anew from the stored cells."""

from alcg_cells import in_words
from kept_cells import RESULTS, kept_runs

from al_bench.analysis.reading import Run

SECTION = RESULTS.partition("## ALCG on CIFAR-10 (JPEG), two of three seeds")[2].partition(" ## ")[0]


def line_of(name: str) -> list[Run]:
    found = kept_runs(f"cifar10-alcg-{name}-seed=*")
    return sorted((run for run in found if run.seed in (0, 1)), key=lambda run: run.seed)


LINES = [line_of(f"{name}+acgan+ac_dcgan{more}") for name, more in (
    ("random", ""), ("certainty_mc", ""), ("certainty_mc", "+gamma=4"),
)]  # fmt: skip


def ends(metric: str, factor: float = 100.0, how: str = ".1f") -> list[str]:
    """Of each line."""
    values = [[factor * float(run.cycles[-1].metrics[metric]) for run in line] for line in LINES]  # type: ignore[arg-type]
    return [in_words(one, how) for one in values]


def test_the_ends() -> None:
    assert all([run.seed for run in line] == [0, 1] for line in LINES)
    assert {tuple(one.annotations for one in run.cycles) for line in LINES for run in line} == {
        (1000, 2000, 3000, 4000)
    }
    random, certain, whole = ends("gan_test")
    said = f"GAN-test is {random} % with random images, {certain} % with CS_MC, {whole} % with ALCG"
    assert (
        f"{said}; GAN-train {', '.join(ends('gan_train'))} %; FID-own {', '.join(ends('fid_own', 1, '.2f'))}."
        in SECTION
    )


def test_one_judge_measured_them() -> None:
    cycles = [one for line in LINES for run in line for one in run.cycles]
    (knows,) = {100 * float(one.metrics["judge_accuracy"]) for one in cycles}  # type: ignore[arg-type]
    assert len({one.measured_by for one in cycles}) == 1 and f"knows {knows:.1f} % of the real test images" in SECTION
