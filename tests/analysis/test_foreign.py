"""Files that are no cells, or not any more: named, left alone, and the rest goes on."""

import copy
import json
import lzma
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_runs import generated, made_measurement, made_run

from al_bench.active.part import hash_of
from al_bench.active.stopping import Stopping
from al_bench.analysis.pairs import kept_images
from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.files import digest, parse_json
from al_bench.report.page import write_report
from al_bench.storage.cell import SUFFIX, pack, read_cell
from al_bench.storage.exported import export
from al_bench.storage.known import finished_cell

BYTES = {
    "nothing": b"",
    "an object": b"{}",
    "a list": b"[]",
    "a page": b"<!DOCTYPE html><html><title>404</title></html>",
    "a conflict": b"<<<<<<< HEAD\n{}\n=======\n[]\n>>>>>>> branch\n",
    "noise": random.Random(0).randbytes(500),
    "other text": "größer".encode("latin-1"),
    "xz of nothing": lzma.compress(b""),
    "xz of an object": lzma.compress(b"{}"),
    "a bomb": lzma.compress(bytes(1 << 20), preset=0) * 300,
}
TEXTS = {
    "a huge number": '{"a": 1e999}',
    "NaN": '{"a": NaN}',
    "digits": f'{{"a": {"1" * 5000}}}',
    "depth": '{"a": ' + "[" * 5000 + "]" * 5000 + "}",
    "half": '{"a": [1, 2',
}
JUNK: list[Any] = [
    None, True, -1, 1.5, 10**30, "", "x", "<script>", "../../etc", [], {}, [None], ["a"], {"part": "x"}, [[1], [2]],
    {"_target_": "os.system", "command": "false"}, "${oc.env:HOME}", "\udc80", "x" * 5000,
]  # fmt: skip


def packed(text: str) -> bytes:
    """A cell's file with a right sum, whose JSON is this text."""
    metadata = json.dumps({"__metadata__": {"cell": text}}).encode()
    content = len(metadata).to_bytes(8, "little") + metadata
    return lzma.compress(json.dumps({"format": 1, "sha256": digest(content)}).encode() + b"\n" + content)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The cells of a run with pictures and of a measurement."""
    root = tmp_path_factory.mktemp("whole")
    made_run(root / "outputs", "asal_auto", 0, (0.1, 0.2, 0.3), tensors=generated())
    made_measurement(root / "outputs", {"a": 1.0, "b": {"x": 1.0}}, tables={"t": table()})
    paths = export(root / "outputs", root / "cells", lambda folder: {"images": kept_images(folder, Rebuilder(None))})
    return [read_cell(path) for path in paths]


def table() -> dict[str, Any]:
    plots = [{"about": "p", "x": "x", "y": ["y"], "by": "by", "dashed": {"by": "a"}}]
    return {"about": "w", "columns": ["x", "y", "by"], "rows": [[1, 2.0, "a"], [2, 3.0, "b"]], "plots": plots}


def page(root: Path, cells: Path) -> tuple[int, set[Path], str]:
    """How many runs are on a page of everything, the files that it names as left out, and its text."""
    found = stored(root / "outputs", cells)
    text = write_report(found, root / "report", "range", Rebuilder(None)).read_text()
    return len(found.runs), {problem.place for problem in found.problems}, text


def test_what_is_no_cell_is_named_and_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made_run(tmp_path / "outputs", "entropy", 0)
    cells, identity = tmp_path / "cells", {"part": "made.loop", "seed": 7}
    contents = BYTES | {name: packed(text) for name, text in TEXTS.items()}
    files = {cells / f"{name}-{hash_of(identity)}{SUFFIX}": content for name, content in contents.items()}
    cells.mkdir()
    for path, content in files.items():
        path.write_bytes(content)
    (cells / f"folder-{hash_of(identity)}{SUFFIX}").mkdir()
    (cells / f"nowhere-{hash_of(identity)}{SUFFIX}").symlink_to("nowhere")
    os.mkfifo(cells / f"pipe-{hash_of(identity)}{SUFFIX}")
    every = set(cells.iterdir())
    runs, named, _ = page(tmp_path, cells)
    assert (runs, named) == (1, every)
    assert finished_cell(cells, identity, Stopping(10)) == (None, [])
    assert all(str(path) in caplog.text for path in every)
    assert len(export(tmp_path / "outputs", cells)) == 1
    assert {path: path.read_bytes() for path in files} == files


def test_what_is_no_record_does_not_stop_a_page_or_an_export(tmp_path: Path) -> None:
    texts = [content for name, content in BYTES.items() if name != "a bomb"] + [
        text.encode() for text in TEXTS.values()
    ]
    for number, text in enumerate(texts):
        for name in ("config.json", "cycles/000.json", "cycles/001.json"):
            folder = made_run(tmp_path / name.partition(".")[0].replace("/", "-"), "entropy", number)
            (folder / name).write_bytes(text)
    made_run(tmp_path, "random", 0)
    found = stored(tmp_path, tmp_path / "cells")
    assert len(found.runs) == 1 + len(texts), "those whose second cycle is no record have a first"
    assert len({problem.place for problem in found.problems}) == 3 * len(texts)
    assert len(export(tmp_path, tmp_path / "cells")) == 1


def test_a_whole_cell_of_other_kinds_of_values_is_shown_or_named(tmp_path: Path, whole: list[dict[str, Any]]) -> None:
    """Each value of a cell in turn is another kind of thing, under a right sum and name."""
    cells = tmp_path / "cells"
    cells.mkdir()
    for number in range(40):
        rng = random.Random(number)
        changed = mutated(rng.choice(whole), rng)
        identity = changed.get("identity")
        own = hash_of(identity) if isinstance(identity, dict) else f"{number:012x}"
        (cells / f"{number}-{own}{SUFFIX}").write_bytes(pack(changed))
    runs, named, text = page(tmp_path, cells)
    assert runs >= 2 and len(named) > 5
    assert "<script" not in text


def mutated(cell: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """The cell with one value left out, doubled, renamed or replaced: each of its keys is as likely as any."""
    changed = copy.deepcopy(cell)
    places = [place for place in places_in(changed) if place]
    tops = sorted({place[:2] for place in places}, key=str)
    top = rng.choice(tops)
    *inside, key = rng.choice([place for place in places if place[:2] == top])
    value: Any = changed
    for one in inside:
        value = value[one]
    how = rng.random()
    if how < 0.15:
        del value[key]
    elif how < 0.2 and isinstance(value, list):
        value.append(value[key])
    elif how < 0.25 and isinstance(value, dict):
        value["<script>"] = value.pop(key)
    else:
        value[key] = copy.deepcopy(rng.choice(JUNK))
    return changed


def places_in(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    inside = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    for key, item in inside:
        yield from places_in(item, (*place, key))


def test_names_of_files_that_are_not_utf8_are_read_back() -> None:
    value = {"\udc80": ["a\udcff", "\U0001f600"]}
    assert parse_json(json.dumps(value).encode()) == value
    with pytest.raises(ValueError, match="expected value"):
        parse_json(b'["\\udc80", NaN]')
