"""What a run that begins is told of those that lie beside it."""

from pathlib import Path

from al_bench.files import write_json
from al_bench.storage.neighbors import say_nearest

LABEL = "digits/random/seed=0"
OWN = {"seed": 0, "learner": {"lr": 0.1, "epochs": 5}}


def lying(folder: Path, name: str, identity: dict[str, object], label: str = LABEL) -> None:
    write_json(folder / name / "config.json", {"identity": identity, "label": label})


def test_the_one_that_is_the_most_like_it_is_told_with_what_differs(tmp_path: Path) -> None:
    assert say_nearest(tmp_path / "own", OWN, LABEL) == ""
    lying(tmp_path, "own", OWN)
    lying(tmp_path, "far", {"seed": 0, "learner": {"lr": 0.3, "epochs": 9}})
    lying(tmp_path, "near", {"seed": 0, "learner": {"lr": 0.3, "epochs": 5}})
    lying(tmp_path, "elsewhere", OWN, label="digits/margin/seed=0")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{")
    told = say_nearest(tmp_path / "own", OWN, LABEL)
    assert told == "a new run, not near beside it: learner.lr is 0.3 there and 0.1 here"


def test_of_many_differences_the_first_are_told(tmp_path: Path) -> None:
    lying(tmp_path, "other", {"seed": 0, **{f"key{number}": 1 for number in range(7)}})
    told = say_nearest(tmp_path / "own", OWN, LABEL)
    assert told.count("there") == 4 and told.endswith("; and 4 more")
