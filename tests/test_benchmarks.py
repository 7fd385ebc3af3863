"""The bench: a miss shows and fails, and the two sides of each claim compute the same."""

import dataclasses
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import faiss
import pytest
import torch

from al_bench.active import scores
from al_bench.active.inputs import read_all
from al_bench.dataset import Dataset, Split
from al_bench.matcher.ivf import Ivf
from al_bench.network.lenet import LeNet
from al_bench.network.lenet5 import LeNet5
from al_bench.network.linear import Linear
from al_bench.network.predict import predict
from al_bench.seeding import fork, generator
from al_bench.storage.store import RunStore
from al_bench.strategy.coreset import furthest_first
from benchmarks import (
    Goal,
    Measured,
    Pairs,
    acgan,
    clustering,
    command,
    composing,
    coreset,
    cycle,
    deepfool,
    fast,
    features,
    fit,
    folder,
    gan,
    gan_quality,
    indexes_gpu,
    interleaved,
    labeling,
    mal,
    map_scoring,
    matcher,
    matcher_gpu,
    matcher_mapped,
    matcher_scale,
    million,
    packed,
    reading,
    scoring,
    sweep_start,
    waal,
)
from scripts.bench import CLAIMS, ON_GPU, main

FAST = Measured("a fast part", 0.25, Goal(0.4), "0.1 s and 0.4 s")
SLOW = Measured("a slow part", 0.5, Goal(0.4), "0.2 s and 0.4 s")
BESIDE = Measured("told beside it", 0.0712, None, "nothing is claimed", unit="%")


def bench(path, *rows, arguments=()):
    """The exit code of a bench of one claim with these rows."""
    return main(arguments, {"claim": lambda: list(rows)}, path / "bench.md")


def test_all_claims_met_exits_0(tmp_path, capsys):
    assert bench(tmp_path, FAST, BESIDE) == 0
    assert "missed" not in capsys.readouterr().out


def test_a_miss_exits_1_and_is_printed_as_missed(tmp_path, capsys):
    assert bench(tmp_path, FAST, SLOW) == 1
    fast, slow, _ = capsys.readouterr().out.splitlines()
    assert fast.split()[:3] == ["a", "fast", "part"]
    assert "0.250 x" in fast and "at most 0.400 x" in fast and " met " in fast
    assert "0.500 x" in slow and "at most 0.400 x" in slow and " missed " in slow


def test_the_page_holds_goal_and_verdict_and_what_it_was_measured_on(tmp_path):
    bench(tmp_path, FAST, SLOW, BESIDE)
    page = (tmp_path / "bench.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| ")]
    assert ["a fast part", "0.250 x", "at most 0.400 x", "met", "0.1 s and 0.4 s"] in rows
    assert ["a slow part", "0.500 x", "at most 0.400 x", "missed", "0.2 s and 0.4 s"] in rows
    assert ["told beside it", "7.12 %", "-", "-", "nothing is claimed"] in rows
    about = {row[0]: row[1] for row in rows if len(row) == 2}
    assert about["command"] == "`python scripts/bench.py`"
    assert "torch 2." in about["versions"]
    assert "cores" in about["hardware"]
    assert {"commit", "date"} <= set(about)


def test_a_part_of_the_bench_leaves_the_page_alone(tmp_path, capsys):
    (tmp_path / "bench.md").write_text("of all claims")
    assert bench(tmp_path, SLOW, arguments=["claim"]) == 1
    assert (tmp_path / "bench.md").read_text() == "of all claims"


def test_an_unknown_claim_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        bench(tmp_path, FAST, arguments=["speed"])
    assert "speed is not known: use claim" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "goal", "met"),
    [
        (0.4, Goal(0.4), True),
        (0.401, Goal(0.4), False),
        (0.9, Goal(0.9, at_least=True), True),
        (0.899, Goal(0.9, at_least=True), False),
        (math.nan, Goal(0.4), False),
        (math.nan, Goal(0.4, at_least=True), False),
    ],
)
def test_a_goal(value, goal, met):
    assert Measured("claim", value, goal, "").missed is not met


def test_a_fast_part_that_computes_something_else_is_missed(tmp_path, capsys):
    assert bench(tmp_path, Measured("claim", 0.1, Goal(0.4), "0.1 s", agrees=False)) == 1
    assert "missed  THE TWO SIDES DIFFER" in capsys.readouterr().out


def test_sides_take_turns():
    calls = []

    def side(name):
        return lambda number: calls.append((name, number)) or f"{name} {number}"

    runs = interleaved(side("ours"), side("theirs"), 3)
    assert [name for name, _ in calls] == ["ours", "theirs"] * 4, "the first of each is to warm up"
    assert [number for _, number in calls] == [0, 0, 0, 0, 1, 1, 2, 2]
    assert runs.results == [("ours 0", "theirs 0"), ("ours 1", "theirs 1"), ("ours 2", "theirs 2")]
    assert min(*runs.first, *runs.second) > 0


def test_the_ratio_is_taken_pair_by_pair():
    """Load that makes both halves of a pair ten times as long leaves it as it is; medians of each side would not."""
    runs = Pairs([2.0, 30.0, 40.0, 5.0, 6.0], [1.0, 10.0, 20.0, 2.0, 60.0], [])
    assert runs.ratio == 2.0
    assert runs.medians == (6.0, 10.0)


def test_the_command_starts_without_a_path_of_ones_own(tmp_path):
    """`benchmarks` is not installed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, str(Path(__file__).parents[1] / "scripts" / "bench.py"), "nonsense"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "nonsense is not known" in done.stderr


def test_goals_are_those_of_the_claims(monkeypatch, tmp_path):
    """Looked at without measuring: every claim of the command has a goal, and none is looser than it was set."""
    monkeypatch.setattr(coreset, "peak_memory", lambda points, labeled: points)
    monkeypatch.setattr(deepfool, "EPOCHS", 2)
    monkeypatch.setattr(waal, "BATCH_SIZE", 2)
    monkeypatch.setattr(waal, "STEPS", {"LeNet5": 1, "VGG16-BN": 1})
    monkeypatch.setattr(matcher, "compared", lambda rows, pairs: (0.1, "", True))
    monkeypatch.setattr(matcher_scale, "apart", lambda task, *arguments: task(*arguments))
    monkeypatch.setattr(matcher_scale, "TUNED_ON", 200)
    monkeypatch.setattr(matcher_scale, "HELD_OUT", 100)
    monkeypatch.setattr(cycle, "own_share", lambda *arguments, **options: (0.01, ""))
    monkeypatch.setattr(features, "OUTPUTS", tmp_path)
    monkeypatch.setattr(folder, "apart", lambda task, *arguments: task(*arguments))
    monkeypatch.setattr(map_scoring, "apart", lambda task, *arguments: task(*arguments))
    monkeypatch.setattr(command, "_help", lambda number: b"")
    monkeypatch.setattr(sweep_start, "said_by", lambda start, folder, number: str(number))
    monkeypatch.setattr(labeling, "press", lambda keys, seconds: labeling.Pressed([0.01] * keys, keys))
    rows = {
        "fit": fit.measure(
            [dataclasses.replace(narrow(training), num_images=70, pairs=1) for training in fit.TRAININGS]
        ),
        "coreset": coreset.measure(60, 20, 3, 1),
        "clustering": clustering.measure(300, 20, 2_000, 20),
        "deepfool": deepfool.measure(20, 4, 2),
        "matcher": matcher.measure(100, 1),
        "matcher16m": list(matcher_scale.measure((300, 600), 500, tmp_path)),
        "scoring": scoring.measure(40, 20),
        "reading": reading.measure(num_pictures=40, turns=1),
        "map_scoring": map_scoring.measure(80, 2),
        "cycle": cycle.measure(),
        "features": features.measure(1, 60, 20),
        "gan": gan.measure((4, 8, 16), 2, 1),
        "gan_quality": gan_quality.measure(40, 1, 1, (4, 4, 4)),
        "waal": waal.measure(1),
        "mal": mal.measure(1, 1),
        "acgan": acgan.measure(1, 2, (4, 3, 2)),
        "composing": composing.measure(1),
        "sweep_start": sweep_start.measure(1),
        "labeling": labeling.measure(),
        "folder": folder.measure(40, 1),
        "help": command.measure(),
    }
    assert list(rows) == list(CLAIMS)
    goals = {name: [str(row.goal) for row in rows[name]] for name in rows}
    assert goals == {
        "fit": ["at most 1.500 x", "at most 0.850 x", "at most 0.450 x", "at most 0.450 x"][: len(rows["fit"])],
        "coreset": ["at most 0.400 x", "at most 4.000 x"],
        "clustering": ["at most 1.030 x", "None"],
        "deepfool": ["at most 0.125 x", "None"],
        "matcher": ["at most 0.200 x", "None"],
        "matcher16m": [
            *["None", "None", "at most 0.0667 x", "at most 0.00333 x", "at most 20.0 GiB", "at least 99.00 %"],
            *["None", "None", "None", "at most 0.04 x", "at most 20.0 GiB", "at least 99.00 %"],
            "None",
        ],
        "scoring": ["at most 0.850 x", "at most 0.200 x"],
        "reading": ["at most 1.100 x", "at most 1.100 x"],
        "map_scoring": ["at most 2.0 GiB"],
        "cycle": ["at most 2.00 %", "None"],
        "features": ["at most 2.00 s"],
        "waal": ["at most 3.000 x", "at most 2.300 x", "at most 0.600 x", "at most 0.600 x"][: len(rows["waal"])],
        "mal": ["at most 2.300 x", "at most 2.300 x"],
        "acgan": [f"at most {goal:.3f} x" for goal in (1.1, 1.9, 1.1, 1.9, 1.1, 1.7)],
        "gan": [f"at most {goal:.3f} x" for goal in (0.9, 0.55, 0.9)][: len(rows["gan"])],  # fewer without bfloat16
        "gan_quality": ["at most 1.000 x", "None"],
        "composing": ["at most 0.650 x"],
        "sweep_start": ["at most 0.50 s", "None"],
        "labeling": ["at most 0.10 s", "at least 100.00 %"],
        "folder": ["at most 8.000 x", "at most 0.2 GiB"],
        "help": ["at most 1.50 s"],
    }
    assert [row.cells for measured in rows.values() for row in measured if not row.agrees] == []


def narrow(training):
    """The same with a sixteenth of ResNet18's channels."""
    if training.name != "ResNet18":
        return training
    return dataclasses.replace(training, network=partial(training.network, width=4))


@pytest.mark.parametrize("training", fit.TRAININGS, ids=lambda training: f"{training.name}-{training.precision}")
def test_fit_by_hand_ends_with_the_same_weights(training):
    training = narrow(
        dataclasses.replace(training, num_images=training.batch_size + 4)
    )  # the last batch is a smaller one
    pool, learner = fit.labeled_pool(training.num_images, training.shape), fit.learner_of(training)
    ours, start = learner.fit(pool, None, fit.SEED), learner.empty(pool, fit.SEED)
    inputs, labels = pool.training_set()
    plain = fit.by_hand(training, read_all(inputs), labels, learner.empty(pool, fit.SEED))
    if training.precision != "32-true":
        assert fit.of_one_way(ours, plain, start) and not fit.alike(ours, plain, start)
        assert not fit.of_one_way(start, plain, ours), "they went one way, and this is the way back"
        return
    assert fit.alike(ours, plain, start)
    assert not fit.alike(ours, start, plain) and not fit.alike(start, plain, start), "nothing was trained"
    with torch.no_grad():
        next(plain.head.parameters()).mul_(1.05)
    assert not fit.alike(ours, plain, start), "one layer went elsewhere"


def test_core_set_the_straight_way_picks_the_same():
    points, centers = coreset.embeddings(200, 30)
    assert (len(points), len(centers)) == (170, 30)
    picks = coreset.straight(points, centers, 60)
    assert len(picks.unique()) == 60
    assert torch.equal(picks, furthest_first(points, centers, 60, generator(0))[0])


@pytest.mark.parametrize(("growth", "missed"), [(lambda n: 5_000 * n, False), (lambda n: 4 * n * n, True)])
def test_memory_that_grows_with_the_pairs_is_missed(monkeypatch, growth, missed):
    monkeypatch.setattr(coreset, "peak_memory", lambda points, labeled: growth(points))
    assert coreset.memory(10_000, 1_000).missed is missed


@pytest.mark.slow
def test_peak_memory_is_what_the_arrays_take():
    """At least the copy that is moved to the middle; at most three times that, where all pairs would be 16 times."""
    embeddings = 4 * 8_000 * coreset.SIZE
    assert 0.9 * embeddings < coreset.peak_memory(8_000, 100) < 3 * embeddings


@pytest.mark.parametrize("alone", [False, True])
def test_deepfool_one_image_at_a_time_ends_as_far_from_each_image(alone, monkeypatch):
    with fork(0):
        model = LeNet5((1, 28, 28), 10, 0.13, 0.31).eval()
    images = deepfool.made_pool(6).inputs[-6:]
    found, _ = deepfool.STRATEGY.perturbations(model, images, torch.arange(6))
    torch.testing.assert_close(deepfool.one_at_a_time(model, images / 255, alone), found, rtol=1e-3, atol=0)
    assert found.min() > 0
    row = deepfool.compared(model, images, 4, 2, "of some kind", None, alone)
    assert row.agrees and "6 images 1 x 28 x 28" in row.how and "of some kind" in row.how and "on 4 of them" in row.how
    monkeypatch.setattr(deepfool, "one_at_a_time", lambda model, images, alone: 1.01 * found[: len(images)])
    assert deepfool.compared(model, images, 2, 1, "of some kind", None, alone).missed, "a hundredth too far"


@pytest.mark.parametrize("made", [matcher.falling, matcher.folded])
def test_the_matcher_and_the_tree_find_the_same(made):
    _, how, same = matcher.compared(made(3_000), 1)
    assert same
    assert "2,990 x 50, 10 queries" in how


def test_matching_at_scale_measures_three_ways_on_the_same_points():
    found = matcher_scale.apart(matcher_scale.compared, matcher.folded, 2_000)
    assert found.same, "tree and scan"
    one, other = found.exact.results[0]
    wrong = dataclasses.replace(found.exact, results=[(one, [*other[:-1], other[-1] + 1])])
    assert not dataclasses.replace(found, exact=wrong).same
    assert found.recall >= 0.98 and 1 <= found.probes <= found.lists == 134
    assert found.memory > 0.1
    assert "2,000 x 50, 10 queries" in found.how
    ratio, other, *_ = matcher_scale.rows("toy", found, Goal(1e-9), Goal(1e9))
    assert ratio.missed and other.missed is (found.recall < 0.99)
    lossy = dataclasses.replace(found, recall=0.989)
    assert matcher_scale.rows("toy", lossy, None, None)[1].missed, "fast, and finds something else"


def test_what_auto_took_is_measured_on_all_points():
    row = matcher_scale.auto("intrinsic dimension 12", 6_000)
    assert row.value > 0.98
    assert row.how.startswith("ivf: distances for a query") or row.how.startswith("exact: distances for a query")


def test_the_torch_matcher_and_a_plain_scan_find_the_same():
    against_scan, against_pass = matcher_gpu.compared(matcher.falling(3_000), 1, "a card")
    assert against_scan.agrees and min(against_scan.value, against_pass.value) > 0
    assert "2,990 x 50, 10 queries on a card" in against_scan.how
    assert [str(row.goal) for row in (against_scan, against_pass)] == ["at most 1.000 x", "at most 2.000 x"]


def test_packed_cells_are_measured_by_what_their_cycles_took_and_asked_for(monkeypatch, tmp_path):
    """Two cells of two cycles; the first cycle asks for the first labels and does not count."""

    def swept(words, check, stdout):
        said = dict(word.split("=", 1) for word in words if "=" in str(word))
        is_packed = said["hydra.launcher.packed"] == "true"
        assert {"strategy=random", "loop.max_cycles=1", "hydra.launcher.workers=1"} <= {*words}
        for seed in (0, 1):
            label = f"digits/random{'+stacked' * is_packed}/seed={seed}/0123456789ab"
            for index in (0, 1):
                path = Path(said["paths.outputs"], label, "cycles", f"{index:03}.json")
                path.parent.mkdir(parents=True, exist_ok=True)
                effort = {"fit": {"seconds": 2.0 if is_packed else 5.0}, "query": {"seconds": 1.0}}
                picks = [0, 1, 2, 3] if is_packed and seed else [3, 2, 1, 4]
                path.write_text(json.dumps({"index": index, "effort": effort, "query": {"indices": picks}}))

    monkeypatch.setattr(packed.subprocess, "run", swept)
    ratio, share = packed.compared("toy", ["strategy=random"], 1, Goal(0.35))
    assert (ratio.value, ratio.missed, ratio.how) == (0.5, True, "seconds of 2 cycles behind the first: 6 and 12")
    assert (share.value, share.how, share.cells[1]) == (7 / 8, "7 of 8", "87.50 %")


@pytest.mark.parametrize("network", [LeNet, Linear])
def test_networks_in_a_stack_are_measured_beside_one(network):
    row = packed.compared_stack(network, 2, 4, 1, torch.device("cpu"), 1, "a card", Goal(3.0))
    assert row.value > 0 and str(row.goal) == "at most 3.000 x"
    assert row.how == f"batches of 4 on a card; of 2 one after the other {row.value / 2:.2f}"
    assert torch.cuda.is_available() or not list(packed.measure_gpu())


def test_latents_that_are_searched_together_end_where_they_do_in_parts():
    row = packed.compared_search(4, 2, 2, 1)
    assert row.agrees and row.value > 0 and row.name == "a search for 4 latents at once / 2 by 2"


def test_a_rival_is_tuned_measured_on_others_and_missed_where_it_finds_less():
    rival = indexes_gpu.RIVALS["ivf_gpu"]
    points, others = matcher.folded(5_000).split([3_000, 2_000])
    ten, many = rows = indexes_gpu.beside(rival, "toy", points, others, 1, "a card")
    assert ten.name == "FAISS's inverted lists / torch matcher on a GPU, toy, 10 matched"
    assert many.name == "FAISS's inverted lists / torch matcher on a GPU, toy, 1,000 searched at once"
    words = re.compile(
        r"ms, torch [\d.]+ ms; 3,000 x 50 on a card; recall@1 (0\.9\d+|1\.0+) of 1,000 others at effort "
    )
    for row in rows:
        found = words.search(row.how)
        assert found is not None and float(found.group(1)) > 0.97, row.how
        assert row.value > 0 and row.agrees is (float(found.group(1)) >= 0.99)
    for row in indexes_gpu.beside(dataclasses.replace(rival, make=OneList), "toy", points, others, 1, "a card"):
        assert row.missed and "at effort 1 of 1;" in row.how


class OneList(Ivf):
    """Looks into the list of the nearest center alone, whatever it misses."""

    def __init__(self):
        super().__init__(None, 1, 40, 0)

    def build(self, features):
        super().build(features)
        self.most_effort = 1


@pytest.mark.skipif(hasattr(faiss, "StandardGpuResources"), reason="says what faiss-cpu lacks")
@pytest.mark.parametrize("name", indexes_gpu.RIVALS)
def test_a_rival_that_is_not_there_is_a_row_that_says_so(name):
    rival = indexes_gpu.RIVALS[name]
    row = indexes_gpu.skipped(rival, rival.lacks(torch.empty(0)))
    installed = f"FAISS {faiss.__version__} as it is installed"
    lacking = {
        "fused_gpu": "the features are on cpu, not on a GPU",
        "ivf_gpu": f"{installed} finds no GPU; faiss-gpu and faiss-gpu-cuvs are for one",
    }
    assert row.how == f"skipped: {lacking.get(name, f'{installed} was built without cuVS; faiss-gpu-cuvs has it')}"
    assert math.isnan(row.value) and not row.missed


@pytest.mark.parametrize(("change", "agrees"), [({}, True), ({"num_critic": 4}, False), ({"penalty_weight": 9}, False)])
def test_a_short_game_has_to_move_the_weights_as_by_hand(change, agrees):
    ours = dataclasses.replace(gan.tables_gan((4, 8, 16), 2), **change)
    assert gan.begin_alike(ours, gan.made_images(), 2) is agrees


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what is said without a GPU")
def test_claims_about_a_gpu_say_that_there_is_none(capsys, tmp_path):
    assert main([*ON_GPU, "--page", str(tmp_path / "page.md")]) == 0
    needs = "needs a GPU and none is here, so nothing was measured"
    assert capsys.readouterr().out.splitlines() == [f"{name}: {needs}" for name in ON_GPU]
    assert not list(tmp_path.iterdir())


def test_claims_by_name_are_written_where_asked(tmp_path):
    page = tmp_path / "page.md"
    assert bench(tmp_path, FAST, arguments=["claim", "--page", str(page)]) == 0
    assert "| a fast part | 0.250 x" in page.read_text()
    assert not (tmp_path / "bench.md").exists()


@pytest.mark.gpu
def test_rows_of_a_gpu_name_the_card():
    rows = list(gan.measure_gpu((4, 8, 16), 8))
    assert len(rows) == 4 and all(row.agrees for row in rows)
    assert all(torch.cuda.get_device_name() in row.how for row in [*rows, *matcher_gpu.measure(3_000, 1)])


@pytest.mark.gpu
@pytest.mark.parametrize("name", indexes_gpu.RIVALS)
def test_rivals_on_a_gpu_keep_their_recall_or_say_what_they_lack(name):
    rows = list(indexes_gpu.measure(indexes_gpu.RIVALS[name], 20_000, 1))
    assert all(row.how.startswith("skipped: ") or row.agrees for row in rows)
    assert name != "fused_gpu" or len(rows) == 4


def test_mnists_images_are_measured_where_they_are(real_data):
    rows = matcher_scale.mnist(real_data, num_train=500, pairs=1)
    assert rows[0].agrees, "where no earlier query had the nearest"
    assert all("500 x 50, 10 queries" in row.how for row in rows)


def test_mnists_images_are_skipped_visibly_where_they_are_not(tmp_path, capsys):
    bench(tmp_path, *matcher_scale.mnist(tmp_path))
    assert "skipped: no train-images-idx3-ubyte in" in capsys.readouterr().out


def test_points_have_the_dimensions_that_they_are_said_to_have():
    falling, folded = matcher.falling(4_000), matcher.folded(4_000)
    torch.testing.assert_close(falling.std(0), torch.arange(1, 51).rsqrt(), rtol=0.1, atol=0)
    covariance = folded.T.cov()
    assert (covariance - covariance.diag().diag()).abs().max() < 1e-3 * covariance.max(), "rotated by PCA"
    assert torch.equal(covariance.diag().sort(descending=True).values, covariance.diag())
    assert 8 < intrinsic_dimension(folded) < 16 < intrinsic_dimension(falling)


def intrinsic_dimension(points, neighbors=20):
    """The maximum likelihood estimate of Levina and Bickel (2004), the mean over points as MacKay takes it."""
    distances = torch.cdist(points, points).topk(neighbors + 1, largest=False).values[:, 1:]
    return float(1 / (distances[:, -1:] / distances[:, :-1]).log().mean())


def test_a_bare_loop_gives_the_same_scores():
    network = LeNet((1, 28, 28), 10).eval()
    images = torch.randint(256, (150, 1, 28, 28), generator=generator(0)).to(torch.uint8)
    found = predict(network, images, torch.arange(150), scores.entropy)
    assert found.std() > 0
    torch.testing.assert_close(scoring.bare(network, images / 255), found)


def own_fraction(monkeypatch, folder):
    """The loop's own fraction in a tiny run."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(cycle, "NUM_TRAIN", 60)
    monkeypatch.setattr(cycle, "NUM_TEST", 20)
    found, _ = cycle.own_share(Linear, 2, labeled=20, query_size=10, batch_size=10, cycles=2)
    assert not list((folder / "outputs").iterdir()), "nothing is left"
    return found


def slowed(kind, method, monkeypatch):
    """Stops the clock, but for 0.2 s in every call of a method: nothing that the machine does moves it."""
    before, now = getattr(kind, method), [0.0]

    def slow(self, *arguments):
        now[0] += 0.2
        return before(self, *arguments)

    monkeypatch.setattr(kind, method, slow)
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])


def test_storing_counts_as_the_loops_own(tmp_path, monkeypatch):
    slowed(RunStore, "write", monkeypatch)
    assert own_fraction(monkeypatch, tmp_path) == 1


@pytest.mark.parametrize(
    ("part", "method"),
    [
        (cycle.Supervised, "fit"),
        (cycle.Uncertainty, "query"),
        (cycle.GroundTruth, "label"),
        (cycle.Accuracy, "evaluate"),
    ],
)
def test_the_parts_do_not_count_as_the_loops_own(tmp_path, monkeypatch, part, method):
    slowed(part, method, monkeypatch)
    assert own_fraction(monkeypatch, tmp_path) == pytest.approx(0)


def test_help_is_what_is_started():
    assert b"strategy" in command._help(0)


def test_the_first_line_of_a_cell_says_which_run_it_is(tmp_path):
    """Waited for, and the process is gone then."""
    begun = []

    def start(words, log):
        says = "import time; print('first', flush=True); time.sleep(60)"
        with log.open("ab") as file:
            begun.append(subprocess.Popen([sys.executable, "-c", says, *words], stdout=file))
        return begun[-1]

    assert sweep_start.said_by(start, str(tmp_path), 3) == "first"
    assert begun[0].returncode == -9 and "seed=3" in begun[0].args


def test_a_key_that_is_lost_or_late_is_missed(monkeypatch):
    def rows(pressed):
        monkeypatch.setattr(labeling, "press", lambda keys, seconds: pressed)
        monkeypatch.setattr(labeling, "chromium", lambda: "chromium")
        return [row.missed for row in labeling.measure(20)]

    assert rows(labeling.Pressed([0.05] * 19 + [0.5], 20)) == [False, False]
    assert rows(labeling.Pressed([0.05] * 18 + [0.5] * 2, 20)) == [True, False]
    assert rows(labeling.Pressed([0.05] * 20, 19)) == [False, True]
    monkeypatch.setattr(labeling, "chromium", lambda: None)
    assert [row.missed for row in labeling.measure(20)] == [True, True], "nothing was measured"


def test_recall_in_a_mapped_file_is_of_other_queries_than_were_tuned_on(monkeypatch, tmp_path):
    monkeypatch.setattr(matcher_mapped, "apart", lambda task, *arguments: task(*arguments))
    monkeypatch.setattr(matcher_mapped, "BLOCK", 700)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    rows = list(matcher_mapped.measure((1000, 3000)))
    kinds = list(matcher_mapped.KINDS)
    sizes = ["1,000, {}, recall", "3,000, {}, recall", "3,000, {}, memory"]
    assert [row.name for row in rows] == ["ivf_pq " + name.format(kind) for kind in kinds for name in sizes]
    assert all(row.value > 0.9 for row in rows if row.name.endswith("recall"))
    assert "3,000 x 50 in a mapped file of 0.0 GiB: " in rows[1].how and " of 27 lists" in rows[1].how
    assert 0.05 < rows[2].value < 3 and not list(tmp_path.iterdir())
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=0))
    skipped = next(iter(matcher_mapped.measure((10**8,))))
    assert skipped.how == f"skipped: 18.6 GiB more are needed in {tmp_path}" and not skipped.missed


def test_points_of_the_mapped_file_are_as_those_of_the_others():
    """In deviation by dimension; folded ones by as many dimensions, turned so that the first varies most."""
    for kind, points in (
        ("deviation 1/sqrt(rank)", matcher.falling(4000)),
        ("intrinsic dimension 12", matcher.folded(4000)),
    ):
        rng = generator(1)
        others = matcher_mapped.KINDS[kind](rng)(4000, rng)
        torch.testing.assert_close(others.std(0), points.std(0), atol=0.02 * float(points.std(0).max()), rtol=0.15)


def test_memory_and_seconds_of_pools_that_grow(monkeypatch):
    monkeypatch.setattr(million, "apart", lambda task, *arguments: task(*arguments))
    names = {"entropy": {}, "kmeans": {"library": "faiss"}, "k_median": {"subset": 150}}
    rows = list(million.measure((200, 400), 7, names))
    assert [row.name for row in rows] == [f"{name}, memory at 400 x 512" for name in names]
    assert all(str(row.goal) == "at most 6.0 GiB" and not row.missed for row in rows)
    assert rows[2].how.startswith("7 asked, subset=150: ") and "exponent" in rows[2].how
    taken = [(1.0, 2**30), (2.0, 2**31), (20.0, 7 * 2**30)]
    missed = million.row("slow", {}, (10, 100, 1000), 5, taken)
    assert missed.missed and missed.how.endswith("20.0 s and 7.00 GiB at 1,000; exponent 1.00")


@pytest.mark.parametrize("name", million.STRATEGIES)
def test_each_strategy_of_the_million_is_one(name):
    query = million.made(name, million.STRATEGIES[name]).query(
        million.made_model(), million.made_pool(300), 20, generator(0)
    )
    assert len(set(query.indices.tolist())) == 20


def test_what_a_minute_reaches_needs_the_pictures(monkeypatch, tmp_path):
    """Three networks, each for as many epochs as fit; two rows beside all_cnn."""
    assert list(fast.measure(pictures=tmp_path / "none")) == []
    images = torch.randint(256, (40, 3, 32, 32), generator=generator(0)).to(torch.uint8)
    split = Split(images, torch.arange(40) % 2)
    monkeypatch.setattr(fast, "cifar10", lambda *_: Dataset(split, None, split, 2, ("one", "other")))
    rows = list(fast.measure(0.01, 20, tmp_path))
    assert [row.name for row in rows] == [
        f"{name}, accuracy after 0 s / all_cnn's" for name in ("fast_cnn", "small_resnet")
    ]
    assert [str(row.goal) for row in rows] == ["at least 1.000 x", "None"]
    assert all("1 epochs" in row.how for row in rows)
