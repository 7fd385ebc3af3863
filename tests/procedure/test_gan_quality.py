"""procedure=gan_quality: the rule by which a GAN counts, on GANs of known samples."""

import math
from typing import Any

import forked
import pytest
import torch
from PIL import Image
from procedure.worlds import Judge, PainterGan, dataset, store

from al_bench.errors import UserError
from al_bench.evaluator.accuracy import Accuracy
from al_bench.procedure.gan_quality import GanQuality, class_table


def run(tmp_path: Any, gan: Any, judge: Any = None, black: int = 60, white: int = 60) -> dict[str, Any]:
    made = GanQuality(
        dataset(black, white), gan, judge or Judge(), Accuracy(), samples=400, enough=0.8, factor=2.0,
        artifacts=str(tmp_path), device="cpu", seed=0,
    )  # fmt: skip
    with store(tmp_path) as opened:
        made.run(opened)
        (record,) = opened.records
    return record.plain()


def test_a_gan_that_draws_both_classes_counts(tmp_path: Any) -> None:
    record = run(tmp_path, PainterGan())
    metrics = record["metrics"]
    assert (metrics["confident_share"], metrics["counts"]) == (1.0, True)
    assert (metrics["judge_accuracy"], metrics["real_confident_share"]) == (1.0, 1.0)
    (black, white) = record["tables"]["classes"]["rows"]
    assert black[2] + white[2] == pytest.approx(1)
    assert black[2] == pytest.approx(0.5, abs=4 * math.sqrt(0.25 / 400)), "half of N(0, 1) is below 0"
    assert black[3] == pytest.approx(2 * black[2])
    assert record["finished"].startswith("the GAN counts: ")


@pytest.mark.parametrize(
    ("gan", "judge", "black", "white"),
    [
        (PainterGan(-9.0), None, 60, 60),  # only white
        (PainterGan(0.0), None, 100, 20),  # half of the samples are of a class with a sixth of the data
        (PainterGan(0.0), Judge(scale=1.0), 60, 60),  # sure of nothing: p is at most sigmoid(1) = 0.73
    ],
)
def test_a_gan_that_lacks_a_class_or_convinces_nobody_does_not(
    tmp_path: Any, gan: Any, judge: Any, black: int, white: int
) -> None:
    record = run(tmp_path, gan, judge, black, white)
    assert record["metrics"]["counts"] is False
    assert record["finished"].startswith("the GAN does not count: ")


def test_shares_by_hand() -> None:
    answers, sure = torch.tensor([0, 0, 0, 1]), torch.tensor([True, False, True, True])
    rows = class_table(answers, sure, dataset(30, 90))["rows"]
    third, two_thirds = pytest.approx(1 / 3), pytest.approx(2 / 3)
    assert rows == [["black", 0.25, 0.75, 3.0, two_thirds], ["white", 0.75, 0.25, third, third]]


def test_the_samples_are_kept_as_a_picture_and_as_numbers(tmp_path: Any) -> None:
    run(tmp_path, PainterGan())
    with Image.open(tmp_path / "run" / "samples.png") as grid:
        assert grid.size == (8 * (56 + 2) + 2, 8 * (56 + 2) + 2), "4 x 4 pixels are drawn 14 times as large"
    with store(tmp_path) as again:
        assert again.tensors(0)["samples"].shape == (64, 1, 4, 4)


def test_no_gan_is_refused() -> None:
    with pytest.raises(UserError, match="gan=none"):
        GanQuality(dataset(), None, Judge(), Accuracy(), 1, 0.8, 2.0, "", "cpu", 0)


@pytest.mark.slow
def test_the_same_line_again_says_what_was_found(tmp_path: Any) -> None:
    line = ["procedure=gan_quality", "scale=smoke", "device=cpu", f"paths.outputs={tmp_path}"]
    first, again = (forked.run(*line) for _ in range(2))
    assert "finished: the GAN does not count" in first.stdout
    assert "finished before: the GAN does not count" in again.stdout
    assert f"samples: {next(tmp_path.rglob('samples.png'))}" in again.stdout
    assert "share of the data" in again.stdout
    assert len(list(tmp_path.glob("digits/gan_quality+wgan_gp/seed=0/*/cycles/000.json"))) == 1
