"""procedure=agreement: the score of ASAL Fig. 7 in a world where matches are known."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from procedure.worlds import Judge, PainterGan, dataset, store

from al_bench.active.pool import UNKNOWN
from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.evaluator.accuracy import Accuracy
from al_bench.feature.pixel import Pixel
from al_bench.matcher.exact import Exact
from al_bench.procedure.agreement import Agreement, agreement_table


def made(tmp_path: Any, data: Dataset, judge: Any = None, threshold: float = 0.0) -> Agreement:
    return Agreement(
        data, PainterGan(threshold), Pixel(), Exact("torch"), judge or Judge(), Accuracy(), samples=50, pca_size=50,
        artifacts=str(tmp_path), device="cpu", seed=0,
    )  # fmt: skip


def run(tmp_path: Any, *arguments: Any, **more: Any) -> dict[str, Any]:
    with store(tmp_path) as opened:
        made(tmp_path, *arguments, **more).run(opened)
        (record,) = opened.records
    return record.plain()


def test_labels_of_images_and_of_their_nearest_agree(tmp_path: Any) -> None:
    record = run(tmp_path, dataset())
    assert record["metrics"] == {"agreement_accuracy": 1.0, "rejected_share": 0.0, "judge_accuracy": 1.0}
    assert sum(row[1] for row in record["tables"]["classes"]["rows"]) == 50


def test_the_score_is_the_mean_of_the_classes_however_rare_one_is(tmp_path: Any) -> None:
    data = dataset()
    swapped = replace(data, train=Split(data.train.images, torch.where(data.train.labels == 1, 0, 0)))
    record = run(tmp_path, swapped, threshold=1.0)  # a sixth of the samples are white, and none of their matches
    (black, white) = record["tables"]["classes"]["rows"]
    assert black[1] > 3 * white[1] > 0
    assert (black[3], white[3]) == (1.0, 0.0)
    assert record["metrics"]["agreement_accuracy"] == 0.5


def test_the_table_by_hand() -> None:
    answers, labels = torch.tensor([0, 0, 0, 1, UNKNOWN]), torch.tensor([0, 0, 1, 1, 0])
    rows = agreement_table(answers, labels, ("a", "b", "c"))["rows"]
    assert rows == [["a", 3, 2, pytest.approx(2 / 3)], ["b", 1, 1, 1.0], ["c", 0, 0, None]]


def test_images_that_the_judge_is_unsure_of_are_left_out_and_counted(tmp_path: Any) -> None:
    record = run(tmp_path, dataset(), Judge(scale=1.0, min_confidence=0.6))
    assert record["metrics"]["rejected_share"] == 0.0


def test_where_no_sample_counts_there_is_a_measurement_without_a_score(tmp_path: Any) -> None:
    record = run(tmp_path, dataset(), Judge(scale=1.0))
    assert record["metrics"] == {"agreement_accuracy": None, "rejected_share": 1.0, "judge_accuracy": 1.0}
    assert record["finished"].startswith("no sample counts: ")
    assert "sure of none of 50 images" in record["finished"]
    assert [row[1:] for row in record["tables"]["classes"]["rows"]] == [[0, 0, None], [0, 0, None]]


def test_features_that_are_not_finite_end_in_a_sentence(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pixel, "extract", lambda self, images, model: torch.full((len(images), 3), torch.nan))
    with pytest.raises(UserError, match=r"^the matches, seed 0: a PCA needs finite features"):
        run(tmp_path, dataset())


def test_many_images_may_have_one_match(tmp_path: Any) -> None:
    assert run(tmp_path, dataset(black=3, white=3))["metrics"]["agreement_accuracy"] == 1.0, "six for fifty images"
