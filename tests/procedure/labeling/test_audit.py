"""The audit set stands for the folder as it is, also once that has grown."""

import json
import logging
from types import SimpleNamespace

import numpy as np
import pytest
from pictures import save

from al_bench.errors import UserError
from al_bench.procedure.labeling.audit import draw_audit
from al_bench.sources.listing import PictureFile
from al_bench.storage.picture_list import PictureList


class Growing:
    """A run's folder, and its pictures, more each time that something is drawn."""

    def __init__(self, folder, audit_size=100) -> None:
        self.folder, self.files = folder, []
        self.person = SimpleNamespace(audit_size=audit_size, audit_share=0.2)

    def draw(self, more: int, used=(), seed=0) -> list[int]:
        self.files = [*self.files, *(PictureFile(f"{len(self.files) + one}.png", 1, 1) for one in range(more))]
        pictures = PictureList(self.folder / "pictures.jsonl")
        before = len(pictures)
        pictures.look(self.files, {}, lambda name: None, lambda places: None, lambda names: set())
        return draw_audit(self.folder, pictures, before, used, self.person, seed)


@pytest.fixture
def growing(tmp_path) -> Growing:
    return Growing(tmp_path)


def test_as_large_a_share_of_new_pictures_comes_into_it_and_what_is_in_it_stays(growing, caplog):
    caplog.set_level(logging.INFO)
    first = growing.draw(10)
    assert len(first) == 2 and growing.draw(0) == first and not caplog.messages
    grown = growing.draw(70)
    assert grown[:2] == first and len(grown) == len(set(grown)) == 16 and min(grown[2:]) >= 10
    assert caplog.messages == ["14 pictures of the 70 new ones are drawn into the audit set, which has 16 now"]
    assert json.loads((growing.folder / "audit.json").read_text()) == grown
    for _ in range(10):  # one at a time
        last = growing.draw(1)
    assert len(last) == 18


def test_a_folder_that_was_too_small_for_one_has_one_once_it_grew(growing):
    assert growing.draw(4) == [] and len(growing.draw(76)) == 16


def test_what_was_asked_for_or_answered_does_not_come_into_it(growing):
    growing.draw(10)
    assert {*growing.draw(10, used=range(18))} >= {18, 19}
    assert growing.draw(10, used=range(30))[4:] == []


def test_a_run_that_was_killed_between_its_two_files_draws_no_more(growing):
    growing.draw(10)
    before = (growing.folder / "audit_drawn.json").read_text()
    grown = growing.draw(70)
    (growing.folder / "audit_drawn.json").write_text(before)
    assert growing.draw(0) == grown


def test_of_a_run_of_an_earlier_version_what_comes_from_now_on_is_drawn_from(growing):
    first = growing.draw(10)
    (growing.folder / "audit_drawn.json").unlink()
    grown = growing.draw(10)
    assert grown[:2] == first and len(grown) == 4


def test_no_more_than_a_person_asked_for_are_drawn_at_a_time(tmp_path, caplog):
    growing = Growing(tmp_path, audit_size=5)
    growing.draw(10)
    assert len(growing.draw(1000)) == 7
    assert "stands less for new pictures than for earlier ones, of which 20 % are in it" in caplog.text
    assert Growing(tmp_path / "none", audit_size=0).draw(100) == []


def test_a_file_that_does_not_say_it_is_named(growing):
    growing.draw(10)
    (growing.folder / "audit_drawn.json").write_text("[]")
    with pytest.raises(UserError, match="does not say of what the audit set was drawn: put it back"):
        growing.draw(1)


def test_models_are_measured_on_what_came_later_too(label, pictures):
    label("loop.budget=16")
    for number in range(40):
        color = number % 2 * 2
        pixels = np.random.default_rng(100 + number).integers(0, 90, (8, 8, 3), dtype=np.uint8)
        pixels[..., color] += 100
        save(pictures / f"{('red', '', 'blue')[color]}-new-{number}.png", pixels)
    records = label("loop.budget=32")
    audit = json.loads((label.folder / "audit.json").read_text())
    assert len(audit) == 16 and [record.test_images for record in records] == [8, 8, 16, 16]
    trained = {place for record in records for place in record.query.indices}
    assert trained.isdisjoint(audit) and set(label.person.shown[:8]) == set(audit[8:]), "they come first"
    assert [one.images for one in label.person.asked.curve] == [8, 8, 16, 16]
