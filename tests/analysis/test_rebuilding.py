from al_bench.analysis.rebuilding import Rebuilder


def test_places_of_an_exported_cell_are_those_of_this_machine():
    node = {"root": "<data>/camvid", "decoded": "<decoded>", "split": None, "more": ["<data>"], "note": "a <data>"}
    made = Rebuilder(dict, "/here/data", "/here/decoded").get("the data set", node)
    assert made == {
        "root": "/here/data/camvid",
        "decoded": "/here/decoded",
        "split": None,
        "more": ["/here/data"],
        "note": "a <data>",
    }
