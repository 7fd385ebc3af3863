"""A run is labeled by files alone, without a page."""

import json

import pytest
from made_labeling import NAMES, Labeling, exported

from al_bench.annotation.exchange import write_csv, write_label_studio
from al_bench.annotation.importing import AtStart, Taken
from al_bench.annotation.task_files import take_answers, write_tasks
from al_bench.errors import UserError
from al_bench.sources.listing import PictureFile
from al_bench.storage.answers import Later, NewClass, now
from al_bench.storage.asked import AskedPicture
from al_bench.storage.picture_list import PictureList


@pytest.fixture
def run(tmp_path):
    return Labeling(tmp_path)


def test_labeling_by_files_alone(run):
    """Tasks out, a table filled in, answers taken once; then Label Studio's, which holds the earlier ones too."""
    run.ask([AskedPicture(position=0, file="a.png", guess="cat", probability=0.5), AskedPicture(position=1, file="")])
    run.append(Later(when=now(), position=0, file="a.png"))
    assert write_tasks(run.folder) == 2 and take_answers(run.folder) is None
    table = run.folder / "tasks.csv"
    assert table.read_text() == (
        "\ufefffile,label,cannot_tell,guess,probability\nsub/b.png,,,,\na.png,,,cat,0.500000\n"
    )
    table.write_text(table.read_text().replace("a.png,,", "a.png,cat,").replace("\n", "\r\n"))
    filled = table.read_bytes()
    assert write_tasks(run.folder) == 2 and table.read_bytes() == filled, "what was filled in stays"
    assert take_answers(run.folder) == Taken(1, 0) and not table.exists()
    assert (run.folder / "tasks.taken-1.csv").read_bytes() == filled
    assert take_answers(run.folder) is None and run.holds() == {"a.png": "cat"} and run.given()[0].guess_shown
    assert write_tasks(run.folder) == 1
    tasks = json.loads((run.folder / "tasks.json").read_text())
    answers = [exported(tasks[0]["data"].pop("image"), None, **tasks[0]["data"]), exported("a.png", "cat")]
    (run.folder / "answers.json").write_text(json.dumps(answers))
    (run.folder / "answers.csv").write_text("file,label\n=c.png,cat\na.png,-1+2\n")
    with pytest.raises(UserError, match=r"answers.csv, line 3 and 'cat' at .*answers.json, task 2"):
        take_answers(run.folder)
    assert (run.folder / "answers.json").exists() and len(run.given()) == 1
    (run.folder / "answers.csv").write_text("file,label\n=c.png,cat\n")
    assert take_answers(run.folder) == Taken(2, 1) and take_answers(run.folder) is None
    assert {path.name for path in run.folder.glob("*taken*")} == {
        "tasks.taken-1.csv", "answers.taken-1.csv", "answers.taken-1.json"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["tasks.csv", "answers.csv"])
def test_what_a_model_says_is_no_answer(run, name):
    (run.folder / name).write_text("file,label,p(cat)\na.png,cat,0.9\n")
    with pytest.raises(UserError, match="a model's predictions, no answers"):
        take_answers(run.folder)
    assert (run.folder / name).exists() and run.given() == []


def test_names_that_no_text_holds(tmp_path):
    """Bytes that are no UTF-8, ends of lines: written with escapes, and found by them."""
    run = Labeling(tmp_path, ["\udcff.png", "a\nb.png"])
    write_csv(run.folder, tmp_path / "tasks.csv", query=True)
    text = (tmp_path / "tasks.csv").read_text()
    assert text.splitlines()[1:] == ["\\udcff.png,,,,", "a\\nb.png,,,,"]
    assert run.take(text.replace(".png,", ".png,cat")) == Taken(2, 0)
    assert [one.position for one in run.given()] == [0, 1] and all(one.content for one in run.given())
    write_label_studio(run.folder, tmp_path / "labels.json")
    image = json.loads((tmp_path / "labels.json").read_text())[0]["data"]["image"]
    assert image == "/data/local-files/?d=pics/%FF.png"
    assert run.take((tmp_path / "labels.json").read_bytes(), "in.json") == Taken(0, 2)


def test_a_picture_in_anothers_place_does_not_take_its_answer_along(run, tmp_path):
    """The old one is gone, and nothing names it any more."""
    run.answer(0, "cat")
    listed = PictureList(run.folder / "pictures.jsonl")
    found = [PictureFile("a.png", 11, 1), *(PictureFile(name, 10, 0) for name in NAMES[1:])]
    listed.look(found, {0: "what was answered"}, lambda name: None, print, lambda names: set())
    assert write_csv(run.folder, tmp_path / "labels.csv") == 0
    assert run.take("file,label\na.png,-1+2\n") == Taken(1, 0)
    assert [one.position for one in run.given()] == [0, len(NAMES)]
    assert write_csv(run.folder, tmp_path / "labels.csv") == 1


def test_a_run_may_begin_with_answers(run):
    """It has named its classes and listed its pictures by then, and asked nothing."""
    run.append(NewClass(when=now(), name="cat"))
    (run.folder / "query.json").unlink()
    run.refuses("is not the folder of a run that a person labels", "file,label\na.png,cat\n")
    start = AtStart(run.root, frozenset({1}))
    run.refuses("add it to dataset.class_names", "file,label\na.png,-1+2\n", start=start)
    assert run.take("file,label\na.png,cat\npics/sub/b.png,cat\n", start=start) == Taken(2, 0)
    assert all(one.content for one in run.given()) and [one.audit for one in run.given()] == [False, True]


def test_only_pictures_that_are_there_are_asked_for(run, tmp_path):
    (run.root / "a.png").unlink()
    assert write_tasks(run.folder) == len(NAMES) - 1
    assert "\na.png" not in (run.folder / "tasks.csv").read_text()
    run.root.rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=r"pics, the folder of pictures, is gone: put it back"):
        write_tasks(run.folder)
    run.answer(0, "cat")
    assert write_csv(run.folder, tmp_path / "labels.csv") == 1, "what was answered is there all the same"


def test_a_page_may_answer_meanwhile(run):
    """Lines that half stand there are passed over, the next ones take their place."""
    run.answer(0, "cat")
    with (run.folder / "labels.jsonl").open("ab") as file:
        file.write(b'{"event": "answer", "posi')
    assert run.take("file,label\nsub/b.png,cat\n") == Taken(1, 0)
    assert run.holds() == {"a.png": "cat", "sub/b.png": "cat"}
