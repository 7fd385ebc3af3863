"""Answers leave a run and come back: as CSV, as Label Studio's JSON, and as the files of a labeling without a page."""

import csv
import hashlib
import io
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutating import FAULTS

from al_bench.annotation.exchange import LABEL_CONFIG, read_answers, write_csv, write_label_studio
from al_bench.annotation.importing import Taken, import_answers
from al_bench.annotation.spreadsheet import marked, unmarked
from al_bench.annotation.task_files import take_answers, write_tasks
from al_bench.errors import UserError
from al_bench.sources.listing import PictureFile
from al_bench.storage.answers import Answer, Answers, LabelLog, Later, NewClass, TakenBack, now
from al_bench.storage.asked import Asked, AskedPicture, write_asked
from al_bench.storage.picture_list import PictureList
from scripts import labels as script

ROOT = Path(__file__).parent.parent.parent
WHEN = "2026-05-31T14:59:00.250+00:00"
NAMES = ["a.png", "sub/b.png", "=c.png", "'d.png", 'e "ü", f;.png', "pics/a.png", "100%20 +&.png"]
CLASSES = ["cat", 'a "dög"', "-1+2", "tell, cannot"]


class Labeling:
    """A labeling run's folder, as the run and the page make it."""

    def __init__(self, place: Path, names: list[str] = NAMES, classes: list[str] = CLASSES) -> None:
        self.folder, self.root = place / "run", place / "my pics" / "pics"
        self.names, self.classes = names, classes
        self.folder.mkdir(parents=True)
        for name in names:
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name.encode(errors="surrogateescape"))
        found = [PictureFile(name, 10, 0) for name in names]
        PictureList(self.folder / "pictures.jsonl").look(found, {}, lambda name: None, print)
        self.ask()

    def ask(self, pictures: list[AskedPicture] | None = None, **more) -> None:
        if pictures is None:
            pictures = [AskedPicture(position=one, file=name) for one, name in enumerate(self.names)]
        asked = {"root": str(self.root), "classes": self.classes, "state": "waiting", "said": ""} | more
        write_asked(self.folder, Asked(pictures=pictures, **asked))

    def answer(self, position: int, label: str | None, **more) -> Answer:
        one = Answer(**({"when": WHEN, "position": position, "file": self.names[position], "label": label} | more))
        self.append(one)
        return one

    def append(self, *lines) -> None:
        LabelLog(self.folder / "labels.jsonl").append(*lines)

    def holds(self) -> dict[str, str | None]:
        return {one.file: one.label for one in self.given()}

    def given(self) -> list[Answer]:
        return Answers(LabelLog(self.folder / "labels.jsonl").read_new()).given()

    def lines(self) -> bytes:
        path = self.folder / "labels.jsonl"
        return path.read_bytes() if path.exists() else b""

    def take(self, text: str | bytes, name: str = "in.csv", **more) -> Taken:
        path = self.folder.parent / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return import_answers(self.folder, read_answers(path), **more)

    def refuses(self, match: str, text: str | bytes, name: str = "in.csv", **more) -> None:
        before = self.lines()
        with pytest.raises(UserError, match=match):
            self.take(text, name, **more)
        assert self.lines() == before


@pytest.fixture
def run(tmp_path):
    return Labeling(tmp_path)


def answer_all(run: Labeling) -> None:
    """Every class, cannot tell, answers taken back and given again, other persons."""
    for position in range(len(run.names)):
        label = [*run.classes, None][position % 5]
        run.answer(position, label, who=f"=anna {position}", seconds=position / 7 if position else None)
    run.answer(0, "cat")
    run.answer(0, None, who="b")
    run.append(TakenBack(when=now(), position=0, file="a.png"))


@pytest.mark.parametrize("form", ["labels.csv", "labels.json"])
def test_what_leaves_comes_back_the_same(tmp_path, form):
    run, fresh = Labeling(tmp_path / "one"), Labeling(tmp_path / "two")
    answer_all(run)
    out = tmp_path / form
    count = write_csv(run.folder, out) if form.endswith("csv") else write_label_studio(run.folder, out)
    assert count == len(NAMES)
    assert import_answers(fresh.folder, read_answers(out)) == Taken(len(NAMES), 0)
    what = ("file", "position", "label", "who", "when", "seconds")
    assert [one.model_dump(include=set(what)) for one in fresh.given()] == [
        one.model_dump(include=set(what)) for one in run.given()
    ]
    lines = fresh.lines()
    assert str(import_answers(fresh.folder, read_answers(out))) == "0 answers taken, 7 the same as before"
    assert fresh.lines() == lines


def test_a_table_says_who_when_and_how_long(run, tmp_path):
    run.answer(0, "cat", who="anna", seconds=1.25)
    run.answer(1, None)
    run.answer(2, "-1+2")
    run.append(TakenBack(when=now(), position=2, file=NAMES[2]))
    write_csv(run.folder, tmp_path / "labels.csv")
    assert (tmp_path / "labels.csv").read_text() == (
        f"file,label,who,when,seconds,cannot_tell\na.png,cat,anna,{WHEN},1.25,\nsub/b.png,,,{WHEN},,yes\n"
    )


def test_no_cell_is_run_as_a_formula(run, tmp_path):
    answer_all(run)
    write_csv(run.folder, tmp_path / "labels.csv")
    for row in csv.reader(io.StringIO((tmp_path / "labels.csv").read_text())):
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@", "\t")) for cell in row), row


@given(st.text())
def test_every_text_survives_being_marked(text):
    line = "".join(one for one in text if one.isprintable())
    assert unmarked(marked(line)) == line
    assert unmarked(line) == line or line.startswith("'")


def test_other_tables_are_read_too(run):
    """Spreadsheets' marks, delimiters, ends of lines, empty rows and cells; columns of one's own, in any order."""
    table = "Label;extra;File;Seconds;cannot_tell\r\ncat;1;a.png;1,5\r\n;;;;\r\n;;sub/b.png;;TRUE\r\n;;=c.png;;no\r\n"
    for number, content in enumerate((table.encode(), table.encode("utf-8-sig"), table.encode("utf-16"))):
        assert run.take(content) == (Taken(2, 0) if number == 0 else Taken(0, 2))
        assert run.take(b"sep=;\r\n" + table.encode()) == Taken(0, 2)
    assert run.holds() == {"a.png": "cat", "sub/b.png": None}
    assert [one.seconds for one in run.given()] == [1.5, None]
    assert run.take("file\tlabel\r'd.png\tcat\r") == Taken(1, 0)
    assert run.take("file,label\n  a.png , 'cat\n".replace("'", "")) == Taken(0, 1)


@pytest.mark.parametrize(
    ("table", "match"),
    [
        ("", "no columns file and label"),
        ("file,lable\na.png,cat\n", "no columns file and label"),
        ("file,label,label\na.png,cat,cat\n", "column label twice"),
        ("file,label\na.png,cat\na.png,cat,dog\n", "line 3 has 3 cells"),
        ('file,label\na.png,cat\n"a.png"x,cat\n', "line 3 is no row"),
        ("file,label\n" + "a" * 200_000 + ",cat\n", "line 2 is no row"),
        (b"file,label\na.png,cat\n\xe4.png,cat\n", "line 3 is not UTF-8"),
        (b"\xff\xfea", "not UTF-8"),
        ("file,label\n,cat\n", "line 2 names no picture"),
        ("file,label\na.png," + "x" * 201, "line 2 has the label 'x"),
        ("file,label,cannot_tell\na.png,cat,yes\n", "line 2 has the label 'cat' and cannot_tell"),
        ("file,label,cannot_tell\na.png,,maybe\n", "'maybe' of cannot_tell"),
        ("file,label,when\na.png,cat,31.05.2026\n", "line 2 says '31.05.2026' of when"),
        ("file,label,when\na.png,cat,0001-01-01T00:00:00+23:00\n", "of when"),
        ("file,label,seconds\na.png,cat,inf\n", "line 2 says 'inf' of the seconds"),
        ("file,label,seconds\na.png,cat,-1\n", "of the seconds"),
        ("file,label,who\na.png,cat," + "w" * 201, "of who answered"),
        ("file,label\na.png,cat\na.png,-1+2\n", "'a.png' is 'cat' at .*line 2 and '-1.2' at .*line 3"),
        ("file,label,cannot_tell\na.png,cat,\na.png,,x\n", "'a.png' is 'cat' at .* and cannot tell at"),
        ("file,label\na.png,cat\nx.png,cat\n", r"one picture is none of the run's, 'x.png' \(.*line 3\): name what"),
        (
            "file,label\n" + "".join(f"{one}.jpg,cat\n" for one in range(9)),
            r"9 pictures are none of the run's, '0.jpg' .*, '2.jpg' \(in.csv, line 4\), \.\.\.: name",
        ),
        ("file,label\n../pics/a.png,cat\n", "none of the run's"),
        ("file,label\nsub/../a.png,cat\n", "none of the run's"),
        (
            "file,label\na.png,fox\nsub/b.png,Cat\n",
            r"2 classes are none of the run's, 'fox' \(.*2\), 'Cat' \(.*3\): name one of 'cat',",
        ),
    ],
)
def test_a_table_that_cannot_be_taken_is_refused_whole(run, table, match):
    run.refuses(match, table)


def test_classes_may_come_with_labels(run):
    assert str(run.take("file,label\na.png,fox\nsub/b.png,fox\n=c.png,owl\n", new_classes=True)) == (
        "3 answers taken, 0 the same as before; classes added: fox, owl"
    )
    run.take("file,label\n'd.png,fox\n")
    kept = Answers(LabelLog(run.folder / "labels.jsonl").read_new())
    assert list(kept.classes) == ["fox", "owl"] and len(kept.given()) == 4


def test_an_answer_knows_what_was_asked(run):
    """Its picture by content, so that it may be renamed; the audit set keeps its pictures, whoever answers anew."""
    asked = AskedPicture(position=0, file="a.png", audit=True, asked_by=2, guess="cat", probability=0.75)
    run.ask([asked])
    run.take("file,label\na.png,cat\nsub/b.png,cat\n", guess_shown=True)
    one, other = run.given()
    assert (one.audit, one.asked_by, one.guess, one.probability, one.guess_shown) == (True, 2, "cat", 0.75, True)
    assert (other.audit, other.asked_by, other.guess, other.guess_shown) == (False, None, None, False)
    assert one.content == hashlib.sha256(b"a.png").hexdigest()[:16]
    run.ask([])
    (run.root / "a.png").unlink()
    run.take("file,label,cannot_tell\na.png,,yes\n")
    assert run.given()[-1].audit and run.given()[-1].label is None and run.given()[-1].content is None


def test_pictures_are_found_by_their_addresses(run):
    """Below any folder above, escaped or not; an address that may be two pictures is neither."""
    root = str(run.root)
    for spelling in (f"{root}/sub/b.png", "./sub/b.png", "pics/sub/b.png", "my pics/pics/sub/b.png"):
        run.take(f"file,label\n{spelling},cat\n")
        assert run.holds() == {"sub/b.png": "cat"}
    run.refuses("'a.png' or 'pics/a.png'", f"file,label\n{root}/a.png,cat\n".replace(root, "/data/local-files/?d=pics"))
    run.refuses("none of the run's", "file,label\nother/sub/b.png,cat\n")
    run.refuses("none of the run's", "file,label\n/pics/../pics/sub/b.png,cat\n")


def test_label_studio_is_asked_in_its_own_layout(run, tmp_path):
    """https://labelstud.io/guide/task_format and /guide/predictions; its template for image classification."""
    asked = AskedPicture(position=1, file="sub/b.png", guess="cat", probability=0.75)
    run.ask([asked, AskedPicture(position=6, file="another name"), AskedPicture(position=2, file="=c.png")], cycle=3)
    run.answer(2, "cat")
    assert write_label_studio(run.folder, tmp_path / "tasks.json", query=True) == 2
    choice = {"from_name": "choice", "to_name": "image", "type": "choices", "value": {"choices": ["cat"]}}
    assert json.loads((tmp_path / "tasks.json").read_text()) == [
        {
            "data": {"image": "/data/local-files/?d=pics/sub/b.png", "file": "sub/b.png"},
            "predictions": [{"model_version": "cycle 3", "result": [choice], "score": 0.75}],
        },
        {"data": {"image": "/data/local-files/?d=pics/100%2520%20%2B%26.png", "file": "100%20 +&.png"}},
    ]
    view = ElementTree.fromstring((tmp_path / LABEL_CONFIG).read_text())
    image, choices = view
    assert (image.tag, image.get("name"), image.get("value")) == ("Image", "image", "$image")
    assert (choices.tag, choices.get("name"), choices.get("toName")) == ("Choices", "choice", "image")
    assert [one.get("value") for one in choices] == CLASSES
    write_label_studio(run.folder, tmp_path / "tasks.json", query=True, pictures_at="")
    assert json.loads((tmp_path / "tasks.json").read_text())[1]["data"]["image"] == "100%20 +&.png"
    write_label_studio(run.folder, tmp_path / "answers.json")
    assert json.loads((tmp_path / "answers.json").read_text())[0]["annotations"] == [
        {"result": [choice], "was_cancelled": False, "ground_truth": False, "lead_time": None, "created_at": WHEN}
    ]


def exported(image: str, *labels: str | None, **data) -> dict:
    """A task as Label Studio exports it as JSON; None: it was skipped."""
    annotations = [
        {
            "id": 1001,
            "completed_by": {"id": 10, "email": "anna@example.org", "first_name": ""},
            "result": [
                {"id": "x", "from_name": "choice", "to_name": "image", "type": "choices", "value": {"choices": [label]}}
            ]
            if label is not None
            else [],
            "was_cancelled": label is None,
            "created_at": "2021-03-09T22:16:08.728353Z",
            "updated_at": "2021-03-09T23:16:08.728353+01:00",
            "lead_time": 4.288,
        }
        for label in labels
    ]
    return {"id": 1, "annotations": annotations, "drafts": [], "data": {"image": image} | data, "meta": {}}


def test_label_studios_exports_are_read(run):
    tasks = [
        exported("/data/local-files/?d=my%20pics/pics/sub/b.png", "cat", None, "cat"),
        exported("http://localhost:8080/data/local-files/?d=pics/100%2520%20%2B%26.png", None),
        exported("elsewhere.png", "-1+2", file="=c.png"),
        exported("'d.png"),
        exported("unknown, and not answered"),
    ]
    assert run.take(json.dumps(tasks), "out.json") == Taken(3, 0)
    assert run.holds() == {"sub/b.png": "cat", "100%20 +&.png": None, "=c.png": "-1+2"}
    one = run.given()[0]
    assert (one.who, one.when, one.seconds) == ("anna@example.org", "2021-03-09T22:16:08.728+00:00", 4.288)
    minimal = [
        {"image": "a.png", "id": 1, "choice": "cat", "annotator": 3, "created_at": "2021-03-09", "lead_time": 2},
        {"image": "pics/sub/b.png", "file": "sub/b.png", "choice": {"choices": ["cat"]}, "annotator": "anna"},
        {"image": "'d.png", "annotator": 3},
    ]
    assert run.take("\ufeff" + json.dumps(minimal), "min.json") == Taken(1, 1)
    assert (run.given()[-1].who, run.given()[-1].seconds) == ("3", 2.0)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("[" * 100_000, "no JSON that can be read"),
        ("[" * 300 + "]" * 300, "no JSON that can be read"),
        ("[NaN]", "no JSON that can be read"),
        ("[{", "no JSON that can be read"),
        ('{"a": 1}', "no list of tasks"),
        ("[3]", "task 1 is no task"),
        ('[{"data": {"image": 3}, "annotations": [{"was_cancelled": true}]}]', "task 1 names no picture"),
        ('[{"data": {"image": "a.png"}, "annotations": 3}]', "annotations that are none"),
        ('[{"data": {"image": "a.png"}, "annotations": [{"result": "x"}]}]', "task 1 has no choice"),
        (json.dumps([exported("a.png", "cat", "-1+2")]), "'a.png' is 'cat' at .* and '-1.2' at"),
        (json.dumps([exported("a.png", "fox")]), "one class is none of the run's"),
        (json.dumps([exported("../a.png", "cat")]), "none of the run's"),
        (json.dumps([exported("/etc/passwd", "cat")]), "none of the run's"),
        ('[{"image": "a.png", "choice": ["cat", "dog"]}]', "task 1 has 'cat' and 'dog'"),
        ('[{"image": "a.png", "choice": [[]]}]', "lists or endless numbers"),
        ('[{"image": "a.png", "choice": ""}]', "has the label ''"),
        ('[{"image": "a.png", "choice": "  "}]', "has the label '  '"),
        ('[{"image": "a.png", "choice": "\\udc00"}]', "has the label"),
        ('[{"image": "a.png", "my control": "cat", "annotation_id": 3}]', "another control than choice: export JSON"),
        ('[{"image": "a.png", "choice": "cat", "annotator": "\\udc00"}]', "of who answered"),
        ('[{"image": "a.png", "choice": "cat", "annotator": ' + "9" * 5000 + "}]", "endless numbers|no JSON"),
        ('[{"image": "a.png", "choice": "cat", "lead_time": true}]', "of the seconds"),
        ('[{"image": "a.png", "choice": "cat", "created_at": "soon"}]', "of when"),
    ],
)
def test_json_that_cannot_be_taken_is_refused_whole(run, content, match):
    run.refuses(match, content, "in.json", new_classes=match != "one class is none of the run's")


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
    listed.look(found, {0: "what was answered"}, lambda name: None, print)
    assert write_csv(run.folder, tmp_path / "labels.csv") == 0
    assert run.take("file,label\na.png,-1+2\n") == Taken(1, 0)
    assert [one.position for one in run.given()] == [0, len(NAMES)]
    assert write_csv(run.folder, tmp_path / "labels.csv") == 1


def test_a_run_may_begin_with_answers(run):
    """It has named its classes and listed its pictures by then, and asked nothing."""
    run.append(NewClass(when=now(), name="cat"))
    (run.folder / "query.json").unlink()
    run.refuses("is not the folder of a run that a person labels", "file,label\na.png,cat\n")
    run.refuses("name one of 'cat', or", "file,label\na.png,-1+2\n", root=run.root)
    assert run.take("file,label\na.png,cat\npics/sub/b.png,cat\n", root=run.root) == Taken(2, 0)
    assert all(one.content for one in run.given())


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


def test_the_command(run, tmp_path, capsys, monkeypatch):
    run.answer(0, "cat")
    folder = str(run.folder)

    def said(*arguments: str) -> str:
        assert script.main(arguments) == 0
        return capsys.readouterr().out

    assert said("export", folder) == f"1 answer written to {folder}/labels.csv\n"
    assert said("export", folder, "--query") == f"6 pictures to label written to {folder}/tasks.csv\n"
    words = f"1 answer written to {tmp_path}/l.JSON, and label_config.xml beside it\n"
    assert said("export", folder, "--to", f"{tmp_path}/l.JSON") == words
    assert said("import", folder, f"{tmp_path}/l.JSON") == "0 answers taken, 1 the same as before\n"
    (tmp_path / "more.csv").write_text("file,label\nsub/b.png,fox\n")
    words = "1 answer taken, 0 the same as before; classes added: fox\n"
    assert said("import", folder, f"{tmp_path}/more.csv", "--new-classes") == words
    (run.folder / "tasks.csv").write_text("file,label\n=c.png,cat\n")
    (tmp_path / "empty.csv").write_text("file,label\n=c.png,\n")
    for arguments, match in {
        ("export", folder, "--query"): "tasks.csv has answers that would be lost",
        ("export", folder, "--to", f"{folder}/query.json"): "query.json is a file that the run itself needs",
        ("export", folder, "--to", f"{folder}/cycles/000.json"): "000.json is a file that the run itself needs",
        ("export", folder, "--to", "labels.txt"): "--to=labels.txt is neither",
        ("export", str(tmp_path)): "is not the folder of a run that a person labels",
        ("import", folder, f"{tmp_path}/empty.csv"): "empty.csv has no answer",
        ("import", folder, f"{tmp_path}/none.csv"): "none.csv is no file",
        ("import", folder, str(tmp_path)): "is no file",
    }.items():
        with pytest.raises(UserError, match=re.escape(match)):
            script.main(arguments)


TABLE = 'file,label,who,when,seconds,cannot_tell\na.png,cat,anna,2026-05-31T14:59:00Z,1.5,\n"sub/b.png",,,,,yes\n'
TASKS = [
    exported("a.png", "cat", None),
    exported("/data/local-files/?d=pics/sub/b.png", None, file="sub/b.png"),
    {"image": "=c.png", "choice": "cat", "annotator": 1, "lead_time": 2.5, "created_at": "2021-03-09"},
]
ODD = [
    None,
    True,
    0,
    -1,
    1 << 70,
    1e308,
    "",
    " ",
    "\ud800",
    "\0",
    "../a.png",
    "x" * 300,
    [],
    {},
    [[]],
    [None],
    {"choices": []},
]


def faulty_text(text: str, rng: Random) -> bytes:
    """Characters that mean something to a table, or to whoever decodes it, in other places."""
    characters = list(text)
    for _ in range(rng.choice((1, 1, 2, 5))):
        place = rng.randrange(len(characters))
        characters[place : place + rng.randrange(2)] = rng.choice(
            (",", ";", '"', "\n", "\r", "\t", "'", "=", "\0", "\u2028")
        )
    return "".join(characters).replace(",", rng.choice(",,;\t")).encode(rng.choice(("utf-8", "utf-8-sig", "utf-16")))


def faulty_tasks(tasks: list, rng: Random) -> bytes:
    """Another value in a place of the tree, or none."""
    tree = json.loads(json.dumps(tasks))
    for _ in range(rng.choice((1, 1, 2, 5))):
        holder, key = rng.choice(places(tree) or [(tree := [None], 0)])
        if rng.random() < 0.2:
            del holder[key]
        else:
            holder[key] = rng.choice(ODD)
    return json.dumps(tree).encode()


def places(tree) -> list:
    """Each holder of a value, with its key."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else []
    return [place for key, value in items for place in [(tree, key), *places(value)]]


def faulty_bytes(content: bytes, rng: Random) -> bytes:
    faulty = bytearray(content)
    rng.choice(FAULTS)(faulty, rng)
    return bytes(faulty)


def test_a_faulty_file_is_read_or_refused_in_a_sentence(run):
    """Some hundred, by a seed; no refusal is a traceback, and what is refused adds nothing."""
    taken = {"in.csv": 0, "in.json": 0}
    for seed in range(100):
        rng = Random(seed)
        files = [("in.csv", faulty_text(TABLE, rng)), ("in.json", faulty_tasks(TASKS, rng))]
        files += [
            ("in.csv", faulty_bytes(TABLE.encode(), rng)),
            ("in.json", faulty_bytes(json.dumps(TASKS).encode(), rng)),
        ]
        for name, content in files:
            before = run.lines()
            try:
                said = str(run.take(content, name, new_classes=seed % 2 == 0))
                taken[name] += 1
            except UserError as error:
                said = str(error)
                assert run.lines() == before, (seed, name)
            assert "\n" not in said and len(said) < 2000, (seed, name)
    assert min(taken.values()) > 15, "some faults change nothing that counts"


def test_nothing_of_it_needs_torch():
    """Beside what the tests have imported already: no module of it imports torch itself, or one that does."""
    import subprocess

    code = "import sys, scripts.labels; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0
