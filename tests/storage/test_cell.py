import json
import lzma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from al_bench.active.part import hash_of
from al_bench.files import digest
from al_bench.storage.cell import SUFFIX, CellError, pack, read_cell, unpack

IDENTITY = {"part": "procedure/active_learning@1", "seed": 0}
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | FLOATS | st.text()
NUMBERS = (
    st.lists(st.integers(-300, 70_000)) | st.lists(FLOATS | st.none()) | st.lists(st.floats(width=32, allow_nan=False))
)


def finite(values):
    return [None if value in (float("inf"), float("-inf")) else value for value in values]


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(st.text(), PLAIN | NUMBERS.map(finite) | st.lists(st.dictionaries(st.text(), PLAIN)), max_size=4)
)
def test_what_is_packed_comes_back_and_always_as_the_same_bytes(value):
    cell = {"identity": IDENTITY, "value": value}
    assert unpack(pack(cell)) == cell
    assert list(unpack(pack(cell))["value"]) == list(value), "what comes first is shown first"
    assert pack(unpack(pack(cell))) == pack(cell)


def test_scores_take_four_bytes_and_repeated_ones_none():
    """Float32 values by their shortest digits, as records hold them; random ones cannot be packed any further."""
    scores = np.random.default_rng(0).random(1000, dtype=np.float32).astype(str).astype(float).tolist()
    once, thrice = (len(pack({"identity": IDENTITY, **{f"c{i}": scores for i in range(n)}})) for n in (1, 3))
    assert once < 4300
    assert thrice - once < 60


def put(folder, data, identity=IDENTITY):
    path = folder / f"digits-random-seed=0-{hash_of(identity)}{SUFFIX}"
    path.write_bytes(data)
    return path


def test_a_cell_is_read_by_its_name(tmp_path):
    cell = {"identity": IDENTITY, "cycles": [{"index": 0}]}
    assert read_cell(put(tmp_path, pack(cell))) == cell
    with pytest.raises(CellError, match=hash_of(IDENTITY)):
        read_cell(put(tmp_path, pack(cell), {"seed": 1}))


def test_a_value_that_was_changed_does_not_pass(tmp_path):
    head, _, content = lzma.decompress(pack({"identity": IDENTITY, "accuracy": 0.125})).partition(b"\n")
    assert digest(content).encode() in head
    changed = lzma.compress(head + b"\n" + content.replace(b"0.125", b"0.925"))
    with pytest.raises(CellError, match="sum"):
        read_cell(put(tmp_path, changed))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        pack({"identity": IDENTITY})[:-5],
        lzma.compress(b"{}"),
        lzma.compress(b"[]\n"),
        lzma.compress(b"\xff"),
    ],
)
def test_what_is_no_cell_is_said_to_be_none(tmp_path, data):
    with pytest.raises(CellError):
        read_cell(put(tmp_path, data))


def test_another_format_is_named(tmp_path):
    with pytest.raises(CellError, match="7"):
        read_cell(put(tmp_path, lzma.compress(b'{"format": 7}\n')))


@pytest.mark.parametrize("again", [{"array": 0}, {"synthetic": {"array": 0}}], ids=["numbers", "a picture"])
def test_a_small_file_does_not_fill_the_memory(again):
    """A list that refers to one long array over and over."""
    content = lzma.decompress(pack({"identity": IDENTITY, "rows": [[7] * 100_000] * 3})).partition(b"\n")[2]
    size = int.from_bytes(content[:8], "little")
    head = json.loads(content[8 : 8 + size])
    head["__metadata__"]["cell"] = json.dumps({"rows": [again] * 1000})
    text = json.dumps(head).encode()
    content = len(text).to_bytes(8, "little") + text + content[8 + size :]
    first = json.dumps({"format": 1, "sha256": digest(content)}).encode()
    with pytest.raises(CellError, match="more than"):
        unpack(lzma.compress(first + b"\n" + content))


def test_what_follows_a_cell_makes_it_none():
    with pytest.raises(CellError):
        unpack(pack({"identity": IDENTITY}) + b"more")
