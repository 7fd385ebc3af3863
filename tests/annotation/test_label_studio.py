"""Answers leave a run and come back as Label Studio's JSON."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
from made_labeling import CLASSES, WHEN, Labeling, exported

from al_bench.annotation.exchange import LABEL_CONFIG, write_label_studio
from al_bench.annotation.importing import Taken
from al_bench.annotation.label_studio import label_config
from al_bench.storage.asked import AskedPicture


@pytest.fixture
def run(tmp_path):
    return Labeling(tmp_path)


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


@pytest.mark.parametrize("own", ["<View/>", "", "\ufffe", '<Choice value="cat"/>'])
def test_an_interface_that_a_person_changed_stays(run, tmp_path, caplog, own):
    """Keys, instructions, other controls: an export beside it, and each query of a run, wrote over them."""
    (tmp_path / LABEL_CONFIG).write_text(own)
    write_label_studio(run.folder, tmp_path / "answers.json")
    assert (tmp_path / LABEL_CONFIG).read_text() == own
    assert f"{LABEL_CONFIG} is not as al_bench writes it, and stays" in caplog.text


def test_an_interface_as_it_was_written_gets_what_classes_there_are(run, tmp_path, caplog):
    """But no link is followed, and nothing added to one is lost."""
    path = tmp_path / LABEL_CONFIG
    for classes in ([], ["one"], ['a "b"', "it's", "a & <b>", "\n"]):
        path.write_text(label_config(classes))
        write_label_studio(run.folder, tmp_path / "answers.json")
        assert path.read_text() == label_config(CLASSES)
    for saved in (
        label_config(["one"]).replace("\n", "\r\n"),
        "\ufeff" + label_config(["one"]),
        label_config([]).rstrip(),
    ):
        path.write_bytes(saved.encode())
        write_label_studio(run.folder, tmp_path / "answers.json")
        assert path.read_text() == label_config(CLASSES), "whose ends an editor has set"
    assert not caplog.text
    path.rename(tmp_path / "linked.xml")
    (tmp_path / "linked.xml").write_text(label_config(["one"]))
    path.symlink_to(tmp_path / "linked.xml")
    write_label_studio(run.folder, tmp_path / "answers.json")
    assert path.is_symlink() and (tmp_path / "linked.xml").read_text() == label_config(["one"])
    path.unlink()
    path.write_text(label_config(CLASSES))
    path.write_text(changed := path.read_text().replace('value="cat"', 'value="cat" hotkey="1"'))
    write_label_studio(run.folder, tmp_path / "answers.json")
    assert path.read_text() == changed
    path.rename(tmp_path / "mine.xml")
    path.symlink_to(tmp_path / "mine.xml")
    write_label_studio(run.folder, tmp_path / "answers.json")
    assert path.is_symlink() and (tmp_path / "mine.xml").read_text() == changed


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
