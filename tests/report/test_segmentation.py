import itertools
from types import SimpleNamespace

import numpy as np
import torch
from made_runs import made_run

from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.report.figures.palette import NEUTRAL, area_colors
from al_bench.report.page import write_report
from al_bench.report.segmentation import paint, show_segmentation

CLASSES = ("road", "car", "sky")
TRUTH = torch.tensor([[[0, 0], [1, 255]], [[1, 1], [1, 1]]], dtype=torch.uint8)


def two_scenes(node, family):
    """Two test images of 2 x 2 pixels, one of which has no label in a corner."""
    images = torch.arange(24, dtype=torch.uint8).reshape(2, 3, 2, 2)
    split = type("Split", (), {"images": images, "labels": TRUTH, "__len__": lambda self: 2})()
    return SimpleNamespace(train=split, test=split, class_names=CLASSES)


def predicting(maps):
    return {"labels": np.array([0, 1]), "predicted": np.array(maps, dtype=np.uint8)}


def made_maps_run(outputs, strategy, seed, ious, maps=None):
    metrics = {"mean_iou": 0.5, "iou": ious}
    more = {"metrics": metrics, "class_counts": [5, 5, 5]}
    return made_run(outputs, strategy, seed, more=more, tensors=None if maps is None else predicting(maps))


def shown(tmp_path, build=two_scenes):
    found = stored(tmp_path / "outputs", tmp_path / "cells")
    (section,) = sections(found.runs)
    return show_segmentation(section, CLASSES, Rebuilder(build), found.problems), found


def test_iou_of_each_class_over_seeds_and_a_dash_for_one_without_a_pixel(tmp_path):
    made_maps_run(tmp_path / "outputs", "random", 0, [0.25, 0.5, None])
    made_maps_run(tmp_path / "outputs", "random", 1, [0.75, 0.5, None])
    made_maps_run(tmp_path / "outputs", "entropy", 0, [0.125, 0.375, 1.0])
    table = shown(tmp_path)[0].table
    assert table.columns == ["method", "annotations", "seeds", "mean", "road", "car", "sky"]
    assert sorted(table.rows, reverse=True) == [
        ["random", 20, 2, "50.0 ± 17.7", "50.0 ± 35.4", "50.0 ± 0.0", None],
        ["entropy", 20, 1, "50.0", "12.5", "37.5", "100.0"],
    ]


def test_prediction_stands_beside_image_and_truth_in_the_same_colors(tmp_path):
    made_maps_run(tmp_path / "outputs", "random", 0, [0.5, 0.5, None], [[[0, 1], [1, 2]], [[1, 1], [1, 1]]])
    made_maps_run(tmp_path / "outputs", "entropy", 0, [0.5, 0.5, None], [[[0, 0], [1, 0]]])
    seen, _ = shown(tmp_path)
    first, second = seen.scenes
    assert {one.group.name: one.words for one in first.predictions} == {
        "random": "IoU 50.0 %, seed 0, 20 annotations",  # 1/2 of road, 1/2 of car; the corner does not count
        "entropy": "IoU 100.0 %, seed 0, 20 annotations",
    }
    assert [one.group.name for one in second.predictions] == ["random"], "what was kept of it"
    assert second.truth.uri == second.predictions[0].shot.uri, "alike, so painted alike"
    assert first.image.uri != first.truth.uri
    assert [name for name, _ in seen.colors] == [*CLASSES, "not labeled"]


def test_without_the_data_set_the_predictions_stand_alone_and_the_page_says_so(tmp_path):
    made_maps_run(tmp_path / "outputs", "random", 0, [0.5, 0.5, None], [[[0, 1], [1, 2]]])
    seen, _ = shown(tmp_path, None)
    assert not seen.complete
    assert (seen.scenes[0].image, seen.scenes[0].predictions[0].words) == (None, "seed 0, 20 annotations")
    found = stored(tmp_path / "outputs", tmp_path / "cells")
    text = write_report(found, tmp_path / "report", "range", Rebuilder(None)).read_text()
    assert "could not be loaded here" in text.split("Segmentation</h3>")[1].split("<h3")[0]


def test_a_data_set_of_another_size_is_not_shown(tmp_path):
    made_maps_run(tmp_path / "outputs", "random", 0, [0.5, 0.5, None], [[[0, 1, 1], [1, 2, 1]]])
    assert not shown(tmp_path)[0].complete


def test_runs_from_before_maps_were_kept_have_their_table_alone(tmp_path):
    made_maps_run(tmp_path / "outputs", "random", 0, [0.5, 0.25, None])
    seen, found = shown(tmp_path)
    assert (seen.scenes, found.problems) == ([], [])
    page = write_report(found, tmp_path / "report", "range", Rebuilder(two_scenes)).read_text()
    assert "what the picture is called, and the score" in page and "took it for and" not in page, "maps are no guesses"
    assert "test image 1" not in page
    (table,) = (tmp_path / "report" / "tables").glob("iou-*.csv")
    assert table.read_text().splitlines()[1] == "random,20,1,37.5,50.0,25.0,"


def test_classification_has_no_such_section(tmp_path):
    made_run(tmp_path / "outputs", "random", 0)
    assert shown(tmp_path)[0] is None


def test_corrupted_maps_are_named_and_the_table_stays(tmp_path):
    folder = made_maps_run(tmp_path / "outputs", "random", 0, [0.5, 0.25, None], [[[0, 1], [1, 2]]])
    (folder / "cycles" / "001.safetensors").write_bytes(b"corrupted")
    seen, found = shown(tmp_path)
    assert seen.scenes == []
    assert [one.sentence for one in found.problems] == [
        "the tensors of cycle 1 are corrupted: no pictures of this cycle"
    ]
    assert seen.table.rows


def test_what_is_no_class_is_painted_neutral():
    painted = paint(np.array([[0, 255], [1, 2]], dtype=np.uint8), ["#010203", "#0A0B0C"])
    assert painted[:, 0, 0].tolist() == [1, 2, 3]
    assert painted[:, 1, 0].tolist() == [10, 11, 12]
    assert painted[:, 0, 1].tolist() == painted[:, 1, 1].tolist() == [0xD9, 0xD9, 0xD9]


def test_colors_of_classes_are_told_apart_by_every_kind_of_color_vision():
    """Simulated by the matrices of Machado et al. (2009) at full severity; distances in CIELAB under D65."""
    kinds = [
        np.eye(3),
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ]
    colors = np.array([list(bytes.fromhex(color[1:])) for color in [*area_colors(20), NEUTRAL]]) / 255
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    for kind in kinds:
        seen = lab(np.clip(linear @ np.array(kind).T, 0, 1))
        assert min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2)) > 16


def lab(linear):
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    ratios = linear @ np.array(to_xyz).T / np.array([0.95047, 1, 1.08883])
    x, y, z = np.where(ratios > 0.008856, np.cbrt(ratios), 7.787 * ratios + 16 / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)
