"""When labeling is enough, and what cannot be labeled at all."""

import socket

import numpy as np
import pytest
from composing import compose
from pictures import save
from procedure.labeling.person import Person

from al_bench.errors import UserError
from al_bench.oracle.human import Human
from al_bench.procedure.terminal import cycle_line
from al_bench.storage.grown import has_grown
from al_bench.storage.store import RunStore
from run import instantiated


def test_without_an_audit_set_no_accuracy_is_shown(label, caplog):
    records = label("loop.budget=8", "oracle.audit_size=0")
    assert [record.annotations for record in records] == [4, 8]
    assert records[0].metrics["accuracy"] is None and records[0].test_images is None and label.person.asked.curve == []
    assert "accuracy not measured" in cycle_line(records[0]) and "nan" not in cycle_line(records[0])


def test_all_pictures_may_be_labeled(label):
    records = label()
    assert records[-1].annotations == 40 and records[-1].unlabeled == 0
    assert "every image is labeled" in label.person.asked.said


def test_a_run_goes_on_after_all_was_labeled_when_pictures_come_or_answers_change(label, pictures):
    assert label()[-1].annotations == 40 and not has_grown(label.folder, str(pictures))
    cycles = len(label())
    assert cycles == len(label()) and label.person.times == 0, "nothing new: nothing is asked or trained"
    for number in range(2):
        save(pictures / f"red-new-{number}.png", np.full((8, 8, 3), (200, number, 0), dtype=np.uint8))
    assert has_grown(label.folder, str(pictures))
    records = label()
    assert records[-1].annotations == 42 and len(records) == cycles + 1 and records[-1].unlabeled == 0
    person = label.person
    changed = next(one for one in person.held if one.position >= 40)
    person.say(changed, "blue")
    assert has_grown(label.folder, str(pictures))
    assert len(label()) == cycles + 2 and not has_grown(label.folder, str(pictures))


def test_a_run_ends_where_what_is_left_cannot_be_read_or_is_gone(label, pictures):
    label("loop.budget=20")
    answered = {one.file for one in label.person.held}
    left = [file for file in sorted(pictures.rglob("*.png")) if str(file.relative_to(pictures)) not in answered]
    for number, file in enumerate(left):
        file.write_bytes(b"none") if number % 2 else file.unlink()
    records = label()
    assert records[-1].annotations == len(answered) and "every image is labeled" in label.person.asked.said


def test_it_is_enough_when_the_accuracy_is_certain(label):
    records = label("loop.certain_above=0.6")
    assert "above 0.6 with 95 % certainty" in label.person.asked.said and records[-1].annotations < 40


def test_one_class_alone_teaches_nothing(label):
    def see_red(person: Person, times: int) -> None:
        person.sees = "red"

    with pytest.raises(UserError, match="fewer than two classes"):
        label(before=see_red)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["dataset.class_names=[cat]"], r"class_names=\[cat\] must name at least two"),
        (["dataset.class_names=[cat,cat]"], "each once"),
        (["dataset.class_names=['',c]"], "characters that can be seen"),
        (["dataset.class_names=[' a',c]"], "without spaces around it"),
        (
            ["dataset.image_size=null"],
            "^oracle=human or oracle=files has a person .* and dataset.image_size is not given: such as 64",
        ),
        (["loop.certain_above=0.9", "oracle.audit_size=0"], "certain_above=0.9 is never reached"),
        (["dataset.class_names=null"], "no class folders|fewer|at least two|class folders"),
    ],
)
def test_what_cannot_be_labeled_is_said_before(label, overrides, sentence):
    with pytest.raises(UserError, match=sentence):
        label(*overrides)


def test_nobody_else_labels_pictures_without_labels(tmp_path, pictures):
    folder = ("dataset=image_folder", f"dataset.root={pictures}", "dataset.class_names=[red,blue]")
    config = compose(*folder, "dataset.image_size=8", "strategy=margin", f"paths.outputs={tmp_path}", "tracking=none")
    with RunStore(tmp_path / "run", {}, {}) as store, pytest.raises(UserError, match="have a person label them"):
        instantiated(config.procedure).run(store)


def test_only_folders_of_pictures_are_labeled(tmp_path):
    config = compose("dataset=digits", "oracle=human", "strategy=margin", f"paths.outputs={tmp_path}", "tracking=none")
    with RunStore(tmp_path / "run", {}, {}) as store, pytest.raises(UserError, match="dataset=image_folder"):
        instantiated(config.procedure).run(store)


def test_a_port_that_is_taken_is_named(tmp_path, label, monkeypatch):
    begin = Human.begin
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config = compose("oracle=human", f"oracle.port={port}", "dataset=image_folder", "dataset.class_names=[a,b]")
        with pytest.raises(UserError, match=f"oracle.port={port} .* choose another port"):
            begin(instantiated(config.oracle), tmp_path)
