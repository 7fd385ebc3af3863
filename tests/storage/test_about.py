"""What a run and an artifact say of themselves: each key that something shown is made of is held to its kind."""

from typing import Any

import pytest
from made_runs import EFFORT, made_run

from al_bench.active.part import hash_of
from al_bench.files import read_json
from al_bench.storage.about import checked_about, checked_artifact
from al_bench.storage.record import RecordError

SPEC = {"gan": {"part": "gan/dcgan@1"}, "images": "abc"}
ARTIFACT = {"kind": "gan", "sha256": "abc", "effort": EFFORT, "losses": {}}


@pytest.fixture(scope="module")
def about(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found: dict[str, Any] = read_json(made_run(tmp_path_factory.mktemp("about"), "random", 0) / "config.json")
    return found


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("label", "random"),
        ("label", "digits/random"),
        ("label", "//"),
        ("label", "x" * 2000 + "/random/seed=0"),
        ("samples", [{"cycle": 0, "count": 0, "class_samples": ""}]),
        ("samples", [{"cycle": 0, "count": -3, "class_samples": ""}]),
        ("metrics", [{"name": "accuracy", "unit": "parsecs", "higher_is_better": True}]),
        ("choices", {"dataset": "digits"}),
        ("hardware", {"gpus": [None]}),
    ],
)
def test_a_run_is_held_to_what_is_shown_of_it(about: dict[str, Any], key: str, value: Any) -> None:
    assert checked_about(about) == about
    with pytest.raises(RecordError, match=key):
        checked_about({**about, key: value})


@pytest.mark.parametrize("spec", [{"gan": {"part": 5}}, {"gan": {"part": "x" * 2000}}, []], ids=str)
def test_an_artifact_is_held_to_the_parts_that_made_it(spec: Any) -> None:
    assert checked_artifact({**ARTIFACT, "spec": SPEC}, hash_of(SPEC))["spec"] == SPEC
    with pytest.raises(RecordError, match="is not the record of an artifact"):
        checked_artifact({**ARTIFACT, "spec": spec}, hash_of(spec))


def test_an_artifact_of_another_name_is_none() -> None:
    with pytest.raises(RecordError, match="another artifact"):
        checked_artifact({**ARTIFACT, "spec": SPEC}, "0123456789ab")
