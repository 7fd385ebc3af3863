import math
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from composing import part, run_id
from made_generators import CLASSES, Copyist, Judge, Painter, dataset
from torch import Tensor
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.evaluator import extractor, real_images
from al_bench.evaluator.gan_quality import GanQuality
from al_bench.evaluator.generation import kernel_distance
from al_bench.network.predict import most_rows
from al_bench.seeding import generator
from al_bench.storage.artifacts import Artifacts
from al_bench.training.cost import measure_cost

SAMPLES = 40
USUAL: dict[str, Any] = {
    "samples": SAMPLES,
    "real": "train",
    "splits": 2,
    "kid_subsets": 2,
    "kid_subset_size": 1000,
    "neighbors": 3,
    "mode_share": 0.02,
    "columns": 3,
    "seed": 0,
}


def prepared(folder: Path, world: Dataset, judge: Judge | None = None, **changes: Any) -> GanQuality:
    evaluator = GanQuality(judge or Judge(), **{**USUAL, **changes})
    evaluator.prepare(world, Artifacts(folder))
    return evaluator


def classifier(*changes: str) -> Any:
    """A learner of classifiers, as `gan_train` has one."""
    return part("learner", "dataset=digits", "learner=supervised", "learner.epochs=5", *changes)


def test_real_test_images_are_as_good_as_the_judge(tmp_path: Path) -> None:
    """GAN-test of a generator that shows them is the judge's accuracy, and they are no distance from themselves."""
    world = dataset(noise=0.9)
    found = prepared(tmp_path, world, real="test").evaluate(Copyist(world.test.images), world).metrics
    answers = Judge().model(world.test.images.float() / 255).argmax(1)
    right = (answers == world.test.classes).double()
    assert 0.4 < float(right.mean()) < 1, "the judge is no oracle"
    assert found["gan_test"] == found["judge_accuracy"] == pytest.approx(float(right.mean()))
    assert found["class_gan_test"] == pytest.approx(right.reshape(-1, CLASSES).mean(0).tolist())
    assert found["fid_own"] == pytest.approx(0, abs=1e-9)
    assert (found["precision"], found["recall"]) == (1, 1)
    assert (found["num_samples"], found["num_real"]) == (SAMPLES, len(world.test))
    assert found["class_drawn"] == [0.375, 0.125, 0, 0.5], "what the model says of its training"


def test_by_which_judge_it_was_measured_is_told_and_hashed_once(tmp_path: Path, monkeypatch: Any) -> None:
    world, hashed = dataset(), list[str]()

    def weights_id(network: Any) -> str:
        hashed.append(extractor.weights_id(network))
        return hashed[-1]

    monkeypatch.setattr(real_images, "weights_id", weights_id)
    one, other = (prepared(tmp_path, world, Judge(pixels=pixels)) for pixels in (1, 16))
    assert len(set(hashed)) == 2
    assert [by.evaluate(Painter(), world).measured_by for by in (one, one, other)] == [
        hashed[0][:12], hashed[0][:12], hashed[1][:12]
    ]  # fmt: skip
    assert len(hashed) == 2, "none in a cycle"


def test_labels_that_are_not_kept_cost_gan_test_alone(tmp_path: Path) -> None:
    world = dataset()
    evaluator = prepared(tmp_path, world, Judge(pixels=16))
    good, swapped = (evaluator.evaluate(Painter(shift=shift), world).metrics for shift in (0, 1))
    assert (good["gan_test"], swapped["gan_test"]) == (1, 0)
    assert good["modes"] == swapped["modes"] == CLASSES
    assert swapped["inception_score_own"] == pytest.approx(good["inception_score_own"], rel=0.05)


def test_a_collapsed_generator_is_told(tmp_path: Path) -> None:
    """One class, without any noise: its covariance is 0, and warnings are errors here."""
    world = dataset()
    evaluator = prepared(tmp_path, world, Judge(pixels=16))
    good, found = (evaluator.evaluate(model, world).metrics for model in (Painter(), Painter(noise=0.0, only=2)))
    assert (found["modes"], found["gan_test"]) == (1, 1 / CLASSES)
    assert found["class_gan_test"] == [0, 0, 1, 0]
    assert found["inception_score_own"] == pytest.approx(1)
    assert float(good["fid_own"]) < float(found["fid_own"]) < math.inf
    assert found["recall"] == 0
    assert float(good["kid_own"]) < float(found["kid_own"])
    samples = evaluator._make(Painter(noise=0.0, only=2), CLASSES, kept=0).features
    distance = kernel_distance(samples, evaluator.real.features, 1, SAMPLES, generator(0))
    assert found["kid_own"] == pytest.approx(distance, rel=1e-6), "from real images"


def test_precision_is_of_samples_and_recall_of_real_images(tmp_path: Path) -> None:
    """One real image, shown again and again: it is among them, and they are not among its copies."""
    world = dataset()
    once = Copyist(world.train.images[:1].expand(SAMPLES, -1, -1, -1))
    found = prepared(tmp_path, world, Judge(pixels=16)).evaluate(once, world).metrics
    assert found["precision"] == 1
    assert float(found["recall"]) <= 1 / SAMPLES


def test_pixels_that_are_no_numbers_have_no_quality(tmp_path: Path) -> None:
    world = dataset()
    evaluator = prepared(tmp_path, world, gan_train=classifier())
    for fill in (math.nan, math.inf):
        found = evaluator.evaluate(Painter(fill=fill), world).metrics
        known = {name for name, value in found.items() if isinstance(value, float) and math.isfinite(value)}
        assert known == {"judge_accuracy", "num_samples", "num_real"}
        assert all(map(math.isnan, found["class_gan_test"]))


def test_every_look_is_at_the_same_latents(tmp_path: Path) -> None:
    world = dataset()
    evaluator = prepared(tmp_path, world)
    torch.manual_seed(1)
    first = evaluator.evaluate(Painter(), world)
    torch.manual_seed(2)
    second = evaluator.evaluate(Painter(), world)
    assert first.metrics == second.metrics
    assert torch.equal(first.samples, second.samples)
    other = prepared(tmp_path, world, seed=1).evaluate(Painter(), world)
    assert not torch.equal(other.samples, first.samples)


def test_the_grid_has_a_row_for_each_class(tmp_path: Path) -> None:
    world = dataset()
    samples = prepared(tmp_path, world).evaluate(Painter(noise=0.1), world).samples
    assert samples.shape == (CLASSES, 3, 1, 8, 8) and samples.dtype == torch.uint8
    corners = samples.float().reshape(CLASSES, 3, 2, 4, 2, 4).mean((3, 5)).flatten(2)  # (K, S, quarters)
    assert torch.equal(corners.argmax(2), torch.arange(CLASSES)[:, None].expand(-1, 3))
    assert len(samples[0].flatten(1).unique(dim=0)) == 3, "of latents of their own"
    assert prepared(tmp_path, world, columns=0).evaluate(Painter(), world).samples is None
    few = prepared(tmp_path, world, samples=11, columns=3)
    assert few.evaluate(Painter(), world).samples.shape[1] == 2, "as many as there are of each class"


def test_of_very_many_classes_a_cycle_stores_one_sample_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = dataset()
    for most, columns in ((2 * CLASSES, 2), (CLASSES - 1, 1)):
        monkeypatch.setattr("al_bench.evaluator.gan_quality._MOST_KEPT", most)
        assert prepared(tmp_path, world).evaluate(Painter(), world).samples.shape[1] == columns


def test_a_training_may_be_looked_into(tmp_path: Path) -> None:
    world = dataset()
    evaluator = prepared(tmp_path, world, gan_train=classifier())
    model = Painter().train()
    before = torch.get_rng_state()
    looked = evaluator.look(model, world)
    assert torch.equal(torch.get_rng_state(), before)
    assert model.training and all(layer.training for layer in model.modules()) and not any(model.modes)
    assert torch.is_grad_enabled()
    whole = evaluator.evaluate(model, world).metrics
    assert torch.equal(torch.get_rng_state(), before)
    same = {"judge_accuracy", "num_samples", "num_real", "class_drawn"}
    assert set(whole) - set(looked) == {"gan_train", "precision", "recall", *same}
    assert all(whole[name] == value for name, value in looked.items())


def test_gan_train_tells_what_samples_teach(tmp_path: Path) -> None:
    """A classifier trained on them knows real images; of samples under wrong labels it learns what is wrong."""
    world = dataset()
    evaluator = prepared(tmp_path, world, gan_train=classifier("learner.epochs=40"))
    with measure_cost() as cost:
        good = evaluator.evaluate(Painter(), world).metrics
    assert float(good["gan_train"]) > 0.9
    assert float(evaluator.evaluate(Painter(shift=1), world).metrics["gan_train"]) < 0.1
    other = replace(world, test=Split(world.test.images, (world.test.classes + 1) % CLASSES))
    assert float(evaluator.evaluate(Painter(), other).metrics["gan_train"]) < 0.1, "on the test images"
    assert (cost.optimizer_steps, cost.apart["gan_train"].optimizer_steps) == (0, 40 * 3)


def test_a_gan_train_that_diverges_has_no_value_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world, rate = dataset(), "learner.optimizer={_target_: torch.optim.SGD, _partial_: true, lr: 1e30}"
    evaluator = prepared(tmp_path, world, gan_train=classifier("learner.precision=32-true", rate))
    found = evaluator.evaluate(Painter(), world).metrics
    assert math.isnan(float(found["gan_train"]))
    assert all(math.isfinite(float(found[name])) for name in ("gan_test", "fid_own", "recall"))
    assert "GAN-train is nan: its classifier could not be trained on the samples, cross_entropy is " in caplog.text


def test_fid_of_no_more_images_than_features_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    size = len(prepared(tmp_path, dataset(), Judge(pixels=16)).real.moments.mean)
    prepared(tmp_path, dataset(), Judge(pixels=16), samples=size + 1)
    assert not caplog.text
    prepared(tmp_path, dataset(), Judge(pixels=16), samples=size)
    said = f"FID is of {size} samples and 80 real images, of which one is no more than its {size} features"
    assert said in caplog.text


def test_samples_of_every_batch_count(tmp_path: Path) -> None:
    """Three of them on a CPU; of no more images than are asked for the pixels stay."""
    world, count = dataset(), 2 * most_rows(torch.device("cpu")) + 44
    evaluator = prepared(tmp_path, world, samples=count)
    made = evaluator._make(Painter(), CLASSES, kept=count - 100)
    everything = made.features.double()
    assert made.moments.count == len(everything) == len(made.classes) == len(made.answers) == count
    torch.testing.assert_close(made.moments.mean, everything.mean(0))
    torch.testing.assert_close(made.moments.covariance, torch.cov(everything.T))
    assert len(made.images) == count - 100
    assert len(made.features.unique(dim=0)) == count, "of latents of their own"


def test_images_that_are_not_kept_take_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world, count, held, cat = dataset(), 2 * most_rows(torch.device("cpu")) + 44, list[int](), torch.cat
    evaluator = prepared(tmp_path, world, samples=count)

    def noted(tensors: Any, *given: Any, **named: Any) -> Tensor:
        tensors = list(tensors)
        held.extend(one.untyped_storage().nbytes() - one.nbytes for one in tensors if one.dtype == torch.uint8)
        return cat(tensors, *given, **named)

    monkeypatch.setattr(torch, "cat", noted)
    assert len(evaluator._make(Painter(), CLASSES, kept=10).images) == 10
    assert len(held) == 3 and not any(held)


def test_real_images_are_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = dataset()
    first = prepared(tmp_path, world).evaluate(Painter(), world).metrics
    monkeypatch.setattr(real_images, "moments_and_rows", lambda *_: 1 / 0)
    assert prepared(tmp_path, world).evaluate(Painter(), world).metrics == first
    with pytest.raises(ZeroDivisionError):
        prepared(tmp_path, world, Judge(pixels=2))


def test_fid_reads_all_real_images_and_neighbors_as_many_as_samples(tmp_path: Path) -> None:
    world = dataset(train=300)
    evaluator = prepared(tmp_path, world)
    everything = Judge().model.neck(world.train.images.flatten(1) / 255)
    torch.testing.assert_close(evaluator.real.moments.mean, everything.double().mean(0))
    covariance = torch.cov(everything.double().T)
    torch.testing.assert_close(evaluator.real.moments.covariance, covariance, rtol=1e-5, atol=1e-8)
    assert len(evaluator.real.features) == SAMPLES
    assert all(bool((everything == row).all(1).any()) for row in evaluator.real.features)
    assert not torch.equal(evaluator.real.features, everything[:SAMPLES]), "drawn: files may lie class by class"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"samples": 3}, "evaluator.samples=3 is smaller than the 4 of classes of the data set"),
        ({"splits": 41}, "evaluator.samples=40 is smaller than the 41 of evaluator.splits"),
        ({"neighbors": 40}, "evaluator.samples=40 is smaller than the 41 of evaluator.neighbors and 1"),
        ({"samples": 90, "neighbors": 80}, "evaluator.neighbors=80 needs more real images than the 80"),
        (
            {"mode_share": 0.25},
            "evaluator.mode_share=0.25 is no share that each of 4 classes can exceed: use 0.05, a fifth",
        ),
    ],
)
def test_numbers_of_images_that_are_too_small_are_refused(
    tmp_path: Path, changes: dict[str, float], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        prepared(tmp_path, dataset(), **changes)


def test_label_maps_and_features_are_refused_before_anything_is_trained(tmp_path: Path) -> None:
    class Untouched(Judge):
        def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
            raise AssertionError("trained")

    images = torch.zeros(4, 1, 2, 2, dtype=torch.uint8)
    maps = Split(images, torch.zeros(4, 2, 2, dtype=torch.uint8))
    codes = Split(torch.zeros(4, 3), torch.zeros(4, dtype=torch.int64))
    for wrong, sentence in ((maps, "this data set has label maps: use mean_iou"), (codes, "use representation=none")):
        with pytest.raises(UserError, match=sentence):
            prepared(tmp_path, Dataset(wrong, None, wrong, 2, ("a", "b")), Untouched())


def test_a_validation_split_that_is_not_there_is_asked_for_before_anything_is_trained(tmp_path: Path) -> None:
    class Untouched(Judge):
        def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
            raise AssertionError("trained")

    early = "al_bench.training.early_stopping.EarlyStopping"
    stops = f"learner.early_stopping={{_target_: {early}, criterion: loss, every: 1, patience: 1}}"
    with pytest.raises(UserError, match=r"^evaluator\.gan_train\.early_stopping needs a validation split, .*: use"):
        prepared(tmp_path, dataset(), Untouched(), gan_train=classifier(stops))


def test_pictures_that_nobody_labeled_are_refused_by_what_helps(tmp_path: Path) -> None:
    """The judge cannot be trained whoever answers, so that no oracle is named."""
    world = replace(dataset(), unlabeled=SimpleNamespace(root="pictures"))
    sentence = r"^evaluator=gan_quality trains a judge on known labels.*dataset\.root=pictures: "
    with pytest.raises(UserError, match=sentence) as said:
        prepared(tmp_path, world)
    assert "oracle" not in str(said.value)


def test_a_classifier_is_refused_before_anything_is_trained() -> None:
    procedure = part("procedure", "dataset=digits", "strategy=random", "gan=none", "evaluator=gan_quality")
    with pytest.raises(UserError, match=r"^evaluator=gan_quality needs a model with sample, which network=small_cnn,"):
        procedure.check_parts(procedure.dataset)


def test_a_file_counts_by_its_content_and_the_grid_not_at_all(tmp_path: Path) -> None:
    asked = ("dataset=digits", "gan=none", "evaluator=gan_quality", "learner=supervised")
    first, same, other = (tmp_path / name for name in ("first.pth", "same.pth", "other.pth"))
    for path, content in ((first, b"weights"), (same, b"weights"), (other, b"others")):
        path.write_bytes(content)
    ids = [run_id(*asked, f"evaluator.inception={path}") for path in (first, same, other)]
    assert ids[0] == ids[1] != ids[2]
    assert run_id(*asked) == run_id(*asked, "evaluator.columns=3") not in ids
    assert len({run_id(*asked, change) for change in ("evaluator.samples=99", "evaluator.real=test")}) == 2


@pytest.fixture(scope="module")
def inception() -> OrderedDict[str, Tensor]:
    """FID's network with made-up weights, which keep the size of what passes through."""
    made: OrderedDict[str, Tensor] = OrderedDict()
    rng = torch.Generator().manual_seed(0)
    for name, like in layout().items():
        if name.endswith(("running_var", "bn.weight")):
            made[name] = torch.ones(like.shape)
        elif like.dim() > 1:
            made[name] = torch.randn(like.shape, generator=rng) * (2 / like[0].numel()) ** 0.5
        else:
            made[name] = torch.zeros(like.shape, dtype=like.dtype)
    return made


def layout() -> dict[str, Tensor]:
    from al_bench.evaluator.extractor import _Inception, _no_weights

    with torch.device("meta"):
        found: dict[str, Tensor] = _Inception("inception", ["2048"], _no_weights()).state_dict()
    return found


def test_an_inception_file_gives_the_published_names(tmp_path: Path, inception: OrderedDict[str, Tensor]) -> None:
    """Its features are those of torch-fidelity, which reads the file by itself here."""
    path = tmp_path / "inception.pth"
    torch.save(inception, path)
    world = dataset(train=12, test=8)
    evaluator = prepared(tmp_path, world, Judge(pixels=16), samples=8, neighbors=2, real="test", inception=str(path))
    evaluation = evaluator.evaluate(Copyist(world.test.images), world)
    found, by = evaluation.metrics, evaluation.measured_by.split("+")
    assert by == [
        extractor.weights_id(one)[:12]
        for one in (Judge(16).model, extractor.load_inception(str(path), torch.device("cpu")))
    ]
    assert {"inception_score", "fid", "kid"} < set(found) and not any(name.endswith("_own") for name in found)
    assert found["gan_test"] == 1, "which the judge answers"
    assert found["fid"] == pytest.approx(0, abs=1e-6)
    theirs = FeatureExtractorInceptionV3("theirs", ["2048", "logits_unbiased"], str(path))
    features, logits = theirs(world.test.images.expand(-1, 3, -1, -1))
    mine, answers = evaluator.extract(world.test.images)
    torch.testing.assert_close(mine, features)
    torch.testing.assert_close(answers, logits)


class Mine:
    """Code that a file of weights would run."""

    def __reduce__(self) -> Any:
        return (exec, ("raise SystemExit('was run')",))


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        ({"fc.weight": torch.zeros(1000, 2048)}, "is torchvision's Inception network, which has 1,000 classes"),
        ({"fc.weight": torch.zeros(10, 20)}, "is no Inception network of FID, it lacks Conv2d_1a_3x3.conv.weight"),
        ({"fc.weight": Mine()}, "holds more than tensors, which is not run"),
        (None, "is no file that is there"),
    ],
)
def test_another_file_is_refused_before_anything_is_trained(tmp_path: Path, contents: Any, sentence: str) -> None:
    class Untouched(Judge):
        def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
            raise AssertionError("trained")

    path = tmp_path / "weights.pth"
    if contents is not None:
        torch.save(contents, path)
    with pytest.raises(UserError, match=f"{sentence}.*give torch-fidelity's weights-inception-2015-12-05-6726825d.pth"):
        prepared(tmp_path, dataset(), Untouched(), inception=str(path))


def test_weights_of_half_precision_are_the_networks(tmp_path: Path, inception: OrderedDict[str, Tensor]) -> None:
    path = tmp_path / "weights.pth"
    torch.save({name: one.half() if one.is_floating_point() else one for name, one in inception.items()}, path)
    evaluator = prepared(tmp_path, dataset(train=12, test=8), samples=8, neighbors=2, inception=str(path))
    assert evaluator.extract(dataset().test.images[:2])[0].dtype == torch.float32


def test_a_layer_of_another_size_or_too_much_is_named(tmp_path: Path, inception: OrderedDict[str, Tensor]) -> None:
    path = tmp_path / "weights.pth"
    for change, sentence in (
        ({"fc.bias": torch.zeros(7)}, r"fc.bias is \(7,\)"),
        ({"head.weight": torch.zeros(2)}, "it has head.weight"),
    ):
        torch.save({**inception, **change}, path)
        with pytest.raises(UserError, match=sentence):
            prepared(tmp_path, dataset(), inception=str(path))


def test_torchvisions_own_layout_is_told_from_fids(tmp_path: Path) -> None:
    from torchvision.models import inception_v3

    with torch.device("meta"):
        shapes = inception_v3(weights=None, init_weights=False).state_dict()
    path = tmp_path / "inception_v3.pth"
    torch.save({name: torch.zeros(like.shape) for name, like in shapes.items()}, path)
    with pytest.raises(UserError, match="is torchvision's Inception network"):
        prepared(tmp_path, dataset(), inception=str(path))


def test_a_judge_that_withholds_answers_is_refused(tmp_path: Path) -> None:
    judge = Judge()
    judge.min_confidence = 0.5
    with pytest.raises(UserError, match=r"evaluator.judge.min_confidence=0.5 withholds answers, and GAN-test asks"):
        GanQuality(judge, **USUAL).check(dataset())


def test_uneven_real_images_are_said_to_count_against_samples(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    world = dataset()
    prepared(tmp_path / "even", world)
    assert "real images have" not in caplog.text
    kept = torch.cat(
        [(world.train.classes > 0).nonzero().flatten(), (world.train.classes == 0).nonzero().flatten()[:3]]
    )
    prepared(tmp_path / "uneven", replace(world, train=world.train.subset(kept)))
    most = int(world.train.classes.bincount().max())
    assert f"real images have 3 to {most} of a class, samples as many of each: FID, KID, precision and" in caplog.text
