"""procedure=timing: whole runs at toy size; what a kill loses."""

from pathlib import Path
from typing import Any

import pytest
from composing import part
from pictures import fill

from al_bench.errors import UserError
from al_bench.procedure import timing
from al_bench.procedure.timing import timetable
from al_bench.storage.store import RunStore

SMALL = ("procedure=timing", "scale=smoke", "procedure.search.steps=2", "procedure.repeats=1", "procedure.scanned=2")


def run(folder: Path, *overrides: str) -> dict[str, Any]:
    made = part("procedure", *SMALL, "procedure.sizes=[1,2,5]", f"paths.outputs={folder}", *overrides)
    with RunStore(folder / "run", {}, {}) as store:
        made.run(store)
        (record,) = store.records
    return record.plain()


def test_asal_is_measured_at_every_size_and_scans_up_to_theirs(tmp_path: Path) -> None:
    record = run(tmp_path, "dataset=digits")
    how = {(row[0], row[1]): row[3] for row in record["tables"]["selection"]["rows"]}
    for name in ("asal", "random"):
        assert [how[name, count] for count in (200, 400, 1000)] == ["measured"] * 3
    for name in ("entropy", "coreset", "learning_loss"):
        assert [how[name, count] for count in (200, 400, 1000)] == ["measured", "measured", "extrapolated"]
    preparation = record["tables"]["preparation"]
    assert [row[0] for row in preparation["rows"]] == [200, 400, 1000]
    assert {"training of gan", "training of autoencoder", "PCA", "features", "index"} <= set(preparation["columns"])
    assert "reading" not in record["tables"], "images in memory are not read"
    assert record["metrics"]["asal_seconds"] > 0
    assert "10 of 1,000 images are chosen in: asal" in record["finished"]


def test_what_a_model_does_not_offer_is_said_and_the_rest_measured(tmp_path: Path) -> None:
    record = run(tmp_path, "dataset=digits", "procedure.scans.learning_loss.learner=${learner}")
    refused = {row[0]: row[3] for row in record["tables"]["selection"]["rows"] if row[2] is None}
    assert set(refused) == {"learning_loss"}
    assert (
        refused["learning_loss"]
        == "not measured: network=small_cnn has no predicted_loss, which strategy=learning_loss needs"
    )


def test_images_from_files_are_read_once_more_in_a_cycle(tmp_path: Path) -> None:
    root = fill(tmp_path / "pictures", {"train": 20, "test": 2})
    files = ("dataset=image_folder", f"dataset.root={root}", "dataset.cache=never", "procedure.read=30")
    record = run(tmp_path, *files, f"paths.decoded={tmp_path}", "loop.query_size=7")
    rows = record["tables"]["reading"]["rows"]
    assert [row[0] for row in rows] == ["asal", "random", "entropy", "coreset", "learning_loss"]
    assert {row[1] for row in rows} == {60}
    assert [row[3] for row in rows] == ["measured", *["extrapolated"] * 4]
    assert record["metrics"]["entropy_seconds_with_reading"] > 0


def test_a_kill_loses_no_number_that_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []

    def counted(call: Any, repeats: int) -> Any:
        calls.append(call)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return timetable.time_calls(call, repeats)

    monkeypatch.setattr(timing, "time_calls", counted)  # of the scans
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "dataset=digits")
    done = {path.name: path.read_bytes() for path in (tmp_path / "run" / "scratch").glob("*.json")}
    assert set(done) == {"pca.json", *(f"{name}-{times}.json" for name in ("asal", "random") for times in (1, 2, 5))}
    record = run(tmp_path, "dataset=digits")
    assert len(calls) == 4 + 3 * 2, "the interrupted one once more, and those after it"
    assert {f"{row[2]}".encode() for row in record["tables"]["selection"]["rows"] if row[0] == "random"} == {
        done[f"random-{times}.json"] for times in (1, 2, 5)
    }
    assert not (tmp_path / "run" / "scratch").exists()


def test_more_than_a_pool_has_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has to be less than the 200 images of a pool"):
        run(tmp_path, "dataset=digits", "procedure.query_size=200")
    assert not (tmp_path / "artifacts").exists()


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("procedure.sizes=[2,1]", "have to be multiples, ascending"),
        ("procedure.sizes=[]", "have to be multiples, ascending"),
        ("feature=classifier", "this feature follows the model"),
        ("feature=none", "feature=none: choose another feature"),
    ],
)
def test_what_cannot_be_timed_is_refused(override: str, sentence: str) -> None:
    with pytest.raises(Exception, match=sentence) as refused:
        part("procedure", *SMALL, "dataset=digits", override)
    assert isinstance(refused.value.__cause__, UserError)
