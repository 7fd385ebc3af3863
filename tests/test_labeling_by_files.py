"""From a folder of pictures without labels to a model's predictions, by the commands that a user types."""

import csv
import subprocess
from pathlib import Path

import forked
import numpy as np
import pytest
from pictures import save

from al_bench.errors import UserError
from scripts import labels, predict

ROOT = Path(__file__).parent.parent
COLORS = ("r\u00f6t", "blue")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("data") / "pictures"
    for number in range(30):
        pixels = np.random.default_rng(number).integers(0, 90, (12, 10, 3), dtype=np.uint8)
        pixels[..., 2 * (number % 2)] += 120
        save(root / f"{COLORS[number % 2]}" / f"<b>{number}.png", pixels)
    return root


@pytest.fixture(scope="module")
def labeled(pictures) -> Path:
    """The folder of a run that was labeled by files and is finished, from which and to which pictures came and went."""
    line = (
        "dataset=image_folder", f"dataset.root={pictures}", 'dataset.class_names=["r\u00f6t",blue]',
        "dataset.image_size=8", "oracle=files", "network=linear", "loop.initial_size=6", "loop.query_size=6",
        "loop.budget=24", "learner.epochs=20", "recipe.optimizer.lr=0.02", "device=cpu", "tracking=none",
        f"paths.outputs={pictures.parent / 'outputs'}",
    )  # fmt: skip
    for turn in range(3):
        done = forked.run(*line)
        assert done.returncode == 0 and "asked for: " in done.stdout, done.stderr
        (run,) = pictures.parent.glob("outputs/image_folder/margin/seed=0/*")
        fill(run / "tasks.csv")
        if turn == 0:
            first = next(pictures.rglob("*.png"))
            first.rename(first.with_name("renamed.png"))
            save(pictures / "new.png", np.full((8, 8, 3), (10, 10, 200), dtype=np.uint8))
    done = forked.run(*line)
    assert done.returncode == 0 and "finished: the budget of 24" in done.stdout, done.stderr
    again = forked.run(*line)
    assert again.returncode == 0 and "finished before" in again.stdout
    return run


def fill(tasks: Path) -> None:
    """Answers every task by the folder of its picture."""
    with tasks.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["label"] = COLORS[0] if COLORS[0] in row["file"] else COLORS[1]
    with tasks.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_every_answer_is_there_under_its_pictures_name_of_now(labeled, pictures):
    assert labels.main(["export", str(labeled)]) == 0
    with (labeled / "labels.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = {row["file"]: row["label"] for row in csv.DictReader(file)}
    assert len(rows) == 24 and set(rows.values()) == set(COLORS)
    assert all((pictures / name).is_file() for name in rows)


def test_the_report_shows_what_was_chosen_with_names_and_answers(labeled, pictures, tmp_path):
    outputs = labeled.parents[3]
    words = [str(outputs), "--data", str(pictures.parent), "--to", str(tmp_path)]
    command = [forked.python(), str(ROOT / "scripts" / "report.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "index.html").read_text()
    assert "could not be loaded" not in page and "answer: r\u00f6t" in page
    assert "&lt;b&gt;" in page and "<b>1" not in page


def test_the_model_says_what_other_pictures_are(labeled, tmp_path, capsys):
    save(tmp_path / "bluish.png", np.full((8, 8, 3), (40, 40, 170), dtype=np.uint8))
    assert predict.main([str(labeled), str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[1].startswith("bluish.png,blue,")
    (tmp_path / "said.csv").write_text(said)
    with pytest.raises(UserError, match="a model's predictions, no answers"):
        labels.main(["import", str(labeled), str(tmp_path / "said.csv")])


def test_labels_and_predictions_of_the_rest_hold_every_picture_once(labeled, pictures, tmp_path, capsys):
    assert labels.main(["export", str(labeled), "--to", str(tmp_path / "labels.csv")]) == 0
    capsys.readouterr()
    assert predict.main([str(labeled), "--rest"]) == 0
    rest = [row["file"] for row in csv.DictReader(capsys.readouterr().out.splitlines())]
    with (tmp_path / "labels.csv").open(newline="", encoding="utf-8-sig") as file:
        answered = [row["file"] for row in csv.DictReader(file)]
    there = sorted(str(one.relative_to(pictures)) for one in pictures.rglob("*.png"))
    assert sorted(rest + answered) == there and rest and answered


@pytest.mark.parametrize(
    ("words", "sentence"),
    [((), r"DIR is missing: name a folder of pictures, or .*--rest"), (("DIR", "--rest"), r"leave DIR out, or --rest")],
)
def test_pictures_are_named_in_one_way(labeled, words, sentence):
    with pytest.raises(UserError, match=sentence):
        predict.main([str(labeled), *words])
