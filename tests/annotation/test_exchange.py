"""Answers leave a run and come back as tables, and the command that does it."""

import csv
import hashlib
import io
import json
import os
import re
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_labeling import NAMES, WHEN, Labeling, answer_all, exported

from al_bench.annotation.exchange import read_answers, write_csv, write_label_studio
from al_bench.annotation.importing import Taken, import_answers
from al_bench.errors import UserError
from al_bench.report.tables import marked, unmarked
from al_bench.storage.answers import Answers, LabelLog, TakenBack, now
from al_bench.storage.asked import AskedPicture
from scripts import labels as script

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def run(tmp_path):
    return Labeling(tmp_path)


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
        ("file,label,p(cat),p(-1+2)\na.png,cat,0.9,0.1\n", r"the column 'p\(cat\)': these are a model's predictions"),
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


def test_what_is_replaced_is_said_and_may_be_kept(run):
    """Of an older file, whose answers were corrected since, it is said that they were."""
    for position, who in enumerate(("bob", "bob", "", "anna")):
        run.answer(position, "cat", who=who, when=f"2026-05-31T15:0{position}:00.000+00:00")
    rows = "".join(f"{name},-1+2,2026-05-31T15:01:30Z\n" for name in NAMES[:6] if "," not in name)
    table = "file,label,when\na.png,cat,\n" + rows.replace("a.png,-1+2,2026-05-31T15:01:30Z\n", "", 1)
    said = "1 answer taken, 1 the same as before, 3 passed over, where others are kept"
    assert str(run.take(table, keep=True)) == f"{said} (by bob 1, somebody without a name 1, anna 1)"
    assert [one.label for one in run.given()] == ["cat"] * 4 + ["-1+2"]
    said = "3 answers taken, 3 of them in place of others (by bob 1, somebody without a name 1, anna 1)"
    newer = "2 of which had been given after those of the file, 2 the same as before"
    assert str(run.take(table)) == f"{said}, {newer}"
    assert run.take(table) == Taken(0, 5)


def test_a_class_of_a_row_that_is_passed_over_is_not_added(run):
    run.answer(0, "cat", who="bob")
    assert str(run.take("file,label\na.png,fox\n", keep=True, new_classes=True)) == (
        "0 answers taken, 0 the same as before, 1 passed over, where others are kept (by bob 1)"
    )
    assert Answers(LabelLog(run.folder / "labels.jsonl").read_new()).classes == {}


def test_persons_whose_answers_are_replaced_are_named_up_to_some(run):
    for position in range(4):
        run.answer(position, "cat", who=f"person {position}")
    names = "".join(f"{name},-1+2\n" for name in NAMES[:4])
    words = "by person 0 1, person 1 1, person 2 1, others 1"
    assert str(run.take(f"file,label\n{names}")) == (
        f"4 answers taken, 4 of them in place of others ({words}), 0 the same as before"
    )


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


def test_the_command(run, tmp_path, capsys, monkeypatch):
    run.answer(0, "cat")
    folder = str(run.folder)

    def said(*arguments: str) -> str:
        assert script.main(arguments) == 0
        return capsys.readouterr().out

    assert said("export", folder) == f"1 answer written to {folder}/labels.csv\n"
    assert said("export", folder, "--query") == f"6 pictures to label written to {folder}/tasks.csv\n"
    words = f"1 answer written to {tmp_path}/l.JSON, and label_config.xml is beside it\n"
    assert said("export", folder, "--to", f"{tmp_path}/l.JSON") == words
    assert said("import", folder, f"{tmp_path}/l.JSON") == "0 answers taken, 1 the same as before\n"
    (tmp_path / "more.csv").write_text("file,label\nsub/b.png,fox\n")
    (tmp_path / "other.csv").write_text("file,label\na.png,-1+2\n")
    words = (
        "0 answers taken, 0 the same as before, 1 passed over, where others are kept (by somebody without a name 1)\n"
    )
    assert said("import", folder, f"{tmp_path}/other.csv", "--keep") == words
    words = "1 answer taken, 0 the same as before; classes added: fox\n"
    assert said("import", folder, f"{tmp_path}/more.csv", "--new-classes") == words
    (run.folder / "tasks.csv").write_text("file,label\n=c.png,cat\n")
    (tmp_path / "empty.csv").write_text("file,label\n=c.png,\n")
    for arguments, match in {
        ("export", folder, "--query"): "tasks.csv has answers that would be lost",
        ("export", folder, "--to", f"{folder}/query.json"): "query.json is a file that the run itself needs",
        ("export", folder, "--to", f"{folder}/audit.json"): "audit.json is a file that the run itself needs",
        ("export", folder, "--to", f"{folder}/tasks.csv"): "tasks.csv has answers that would be lost",
        ("export", folder, "--to", f"{folder}/tasks.taken-1.csv"): "taken-1.csv is a file that the run itself needs",
        ("export", folder, "--to", f"{folder}/cycles/000.json"): "000.json is a file that the run itself needs",
        ("export", folder, "--to", "labels.txt"): "--to=labels.txt is neither",
        ("export", str(tmp_path)): "is not the folder of a run that a person labels",
        ("import", folder, f"{tmp_path}/empty.csv"): "empty.csv has no answer",
        ("import", folder, f"{tmp_path}/none.csv"): "none.csv is no file",
        ("import", folder, str(tmp_path)): "is no file",
    }.items():
        with pytest.raises(UserError, match=re.escape(match)):
            script.main(arguments)


def test_a_query_is_written_again_until_it_has_answers(run, tmp_path, capsys):
    """Of both kinds: what a model takes a picture for is no answer."""
    run.ask([AskedPicture(position=0, file="a.png", guess="cat", probability=0.5)])
    for name in ("tasks.csv", "tasks.json"):
        words = ["export", str(run.folder), "--query", "--to", str(tmp_path / name)]
        for _ in range(2):
            assert script.main(words) == 0 and capsys.readouterr().out.startswith("1 picture to label written to")
    (tmp_path / "tasks.json").write_text(json.dumps([exported("a.png", "cat")]))
    with pytest.raises(UserError, match=r"tasks\.json has answers that would be lost"):
        script.main(words)


@pytest.mark.parametrize("form", ["labels.csv", "labels.json"])
def test_what_was_changed_in_an_export_is_not_written_over(run, tmp_path, form):
    """Not before it is imported; what the run had once, and has no longer, is its own."""
    write = write_csv if form.endswith("csv") else write_label_studio
    run.answer(0, "cat")
    run.answer(1, "dog")
    write(run.folder, tmp_path / form)
    run.answer(0, "dog")
    assert write(run.folder, tmp_path / form) == 2, "its own of before"
    dog, cat = ('"dog"', '"cat"') if form.endswith("json") else (",dog,", ",cat,")
    edited = (tmp_path / form).read_text().replace(dog, cat)
    (tmp_path / form).write_text(edited)
    with pytest.raises(UserError, match=r"has an answer to sub/b\.png that the run never had, and it would be lost"):
        write(run.folder, tmp_path / form)
    assert (tmp_path / form).read_text() == edited
    import_answers(run.folder, read_answers(tmp_path / form))
    assert write(run.folder, tmp_path / form) == 2
    (tmp_path / form).write_text("notes of somebody")
    assert write(run.folder, tmp_path / form) == 2


def test_a_link_is_written_to_and_stays(run, tmp_path):
    run.answer(0, "cat")
    (tmp_path / "real.csv").write_text("")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write_csv(run.folder, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink() and "cat" in (tmp_path / "real.csv").read_text()
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(UserError, match=r"pipe\.csv is no file: name one"):
        write_csv(run.folder, tmp_path / "pipe.csv")
    assert stat.S_ISFIFO((tmp_path / "pipe.csv").stat().st_mode)


def test_nothing_of_it_needs_torch():
    """Beside what the tests have imported already: no module of it imports torch itself, or one that does."""
    import subprocess

    code = "import sys, scripts.labels; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0
