import base64
import io

import numpy as np
from made_runs import made_run
from PIL import Image

from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.analysis.samples import kept_samples
from al_bench.report.page import write_report
from al_bench.report.samples import show_samples
from al_bench.storage.exported import export

KEPT = np.random.default_rng(0).integers(0, 256, (2, 3, 1, 6, 4), dtype=np.uint8)


def made(outputs):
    return made_run(outputs, "random", 0, (0.5, 0.6, 0.7), tensors={"labels": np.array([0, 1]), "samples": KEPT})


def group_of(found):
    (section,) = sections(found.runs)
    return section.groups[0]


def test_a_row_a_class_and_the_cycles_beside_each_other(tmp_path):
    made(tmp_path)
    seen = show_samples(group_of(stored(tmp_path, tmp_path / "cells")), ("cat", "dog"), [])
    assert seen.cycles == [(1, 20), (2, 30)], "those that kept any"
    assert [name for name, _ in seen.rows] == ["cat", "dog"]
    shot = seen.rows[1][1][0]
    assert shot.alt == "3 samples of dog, cycle 1"
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(shot.uri.split(",")[1]))))
    assert np.array_equal(pixels[:, 5:9, 0], KEPT[1, 1, 0]), "a pixel apart"
    assert seen.left_out == ""


def test_the_page_of_an_exported_run_has_the_last_cycle_and_says_so(tmp_path):
    made(tmp_path / "outputs")
    export(tmp_path / "outputs", tmp_path / "cells", lambda folder: {"samples": kept_samples(folder)})
    found = stored(tmp_path / "nowhere", tmp_path / "cells")
    text = write_report(found, tmp_path / "report", "range", Rebuilder(None)).read_text()
    shown = text.split("Samples</h3>")[1].split("<h3")[0]
    assert "carries the samples of its last cycle alone" in shown
    assert "cycle 2, 30 annotations" in shown
    assert "cycle 1" not in shown


def test_of_many_classes_and_cycles_some_are_shown(tmp_path):
    many = np.zeros((50, 1, 1, 4, 4), dtype=np.uint8)
    made_run(tmp_path, "random", 0, (0.5,) * 31, tensors={"labels": np.array([0, 1]), "samples": many})
    found = stored(tmp_path, tmp_path / "cells")
    seen = show_samples(group_of(found), [f"kind {place}" for place in range(50)], [])
    assert len(seen.rows) == 20 and all(len(strips) == 12 for _, strips in seen.rows)
    assert [seen.rows[place][0] for place in (0, -1)] == ["kind 0", "kind 49"]
    assert [index for index, _ in seen.cycles][:: len(seen.cycles) - 1] == [1, 30]
    assert seen.left_out == "18 other cycles and 30 other classes"
    text = write_report(found, tmp_path / "report", "range", Rebuilder(None)).read_text()
    assert "Not shown, between these: 18 other cycles." in text


def test_corrupted_tensors_cost_the_samples_alone(tmp_path):
    folder = made(tmp_path)
    (folder / "cycles" / "002.safetensors").write_bytes(b"nothing")
    found = stored(tmp_path, tmp_path / "cells")
    text = write_report(found, tmp_path / "report", "range", Rebuilder(None)).read_text()
    assert "Samples</h3>" not in text
    assert "the tensors of cycle 2 are corrupted" in text
