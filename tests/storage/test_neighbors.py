"""What a run that begins is told of those that lie beside it."""

from pathlib import Path
from typing import Any

import numpy as np
from pictures import save

from al_bench.active.part import hash_of
from al_bench.files import write_json
from al_bench.sources.listing import picture_files
from al_bench.storage.answers import LABELS, Answer, LabelLog, NewClass, now
from al_bench.storage.neighbors import say_nearest
from al_bench.storage.picture_list import PICTURES, PictureList

LABEL = "digits/random/seed=0"
ABOUT = {"label": LABEL, "config": {}}
OWN = {"seed": 0, "learner": {"lr": 0.1, "epochs": 5}}


def lying(folder: Path, name: str, identity: dict[str, object], label: str = LABEL) -> None:
    write_json(folder / name / "config.json", {"identity": identity, "label": label})


def test_the_one_that_is_the_most_like_it_is_told_with_what_differs(tmp_path: Path) -> None:
    assert say_nearest(tmp_path / "own", OWN, ABOUT) == ""
    lying(tmp_path, "own", OWN)
    lying(tmp_path, "far", {"seed": 0, "learner": {"lr": 0.3, "epochs": 9}})
    lying(tmp_path, "near", {"seed": 0, "learner": {"lr": 0.3, "epochs": 5}})
    lying(tmp_path, "elsewhere", OWN, label="digits/margin/seed=0")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{")
    told = say_nearest(tmp_path / "own", OWN, ABOUT)
    assert told == "a new run, not near beside it: learner.lr is 0.3 there and 0.1 here"


def test_of_many_differences_the_first_are_told(tmp_path: Path) -> None:
    lying(tmp_path, "other", {"seed": 0, **{f"key{number}": 1 for number in range(7)}})
    told = say_nearest(tmp_path / "own", OWN, ABOUT)
    assert told.count("there") == 4 and told.endswith("; and 4 more")


def labeling(folder: Path, root: Path, names: list[str], strategy: str = "margin") -> Path:
    """A run that a person labels, with an answer to each of some pictures but the first."""
    run = folder / "pictures" / strategy / "seed=0" / hash_of({"root": str(root), "strategy": strategy})
    write_json(run / "config.json", about_folder(root, strategy) | {"identity": {"dataset": {"files": str(root)}}})
    for name in names:
        save(root / name, np.zeros((4, 4, 3), np.uint8))
    PictureList(run / PICTURES).look(picture_files(root), {}, lambda name: None, list, lambda names: set())
    answers = [Answer(when=now(), position=one, file=name, label="cat") for one, name in enumerate(names)]
    LabelLog(run / LABELS).append(NewClass(when=now(), name="cat"), *answers[1:])
    return run


def about_folder(root: Path, strategy: str = "margin") -> dict[str, Any]:
    dataset, oracle = {"root": str(root), "class_names": ["cat", "dog"]}, {"labels": None}
    return {"label": f"pictures/{strategy}/seed=0", "config": {"dataset": dataset, "oracle": oracle}}


def test_answers_to_the_same_pictures_are_told_wherever_they_lay_and_whatever_asked_for_them(tmp_path: Path) -> None:
    before, names = tmp_path / "before", ["a.png", "b.png", "c.png"]
    run = labeling(tmp_path / "out", before, names)
    (tmp_path / "now").mkdir()
    moved = before.rename(tmp_path / "now" / "moved")
    own = {"dataset": {"files": "another"}}
    way = f"`python scripts/labels.py export {run}`, then oracle.labels={run / 'labels.csv'}"
    answers = f"{run} has 2 answers to these pictures, which come along by {way}"
    begun = run.parent / "begun"
    told = say_nearest(begun, own, about_folder(moved))
    assert told == (f"a new run, not {run.name} beside it: dataset.root is {before} there and {moved} here; {answers}")
    other = tmp_path / "out" / "pictures" / "entropy" / "seed=0" / "begun"
    assert say_nearest(other, own, about_folder(moved, "entropy")) == f"a new run; {answers}"
    save(tmp_path / "another" / "z.png", np.zeros((9, 9, 3), np.uint8))
    assert say_nearest(other, own, about_folder(tmp_path / "another", "entropy")) == ""
    named = about_folder(moved, "entropy")
    named["config"]["oracle"]["labels"] = "answers.csv"
    assert say_nearest(other, own, named) == ""


def test_a_run_that_has_answers_is_no_new_one(tmp_path: Path) -> None:
    names = ["a.png", "b.png"]
    run = labeling(tmp_path / "out", tmp_path / "before", names)
    other = labeling(tmp_path / "out", tmp_path / "another", names)
    assert other.parent == run.parent and say_nearest(run, {}, about_folder(tmp_path / "before")) == ""
