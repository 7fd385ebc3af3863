"""Files with faults are read or refused in a sentence."""

import json
from random import Random

import pytest
from made_labeling import Labeling, exported
from mutating import FAULTS

from al_bench.errors import UserError


@pytest.fixture
def run(tmp_path):
    return Labeling(tmp_path)


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
