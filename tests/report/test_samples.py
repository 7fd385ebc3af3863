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


def test_the_page_of_an_exported_run_has_the_last_cycle_and_says_so(tmp_path):
    made(tmp_path / "outputs")
    export(tmp_path / "outputs", tmp_path / "cells", lambda folder: {"samples": kept_samples(folder)})
    found = stored(tmp_path / "nowhere", tmp_path / "cells")
    text = write_report(found, tmp_path / "report", "range", Rebuilder(None)).read_text()
    shown = text.split("Samples</h3>")[1].split("<h3")[0]
    assert "carries the samples of its last cycle alone" in shown
    assert "cycle 2, 30 annotations" in shown
    assert "cycle 1" not in shown


def test_corrupted_tensors_cost_the_samples_alone(tmp_path):
    folder = made(tmp_path)
    (folder / "cycles" / "002.safetensors").write_bytes(b"nothing")
    found = stored(tmp_path, tmp_path / "cells")
    text = write_report(found, tmp_path / "report", "range", Rebuilder(None)).read_text()
    assert "Samples</h3>" not in text
    assert "the tensors of cycle 2 are corrupted" in text
