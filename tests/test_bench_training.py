"""The bench's claims on trainings: the two sides of each compute the same."""

import dataclasses
import json
import time
from functools import partial
from pathlib import Path

import pytest
import torch

from al_bench.active.inputs import read_all
from al_bench.dataset import Dataset, Split
from al_bench.network.lenet import LeNet
from al_bench.network.linear import Linear
from al_bench.seeding import generator
from al_bench.storage.store import RunStore
from benchmarks import (
    Goal,
    Pairs,
    cycle,
    fast,
    fit,
    gan,
    packed,
)


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


@pytest.mark.parametrize(("change", "agrees"), [({}, True), ({"num_critic": 4}, False), ({"penalty_weight": 9}, False)])
def test_a_short_game_has_to_move_the_weights_as_by_hand(change, agrees):
    ours = dataclasses.replace(gan.tables_gan((4, 8, 16), 2), **change)
    assert gan.begin_alike(ours, gan.made_images(), 2) is agrees


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


@pytest.mark.parametrize(("changed", "agrees"), [(0.0, True), (2e-5, False)])
def test_a_game_that_goes_elsewhere_is_seen_on_a_cpu(changed: float, agrees: bool) -> None:
    """By a fifth of one of its ten steps, on every weight."""
    ours, images = gan.tables_gan((4, 8, 16), 2), gan.made_images()
    networks = gan.by_hand(ours, images)
    with torch.no_grad():
        for weights in networks.parameters():
            weights.add_(changed)
    assert gan.agree(ours, images, Pairs([1.0], [1.0], [(networks, networks)])) is agrees
