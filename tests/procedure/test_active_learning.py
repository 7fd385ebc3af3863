"""The loop on real digits, in this process: what is stored, what is shared, what goes on."""

import json

import made_generators
import pytest
import torch
from composing import compose, part, run_id
from pictures import fill
from safetensors.torch import load_file

from al_bench.active.part import hash_of
from al_bench.active.query import Lowest, PoolQuery, SyntheticQuery
from al_bench.config.identity import identify
from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.evaluator.accuracy import Accuracy
from al_bench.evaluator.gan_quality import GanQuality
from al_bench.evaluator.mean_iou import MeanIou
from al_bench.files import read_json
from al_bench.learner.supervised import Supervised
from al_bench.oracle.ground_truth import GroundTruth
from al_bench.procedure.active_learning import Settings
from al_bench.procedure.terminal import cycle_line, cycle_table
from al_bench.seeding import generator
from al_bench.storage.record import read_record
from al_bench.storage.store import RunStore
from al_bench.strategy.random import Random
from al_bench.strategy.uncertainty import Uncertainty
from al_bench.training.cost import add_cost, measure_apart
from run import instantiated

FAST = ("learner.epochs=3", "loop.initial_size=20", "loop.query_size=15", "dataset.max_images=300")


def run(folder, *overrides, budget=65):
    """Runs a cell of digits in `folder`; returns its records."""
    config = compose("gan=none", *FAST, f"loop.budget={budget}", f"paths.outputs={folder}", "device=cpu", *overrides)
    identity = identify(config)
    with RunStore(folder / hash_of(identity), identity, {}) as store:
        instantiated(config.procedure).run(store)
        return [record.plain() for record in store.records]


def comparable(records):
    """All of the records but what a clock or the memory says."""
    clocks = ("effort", "commit", "sha256_record", "run")
    return [{key: value for key, value in record.items() if key not in clocks} for record in records]


def test_a_run_of_entropy(tmp_path):
    records = run(tmp_path, "strategy=entropy")
    assert [record["annotations"] for record in records] == [20, 35, 50, 65]
    assert [record["unlabeled"] for record in records] == [280, 265, 250, 235]
    assert [sum(record["class_counts"]) for record in records] == [20, 35, 50, 65]
    labeled = [index for record in records for index in record["query"]["indices"]]
    assert len(set(labeled)) == 65
    first, second = records[:2]
    assert first["chosen_entropy"] is None
    assert second["chosen_entropy"] == pytest.approx(sum(second["query"]["scores"]) / 15, rel=1e-5)
    assert second["query"]["scores"] == sorted(second["query"]["scores"], reverse=True)
    assert second["query"]["entropies"] == pytest.approx(second["query"]["scores"], rel=1e-4)
    assert records[3]["effort"]["fit"]["optimizer_steps"] == 3 * 5  # 65 in batches of 16
    assert records[3]["effort"]["fit"]["images_seen"] == 3 * 65
    labels = part("dataset", "gan=none", *FAST).train.labels
    assert second["query"]["labels"] == labels[torch.tensor(second["query"]["indices"])].tolist()


class Recording(Random):
    """Looks at the whole pool for a reader alone."""

    def query(self, model, pool, size, rng):
        query = super().query(model, pool, size, rng)
        with measure_apart("scan"):
            add_cost(optimizer_steps=1, images_seen=len(pool))
        return query


def test_what_a_strategy_records_alone_is_a_cost_of_its_own(tmp_path, monkeypatch):
    config = compose("gan=none", *FAST, "strategy=random", "loop.budget=35", f"paths.outputs={tmp_path}", "device=cpu")
    procedure = instantiated(config.procedure)
    procedure.strategy = Recording()
    with RunStore(tmp_path / "made", {"part": "made"}, {}) as store:
        procedure.run(store)
        first, second = store.records
    assert set(first.costs) == {"query", "fit", "evaluate"}
    assert (second.costs["scan"].optimizer_steps, second.costs["scan"].images_seen) == (1, 300)
    assert second.costs["query"].images_seen == 0
    table = cycle_table([first, second])
    names, _, initial, _ = table.splitlines()[1:]
    assert "scan s" in table and "likelihood" in names and "negative log" not in names, "headings are broken"
    assert initial.split()[-1] == "-", "nothing was scanned for the initial labels"


class Breaking(Random):
    """Gives what it was made with, not what it promises."""

    def __init__(self, broken):
        self.broken = broken

    def query(self, model, pool, size, rng):
        return self.broken(pool, super().query(model, pool, size, rng).indices)


def lowest(indices, last):
    return PoolQuery(indices, lowest=Lowest(last, torch.zeros(len(last))))


def free_of(pool, indices):
    return pool.unlabeled[~torch.isin(pool.unlabeled, indices)]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (lambda pool, indices: PoolQuery(indices[1:]), "asked for 14 and not 15"),
        (lambda pool, indices: PoolQuery(indices[[0, *range(14)]]), "asked for an image twice"),
        (lambda pool, indices: PoolQuery(pool.labeled[:15]), "asked for an image that is not unlabeled"),
        (lambda pool, indices: PoolQuery(indices - len(pool)), "asked for an image that is not unlabeled"),
        (lambda pool, indices: PoolQuery(indices.float()), "has indices that are no"),
        (lambda pool, indices: PoolQuery(indices.tolist()), "has indices that are no"),
        (lambda pool, indices: PoolQuery(indices, scores=torch.zeros(3)), "has scores that are no tensor of its 15"),
        (lambda pool, indices: PoolQuery(indices, scores=["high"] * 15), "has scores that are no tensor of its 15"),
        (
            lambda pool, indices: PoolQuery(indices, trace={"gap": torch.zeros(2)}),
            "has gap that is no tensor with a row",
        ),
        (lambda pool, indices: PoolQuery(indices, trace={"gap": 0.5}), "has gap that is no tensor with a row"),
        (lambda pool, indices: PoolQuery(indices, torch.tensor(0)), "has ranks that is no tensor with a row"),
        (lambda pool, indices: PoolQuery(indices, lowest=indices), "has as its lowest what is no Lowest"),
        (lambda pool, indices: lowest(indices, pool.labeled[:1]), "among its lowest an image that is not unlabeled"),
        (lambda pool, indices: lowest(indices, indices[:1] - len(pool)), "among its lowest an image that is not"),
        (lambda pool, indices: lowest(indices, indices[:1]), "among its lowest an image that is .* asked for"),
        (
            lambda pool, indices: lowest(indices, free_of(pool, indices)[:11]),
            "names 11 images of the lowest",
        ),
        (
            lambda pool, indices: PoolQuery(
                indices, lowest=Lowest(free_of(pool, indices)[:2], torch.tensor([0.5, torch.nan]))
            ),
            "has lowest scores that do not come lowest first",
        ),
        (lambda pool, indices: lowest(indices, free_of(pool, indices)[[0, 0]]), "an image twice among its lowest"),
        (
            lambda pool, indices: PoolQuery(indices, lowest=Lowest(free_of(pool, indices)[:2], torch.zeros(1))),
            "has as its lowest no .* with as many scores",
        ),
        (lambda pool, indices: lowest(indices, indices[:1].float()), "has as its lowest no .* int64 positions"),
        (lambda pool, indices: indices, "returned a Tensor and no PoolQuery"),
        (lambda pool, indices: SyntheticQuery(pool.inputs[indices[1:], None]), "asked for 14 and not 15"),
    ],
)
def test_a_query_that_breaks_its_promise_is_refused_and_what_was_done_is_kept(tmp_path, broken, words):
    config = compose("gan=none", *FAST, "strategy=random", "loop.budget=50", f"paths.outputs={tmp_path}", "device=cpu")
    procedure = instantiated(config.procedure)
    procedure.strategy = Breaking(broken)
    with RunStore(tmp_path / "made", {"part": "made"}, {}) as store:
        with pytest.raises(UserError, match=words) as refused:
            procedure.run(store)
        assert len(store.records) == 1
    assert str(refused.value).startswith(f"{__name__}.Breaking.query ")
    assert str(refused.value).endswith("it has to ask for exactly 15, distinct and unlabeled")


@pytest.mark.parametrize("name", ["inputs", "labels", "labeled", "unlabeled"])
def test_a_strategy_that_writes_into_the_pool_is_refused(tmp_path, name):
    """A start anew would go on from another pool."""
    config = compose("gan=none", *FAST, "strategy=random", "loop.budget=50", f"paths.outputs={tmp_path}", "device=cpu")
    procedure = instantiated(config.procedure)

    def write(pool, indices):
        getattr(pool, name).mul_(1)
        return PoolQuery(indices)

    procedure.strategy = Breaking(write)
    words = f"{__name__}.Breaking.query wrote into a tensor of the pool"
    with RunStore(tmp_path / "made", {"part": "made"}, {}) as store, pytest.raises(UserError, match=words):
        procedure.run(store)


def test_a_metric_that_is_not_finite_is_shown_as_that(tmp_path):
    records = [read_record(record) for record in run(tmp_path, "strategy=random", budget=35)]
    broken = {"fid": None, "modes": 9.0, "num_samples": 5000.0, "class_gan_test": [None, 0.5]}
    shown = [
        record.model_copy(update={"metrics": metrics})
        for record, metrics in zip(records, (broken, {**broken, "fid": 12.5}), strict=True)
    ]
    assert "fid nan" in cycle_line(shown[0])
    names, _, first, second = cycle_table(shown).splitlines()
    assert "class" not in names
    assert [first.split()[2:5], second.split()[2:5]] == [["nan", "9", "5,000"], ["12.5000", "9", "5,000"]]
    one_class = [record.model_copy(update={"metrics": {"modes": 1.0, "gan_test": 1.0}}) for record in records]
    _, _, first, _ = cycle_table(one_class, GanQuality.scalars).splitlines()
    assert first.split()[2:4] == ["1", "1.0000"], "a collapsed generator's modes are a number, too"


def test_a_generator_is_measured_in_every_cycle_even_where_its_pixels_are_no_numbers(tmp_path):
    """The second cycle's model is broken: its numbers are stored as nothing, the third's are there again."""
    few = ("evaluator.samples=40", "evaluator.splits=2", "evaluator.columns=2", "scale=smoke", "loop.every_class=false")
    config = compose("gan=none", "evaluator=gan_quality", "strategy=random", f"paths.outputs={tmp_path}", *few)
    procedure = instantiated(config.procedure)
    procedure.dataset, procedure.learner = made_generators.dataset(), made_generators.Paints(broken=[1])
    with RunStore(tmp_path / "made", {"part": "made"}, {}) as store:
        procedure.run(store)
        records, tensors = store.cycle_records, [store.tensors(index) for index in range(3)]
    good, broken, again = (record.metrics for record in records)
    assert good == again and good["gan_test"] is not None
    assert (broken["gan_test"], broken["fid_own"], broken["gan_train"]) == (None, None, None)
    assert (broken["num_samples"], broken["num_real"]) == (40, 80)
    assert all(found["samples"].shape == (4, 2, 1, 8, 8) for found in tensors)
    assert "gan_train" in records[0].costs and records[0].costs["evaluate"].optimizer_steps == 0
    table = cycle_table(records, procedure.evaluator.scalars)
    assert "IS-own" in table.splitlines()[0] and "nan" in table.splitlines()[4]
    assert "GAN-test nan" in cycle_line(records[1], procedure.evaluator.scalars)


def test_strategies_of_a_seed_share_the_whole_of_round_0(tmp_path):
    first = {}
    for strategy in ("random", "entropy", "coreset"):
        records = run(tmp_path, f"strategy={strategy}", budget=35)
        first[strategy] = json.dumps(comparable(records[:1]))
    assert len(set(first.values())) == 1
    other = comparable(run(tmp_path, "strategy=random", "seed=1", budget=35)[:1])
    assert other[0]["query"]["indices"] != json.loads(first["random"])[0]["query"]["indices"]


def test_an_observed_run_is_another_one_of_the_same_results(tmp_path):
    plain = comparable(run(tmp_path, "strategy=entropy", budget=35))
    seen = run(tmp_path, "strategy=entropy", "loop.observe_every=2", budget=35)
    assert "observed" not in plain[0]
    for record, steps in zip(seen, (6, 9), strict=True):  # three passes over 20 and 35 in batches of 16
        observed = record["observed"]
        assert observed["iteration"] == [*range(2, steps, 2), steps]
        assert list(observed) == ["iteration", "seconds", "accuracy", "negative_log_likelihood", "calibration_error"]
        assert observed["accuracy"][-1] == record["metrics"]["accuracy"]
        assert record["effort"]["observe"]["seconds"] > 0
        assert record["effort"]["observe"]["optimizer_steps"] == 0
        assert record["effort"]["fit"]["optimizer_steps"] == steps
    assert [{**record, "observed": {}} for record in comparable(seen)] == [{**one, "observed": {}} for one in plain]
    weights = [path.read_bytes() for path in tmp_path.glob("*/cycles/001.model.safetensors")]
    assert len(weights) == 2, "who asks for a trace is not shown a run without one"
    assert weights[0] == weights[1]
    table = cycle_table([read_record(record) for record in seen])
    assert "observe s" in table


@pytest.mark.parametrize("first", [35, 40])
def test_raising_the_budget_goes_on(tmp_path, first, caplog):
    """A last query that the smaller one had cut, of 5 and not 15, is asked anew: both runs bear one id."""
    uncut = run(tmp_path / "uncut", "strategy=entropy", budget=65)
    run(tmp_path / "raised", "strategy=entropy", budget=first)
    raised = run(tmp_path / "raised", "strategy=entropy", budget=65)
    assert comparable(raised) == comparable(uncut)
    said = "cycle 2 asked for 5, to which a smaller budget had cut the 15 of its query: kept as 002"
    assert (said in caplog.text) is (first == 40)
    assert len(list(tmp_path.rglob("*.cut-1"))) == (3 if first == 40 else 0), "nothing computed is lost"
    weights = [
        next((tmp_path / name).glob("*/cycles/003.model.safetensors")).read_bytes() for name in ("uncut", "raised")
    ]
    assert weights[0] == weights[1]


def test_the_last_query_takes_what_the_budget_leaves(tmp_path):
    assert [record["annotations"] for record in run(tmp_path, "strategy=random", budget=40)] == [20, 35, 40]


def test_the_pool_may_be_labeled_to_its_end(tmp_path):
    records = run(tmp_path, "strategy=entropy", "dataset.max_images=40", budget=1000)
    assert [record["unlabeled"] for record in records] == [20, 5, 0]


def test_full_supervision_is_one_cycle(tmp_path):
    records = run(tmp_path, "strategy=full", "loop.initial_size=inf", "loop.budget=inf")
    assert [record["annotations"] for record in records] == [300]


def test_full_supervision_takes_no_smaller_budget(tmp_path):
    with pytest.raises(UserError, match=r"^loop.budget=50 is smaller than the 300 images .*: use loop.budget=inf, or"):
        run(tmp_path, "strategy=full", "loop.initial_size=inf", budget=50)


def test_stop_at_ends_a_run_early(tmp_path):
    records = run(tmp_path, "strategy=random", "loop.stop_at={accuracy: 0.01}", budget=200)
    assert len(records) == 1


def test_a_noisy_oracle_costs_what_it_does_not_tell(tmp_path):
    records = run(tmp_path, "strategy=random", "oracle=noisy", "oracle.abstain=0.5", budget=35)
    assert records[1]["annotations"] == 35
    told = sum(label >= 0 for record in records for label in record["query"]["labels"])
    assert 0 < told < 35
    assert sum(records[1]["class_counts"]) == told


def test_label_maps_go_through_the_same_loop(tmp_path):
    records = run(
        tmp_path, "dataset=shapes_seg", "strategy=entropy", "loop.initial_size=4", "loop.query_size=2",
        "dataset.max_images=12", budget=8,
    )  # fmt: skip
    assert [record["annotations"] for record in records] == [4, 6, 8]
    assert 0 <= records[-1]["metrics"]["mean_iou"] <= 1
    assert records[-1]["query"]["labels"] is None


def test_mal_asks_for_label_maps(tmp_path):
    records = run(tmp_path, "strategy=mal", "dataset=shapes_seg", "scale=smoke", "dataset.max_images=30", budget=30)
    assert [record["annotations"] for record in records] == [20, 30]


LINES = ("strategy=adba", "gan=wgan_gp", "+dataset.classes=[3,8]", "network=linear")
ADBA = (
    *LINES, "gan.iterations=10", "representation.encoder.iterations=20", "representation.steps=3",
    "oracle.learner.epochs=3",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["boundary", "labels"])
def test_a_line_is_one_annotation_of_eleven_images(tmp_path, loss):
    records = run(tmp_path, *ADBA, f"learner.loss={loss}", "oracle.min_confidence=0.6", budget=50)
    assert [record["annotations"] for record in records] == [20, 35, 50]
    assert len({record["unlabeled"] for record in records}) == 1, "a line labels images that are not the pool's"
    labels = records[1]["query"]["labels"]
    assert [len(line) for line in labels] == [11] * 15
    told = sum(label >= 0 for record in records[1:] for line in record["query"]["labels"] for label in line)
    assert sum(records[2]["class_counts"]) == 20 + told < 20 + 30 * 11, "some could not be told"
    tensors = load_file(next(tmp_path.glob("*/cycles/002.safetensors")))
    assert tensors["shown"].shape == (15, 11, 1, 8, 8)
    assert tensors["synthetic"].shape[:2] == (15, 11)
    first = load_file(next(tmp_path.glob("*/cycles/001.safetensors")))
    assert not set(first["trace.position"].tolist()) & set(tensors["trace.position"].tolist())


@pytest.mark.slow
def test_lines_are_known_again_when_a_run_goes_on(tmp_path):
    uncut = run(tmp_path / "uncut", *ADBA, budget=50)
    run(tmp_path / "raised", *ADBA, budget=35)
    assert comparable(run(tmp_path / "raised", *ADBA, budget=50)) == comparable(uncut)


def test_a_failed_training_names_cycle_step_and_seed_and_keeps_what_was_done(tmp_path, monkeypatch):
    run(tmp_path, "strategy=random", budget=35)
    fit = Supervised.fit

    def diverging(self, *arguments):
        raise FloatingPointError("cross_entropy is nan at step 7")

    monkeypatch.setattr(Supervised, "fit", diverging)
    with pytest.raises(UserError, match="cycle 2, seed 0: cross_entropy is nan at step 7"):
        run(tmp_path, "strategy=random", budget=65)
    monkeypatch.setattr(Supervised, "fit", fit)
    assert len(run(tmp_path, "strategy=random", budget=65)) == 4


def test_a_learning_rate_that_explodes_ends_with_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"cycle 0, seed 0: cross_entropy is (nan|inf) at step \d+"):
        run(tmp_path, "strategy=random", "learner.optimizer={_target_: torch.optim.SGD, _partial_: true, lr: 1e30}")


def test_a_gan_that_explodes_ends_with_one_sentence(tmp_path):
    rate = "gan.discriminator_optimizer.lr=1e30"
    with pytest.raises(
        UserError,
        match=r"before cycle 0, seed 0: the gan, which is trained once: discriminator_loss is (nan|inf) at step \d+",
    ):
        run(tmp_path, "strategy=asal_auto", "gan=wgan_gp", "gan.iterations=20", rate)
    assert not list(tmp_path.rglob("artifacts/gan/*.json"))


MAPS = (
    "dataset=shapes_seg", "strategy=entropy", "loop.initial_size=4", "loop.query_size=2", "dataset.train_size=12",
    "dataset.test_size=4", "dataset.max_images=null", "learner.epochs=1",
)  # fmt: skip
MIXED = "+learner.mixing={_target_: al_bench.training.cut_mix.CutMix, probability: 0.5}"


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["loop.budget=10"], r"loop\.budget=10 .*loop\.initial_size=20"),
        (["loop.query_size=301"], r"loop\.query_size=301 .*300 images"),
        (["loop.initial_size=400", "loop.budget=500"], r"loop\.initial_size=400 .*300 images"),
        (["loop.stop_at={acuracy: 0.9}"], r"loop\.stop_at .*acuracy, .*accuracy, "),
        (["loop.stop_at={accuracy: 2}"], r"loop\.stop_at\.accuracy=2 .* 0 to 1"),
        (["device=cpu:5"], r"device=cpu:5 .*auto, cpu, cuda or cuda:1"),
        (["strategy=asal_auto", "gan=wgan_gp", "loop.initial_size=5"], r"loop\.initial_size=5 .*10 classes"),
        (
            ["strategy=asal_auto", "gan=wgan_gp", f"feature.network.channels={[1] * 9}"],
            r"decoder_channels=\[16\] .*one shorter than channels",
        ),
        (["strategy=asal_auto", "gan=wgan_gp", "gan.generator.kernel_size=4"], r"kernel_size=4 .*an odd one"),
        (
            [*LINES, "representation.encoder.network.kernel_size=4"],
            r"kernel_size=4 .*an odd one",
        ),
        (["device=cuda"], r"device=cuda .*device=cpu"),
        (["device=tpu"], r"device=tpu .*auto, cpu, cuda or cuda:1"),
        (
            ["network=linear", "strategy=bald"],
            r"^strategy=bald or mc_entropy .*dropout, .*network=lenet.* network=small_cnn",
        ),
        (
            ["representation=autoencoder", "network=linear", "strategy=asal_auto", "gan=wgan_gp"],
            r"representation=none",
        ),
        (
            ["dataset=shapes_seg", "strategy=gaal", "gan=wgan_gp", "network=small_fcn", "learner=supervised"],
            r"^strategy=gaal .*synthetic .*pixels.* strategy=mal",
        ),
        (
            [*MAPS, MIXED],
            r"^learner\.mixing weighs two labels by their shares .*: use learner\.mixing=null",
        ),
        (
            ["network=small_cnn", "network.dropout=0", "strategy=bald"],
            r"^strategy=bald .*asks .* for dropout, and network=small_cnn drops nothing: use network\.dropout=0\.5",
        ),
        (["strategy=mal", "network=small_cnn", "precision=16-mixed"], r"^learner=mal updates .*: use bf16-mixed"),
        (
            ["representation=autoencoder", "network=linear", MIXED],
            r"^learner\.mixing needs images .* got inputs of \d+ numbers, .*representation=none",
        ),
        (
            [
                *MAPS,
                "+learner.loss={_target_: hydra.utils.get_method, path: "
                "al_bench.training.losses.smoothed_cross_entropy}",
            ],
            r"^learner\.loss=smoothed_cross_entropy is no loss of label maps: use .*cross_entropy or hinge",
        ),
        (
            ["strategy=labeledness", "learner=mal", "learner.discriminator=false", "network=small_cnn"],
            r"labeledness, which network=small_cnn, trained by learner=mal, .*use learner.discriminator=true",
        ),
        (["strategy=vaal", "strategy.image_size=20"], r"strategy.image_size=32"),
        (
            ["strategy=gaal", "gan=wgan_gp", "oracle=ground_truth"],
            r"oracle=classifier",
        ),
        (["strategy=adba", "gan=wgan_gp", "network=linear"], r"learner=boundary .* 10"),
        ([*LINES, "network=small_cnn"], r"network=small_cnn .*network=linear"),
        ([*LINES, "representation=autoencoder"], r"representation=latent"),
        ([*LINES, "gan=none"], r"gan=none"),
        ([*LINES, "oracle=noisy"], r"oracle=classifier"),
        ([*LINES, "representation=none", "learner=supervised"], r"^strategy=adba .*representation=none"),
        (["strategy=learning_loss", "learner=supervised"], r"predicted_loss, .*learner=learning_loss"),
        (["network=lenet5"], r"lenet5.* needs .*\(1, 8, 8\)"),
    ],
)
def test_bad_input_ends_before_any_training(tmp_path, overrides, sentence, monkeypatch):
    def train(*arguments, **options):
        raise AssertionError("something was trained")

    monkeypatch.setattr("al_bench.training.fit.Fitter.fit", train)
    if torch.cuda.is_available() and "device=cuda" in overrides:
        pytest.skip("a GPU is there")
    with pytest.raises(UserError, match=sentence):
        run(tmp_path, "strategy=random", *overrides)
    assert not list(tmp_path.glob("*/cycles/*.json"))


def test_a_strategy_that_looks_at_labels_is_stopped(tmp_path, monkeypatch):
    def peek(self, dataset, artifacts):
        return dataset.train.labels[:3]

    monkeypatch.setattr(Uncertainty, "prepare", peek)
    with pytest.raises(PermissionError, match="see no hidden label"):
        run(tmp_path, "strategy=entropy")


VALIDATED = ("dataset=fashion_mnist", "network=lenet5", "strategy=random")


def made_of_clothes(monkeypatch, validation=40):
    """Fashion-MNIST's place in a run, small."""
    rng = generator(0)

    def split(size):
        labels = torch.randint(10, (size,), generator=rng)
        images = torch.randint(100, (size, 1, 28, 28), generator=rng) + 15 * labels[:, None, None, None]
        return Split(images.to(torch.uint8), labels)

    made = Dataset(split(120), split(validation) if validation else None, split(30), 10, tuple("0123456789"))
    monkeypatch.setattr("al_bench.dataset.fashion_mnist.fashion_mnist", lambda **_: made)
    return made


CLOTHES = (*VALIDATED, "recipe.initial_size=20", "recipe.query_size=15", "learner.epochs=4")


def clothes(folder, *overrides, budget):
    config = compose(*CLOTHES, f"loop.budget={budget}", f"paths.outputs={folder}", "device=cpu", *overrides)
    identity = identify(config)
    with RunStore(folder / hash_of(identity), identity, {}) as store:
        instantiated(config.procedure).run(store)
        return [record.plain() for record in store.records]


def test_how_many_pictures_were_left_out_is_stored_and_moves_no_id(tmp_path):
    root = fill(tmp_path / "mine", {"train": 20, "test": 4})
    overrides = ("dataset=image_folder", f"dataset.root={root}", "dataset.image_size=28", "strategy=random")
    assert run_id(*overrides, "dataset.broken=skip") == run_id(*overrides)
    for name in ("train/cat/0.png", "train/dog/3.png", "test/owl/1.png"):
        (root / name).write_bytes(b"")
    records = run(tmp_path / "out", *overrides, "dataset.broken=skip", "learner.epochs=1", budget=35)
    assert [record["skipped_pictures"] for record in records] == [3, 3]
    assert records[0]["unlabeled"] == 58 - 20


def test_validation_labels_are_free_where_the_recipe_says_so(tmp_path, monkeypatch):
    made_of_clothes(monkeypatch)
    records = clothes(tmp_path, budget=35)
    assert [record["annotations"] for record in records] == [20, 35]
    assert [record["validation_labels"] for record in records] == [40, 40]


def test_and_count_as_annotations_where_it_does_not(tmp_path, monkeypatch):
    made_of_clothes(monkeypatch)
    records = clothes(tmp_path, "loop.free_validation=false", budget=75)
    assert [record["annotations"] for record in records] == [60, 75]
    with pytest.raises(UserError, match=r"loop\.budget=50 .*40 validation labels .*20 "):
        clothes(tmp_path, "loop.free_validation=false", budget=50)


def test_only_the_training_sees_the_validation_split(tmp_path, monkeypatch):
    made, seen = made_of_clothes(monkeypatch), []
    query, fit = Random.query, Supervised.fit
    monkeypatch.setattr(
        Random, "query", lambda self, model, pool, *rest: (seen.append(pool), query(self, model, pool, *rest))[1]
    )
    monkeypatch.setattr(Supervised, "fit", lambda self, pool, *rest: (seen.append(pool), fit(self, pool, *rest))[1])
    clothes(tmp_path, budget=35)
    fitted, queried, again = seen
    assert queried.validation is None
    for pool in (fitted, again):
        assert torch.equal(pool.validation[1], made.validation.labels)
    seen.clear()
    clothes(tmp_path, "learner.early_stopping=null", budget=20)
    assert seen[0].validation is None


def test_early_stopping_without_a_validation_split_is_refused(tmp_path, monkeypatch):
    made_of_clothes(monkeypatch, validation=0)
    with pytest.raises(UserError, match=r"learner\.early_stopping .*validation"):
        clothes(tmp_path, budget=35)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["strategy=waal", "network=linear"], r"network=linear .*network=lenet5"),
        (["strategy=waal", "learner=supervised"], r"^strategy=waal .*critic, .*learner=waal"),
    ],
)
def test_waal_without_its_parts_is_refused(tmp_path, overrides, sentence):
    with pytest.raises(UserError, match=sentence):
        run(tmp_path, *overrides)


def test_waal_runs_to_the_end_of_its_pool_and_comes_back(tmp_path):
    records = run(tmp_path, "strategy=waal", "loop.query_size=100", budget="inf")
    assert [record["unlabeled"] for record in records] == [280, 180, 80, 0], (
        "labels outnumber images, then none is left"
    )
    recorded = {"uncertainty", "critic", "by_uncertainty", "critic_of_pool", "critic_of_labeled"}
    assert recorded == records[1]["trace"].keys()
    assert comparable(run(tmp_path, "strategy=waal", "loop.query_size=100", budget="inf")) == comparable(records)


@pytest.mark.parametrize("overrides", [("strategy=entropy",), MAPS], ids=["classes", "maps"])
def test_labels_are_stored_where_the_oracle_is_not_the_truth(tmp_path, monkeypatch, overrides):
    """Cycles from before, which hold all labels, are gone on with, and what follows is the same."""
    budgets = (8, 6) if overrides is MAPS else (50, 35)
    uncut = run(tmp_path / "uncut", *overrides, budget=budgets[0])
    assert not any("labels" in load_file(path) for path in (tmp_path / "uncut").glob("*/cycles/00?.safetensors"))
    monkeypatch.setattr(GroundTruth, "is_truth", False)
    run(tmp_path / "old", *overrides, budget=budgets[1])
    before = [load_file(path)["labels"] for path in (tmp_path / "old").glob("*/cycles/00?.safetensors")]
    assert len(before) == 2 and all(len(labels) for labels in before)
    monkeypatch.undo()
    for folder, budget in (("old", budgets[0]), ("cut", budgets[1]), ("cut", budgets[0])):
        resumed = run(tmp_path / folder, *overrides, budget=budget)
    for records in (resumed, [record.plain() for record in stored(tmp_path / "old")]):
        assert [whole_but_file(record) for record in comparable(records)] == [
            whole_but_file(record) for record in comparable(uncut)
        ]


def stored(folder):
    """The records in the folder of one run, read by themselves."""
    return [read_record(read_json(path)) for path in sorted(folder.glob("*/cycles/00?.json"))]


def whole_but_file(record):
    """All but the sum of the cycle's tensors; that of the model stays."""
    return {key: value for key, value in record.items() if key != "sha256"}


def test_a_noisy_oracles_answers_are_stored(tmp_path):
    run(tmp_path, "strategy=random", "oracle=noisy", budget=35)
    assert len(load_file(next(tmp_path.glob("*/cycles/001.safetensors")))["labels"]) == 15


@pytest.mark.parametrize("certain_above", [0.5, 0.0])
def test_a_certainty_of_what_is_not_measured_is_refused(certain_above):
    settings = Settings("random", False, 10, 10, 100, certain_above=certain_above)
    settings.check(1000, Accuracy())
    with pytest.raises(UserError, match=rf"loop.certain_above={certain_above} is an accuracy, which is not measured"):
        settings.check(1000, MeanIou(kept_maps=0))
