from types import SimpleNamespace

from al_bench.analysis.rebuilding import Rebuilder


def rebuilt(node, **paths):
    run = SimpleNamespace(config={"paths": paths, "dataset": node}, label=("made", "random"))
    return Rebuilder(lambda node, family: dict(node), "/here/data", "/here/decoded").dataset(run)  # type: ignore[arg-type]


def test_places_of_an_exported_cell_are_those_of_this_machine():
    node = {"root": "<data>/camvid", "decoded": "<decoded>", "split": None, "more": ["<data>"], "note": "a <data>"}
    assert rebuilt(node) == {
        "root": "/here/data/camvid",
        "decoded": "/here/decoded",
        "split": None,
        "more": ["/here/data"],
        "note": "a <data>",
    }


def test_places_of_a_run_are_those_of_whoever_looks_at_it():
    node = {"root": "/there/svhn", "decoded": "/there/decoded", "other": "/elsewhere"}
    found = rebuilt(node, data="/there", decoded="/there/decoded")
    assert found == {"root": "/here/data/svhn", "decoded": "/here/decoded", "other": "/elsewhere"}
