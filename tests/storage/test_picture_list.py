"""A picture of a labeling run keeps its position whatever else comes, goes or is renamed."""

import hashlib
import os
from pathlib import Path

import pytest

from al_bench.errors import UserError
from al_bench.sources.listing import picture_files
from al_bench.storage.picture_list import Changes, PictureList


class Folder:
    """Pictures below a folder, and the list of them, read anew each time."""

    def __init__(self, path: Path) -> None:
        self.root, self.list = path / "pictures", path / "run" / "pictures.jsonl"
        self.root.mkdir()
        self.asked: list[str] = []
        self.forgotten: list[int] = []
        self.same: set[int] = set()  # positions of which the one new file of as many bytes is told to be the picture

    def put(self, name: str, content: str) -> str:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(content)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def content(self, name: str) -> str:
        self.asked.append(name)
        return hashlib.sha256((self.root / name).read_bytes()).hexdigest()[:16]

    def look(self, contents=None) -> tuple[PictureList, Changes]:
        found = PictureList(self.list)
        files = picture_files(self.root)
        return found, found.look(files, contents or {}, self.content, self.forgotten.extend, self.same.intersection)


@pytest.fixture
def folder(tmp_path) -> Folder:
    return Folder(tmp_path)


def test_positions_stay_when_pictures_come_and_go(folder):
    for name in ("b.png", "d.png", "f/g.png"):
        folder.put(name, name)
    first, changes = folder.look()
    assert first.names == ["b.png", "d.png", "f/g.png"] and changes == Changes([0, 1, 2], [], [], [])
    folder.put("a.png", "new")
    (folder.root / "d.png").unlink()
    second, changes = folder.look()
    assert second.names == ["b.png", "d.png", "f/g.png", "a.png"] and changes == Changes([3], [1], [], [])
    assert second.position("d.png") is None and second.position("a.png") == 3
    third, changes = folder.look()
    assert third.names == second.names and changes == Changes([], [1], [], [])
    assert folder.asked == []  # of no answered picture


def test_an_answered_picture_is_found_under_another_name_by_its_content(folder):
    contents = {
        position: folder.put(name, text) for position, (name, text) in enumerate([("a.png", "1"), ("b.png", "2")])
    }
    folder.look()
    (folder.root / "sub").mkdir()
    (folder.root / "b.png").rename(folder.root / "sub" / "c.png")
    folder.put("z.png", "3")  # as large, and another
    (folder.root / "long.png").write_text("as large as none")
    found, changes = folder.look(contents)
    assert found.names == ["a.png", "sub/c.png", "long.png", "z.png"]
    assert changes == Changes([2, 3], [], [1], []) and found.position("sub/c.png") == 1
    assert sorted(folder.asked) == ["sub/c.png", "z.png"]
    again, changes = folder.look(contents)
    assert again.names == found.names and changes == Changes([], [], [], [])


def test_a_picture_that_was_only_touched_is_the_same_and_one_that_was_replaced_is_another(folder):
    contents = {0: folder.put("a.png", "1"), 1: folder.put("b.png", "2")}
    folder.look()
    folder.put("a.png", "1")
    (folder.root / "a.png").touch()
    folder.put("b.png", "3")
    found, changes = folder.look(contents)
    assert found.names == ["a.png", "b.png", "b.png"] and changes == Changes([2], [1], [], [])
    assert found.position("b.png") == 2 and found.position("a.png") == 0


def test_a_picture_that_nobody_answered_keeps_its_place_whatever_its_file_is_now(folder):
    contents = {0: folder.put("a.png", "1")}
    folder.put("b.png", "2")
    folder.put("c.png", "3")
    folder.look()
    folder.put("a.png", "11")
    folder.put("b.png", "22")
    found, changes = folder.look(contents)
    assert found.names == ["a.png", "b.png", "c.png", "a.png"] and changes == Changes([3], [0], [], [1])
    assert folder.forgotten == [1]
    folder.put("a.png", "111")
    found, changes = folder.look({})  # the first answer was taken back: still one place alone has the name
    assert changes == Changes([], [0], [], [3]) and found.position("a.png") == 3


def test_copies_of_an_answered_picture_take_its_place_once(folder):
    contents = {0: folder.put("a.png", "same")}
    folder.look()
    (folder.root / "a.png").unlink()
    folder.put("b.png", "same")
    folder.put("c.png", "same")
    found, changes = folder.look(contents)
    assert found.names == ["b.png", "c.png"] and changes == Changes([1], [], [0], [])


@pytest.mark.parametrize(
    "line", ["{}", "[]", '["a",1]', '["a",1,2,7]', '["a",1,2,-1]', '["a","1",2]', "x", '["a",1,2,0,0]']
)
def test_what_is_no_line_is_named_by_its_number(folder, line):
    folder.put("a.png", "1")
    folder.look()
    with folder.list.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(UserError, match="line 2 is no picture"):
        PictureList(folder.list)


def test_a_file_whose_time_changed_is_never_two_pictures(folder):
    """Not though both have the answer of what it is."""
    content = folder.put("a.png", "1")
    folder.look()
    os.utime(folder.root / "a.png", ns=(1, 1))
    assert folder.look({0: "another"})[1] == Changes([1], [0], [], [])
    os.utime(folder.root / "a.png", ns=(2, 2))
    found, changes = folder.look({0: content, 1: content})
    assert changes == Changes([], [0], [], []) and found.position("a.png") == 1


def test_pictures_that_nobody_answered_are_found_where_they_were_moved_to(folder):
    for number in range(6):
        folder.put(f"{number}.png", "x" * (number + 1))
        os.utime(folder.root / f"{number}.png", ns=(7, 7))
    for number in (6, 7):  # as large, of the same moment
        folder.put(f"{number}.png", "same")
        os.utime(folder.root / f"{number}.png", ns=(9, 9))
    folder.look()
    (folder.root / "sub").mkdir()
    for path in sorted(folder.root.glob("*.png")):
        path.rename(folder.root / "sub" / path.name)
    (folder.root / "sub" / "0.png").rename(folder.root / "other.png")
    (folder.root / "sub" / "1.png").rename(folder.root / "another.png")
    folder.same = {0}
    found, changes = folder.look()
    assert changes == Changes([8], [1], [0, *range(2, 8)], []) and folder.asked == []
    names = ["other.png", "1.png", *(f"sub/{number}.png" for number in range(2, 8)), "another.png"]
    assert found.names == names and folder.forgotten == list(range(2, 8)), "of a moved one the content may be another"
