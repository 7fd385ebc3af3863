import threading

import pytest
import torch
from torch import nn

from al_bench.active import scores
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.network.dropout_passes import dropout_on
from al_bench.network.predict import (
    BATCH_SIZE,
    embeddings,
    embeddings_and,
    evaluating,
    predict,
    rows_by_pixels,
    stream,
)


class Plain(Network):
    def __init__(self):
        torch.manual_seed(0)
        backbone = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.BatchNorm1d(8))
        super().__init__(backbone, nn.Sequential(nn.ReLU(), nn.Dropout(0.5)), nn.Linear(8, 3))


IMAGES = torch.randint(
    0, 256, (2 * BATCH_SIZE + 5, 3, 2, 2), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
)


def test_batches_come_in_the_order_of_the_indices():
    model = Plain().eval()
    indices = torch.randperm(len(IMAGES), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected = scores.entropy(model(IMAGES.float() / 255))[indices]
    assert torch.allclose(predict(model, IMAGES, indices, scores.entropy), expected, atol=1e-6)


def test_a_model_in_training_is_scored_in_eval_mode_and_put_back():
    model = Plain().train()
    model.neck[1].eval()
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    first = predict(model, IMAGES, torch.arange(9), scores.entropy)
    assert torch.equal(first, predict(model, IMAGES, torch.arange(9), scores.entropy))
    assert model.training and model.backbone[2].training and not model.neck[1].training
    assert all(torch.equal(state[name], tensor) for name, tensor in model.state_dict().items())


def test_passes_switch_on_dropout_alone():
    model = Plain().eval()
    before = model.backbone[2].running_mean.clone()
    seen = []
    predict(model, IMAGES, torch.arange(6), lambda logits: seen.append(logits) or logits[0, :, 0], passes=4, seed=1)
    assert seen[0].shape == (4, 6, 3)
    assert not torch.equal(seen[0][0], seen[0][1])
    assert torch.equal(model.backbone[2].running_mean, before)
    assert not model.neck[1].training
    with dropout_on(model):
        assert model.neck[1].training and not model.backbone[2].training


def test_the_same_seed_draws_the_same_masks():
    model = Plain()

    def run(seed):
        return predict(model, IMAGES, torch.arange(50), scores.mutual_information, passes=3, seed=seed)

    assert torch.equal(run(1), run(1))
    assert not torch.equal(run(1), run(2))


def test_nothing_to_score():
    assert len(predict(Plain(), IMAGES, torch.arange(0), scores.entropy)) == 0


def test_embeddings_are_the_input_of_the_last_layer():
    model = Plain().eval()
    embedded = embeddings(model, IMAGES, torch.arange(7))
    with torch.no_grad():
        assert torch.allclose(model.head(embedded), model(IMAGES[:7].float() / 255), atol=1e-6)


def test_an_embedding_that_is_not_finite_is_refused(monkeypatch):
    monkeypatch.setattr("al_bench.network.predict._ROWS", 3)
    broken = IMAGES[:7].float() / 255
    broken[6] = torch.inf
    assert len(embeddings(Plain(), broken, torch.arange(6))) == 6
    with pytest.raises(FloatingPointError, match="an embedding is not finite"):
        embeddings(Plain(), broken, torch.arange(7))


def test_embeddings_and_scores_of_one_pass_are_those_of_two(monkeypatch):
    model, indices = Plain().eval(), torch.randperm(300, generator=torch.Generator().manual_seed(3))
    expected = embeddings(model, IMAGES, indices), predict(model, IMAGES, indices, scores.entropy)
    monkeypatch.setattr(model, "embed", None)
    monkeypatch.setattr(model, "acquisition_logits", None)
    found = embeddings_and(scores.entropy, model, IMAGES, indices)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_no_gradient_is_kept():
    model = Plain()
    assert not next(stream(model, model, IMAGES)).requires_grad
    with evaluating(model):
        assert not model.training


@pytest.mark.parametrize("reduce", [scores.entropy, lambda logits: logits[:, :2]])
def test_reductions_to_numbers_and_to_vectors(reduce):
    reduced = predict(Plain(), IMAGES, torch.arange(len(IMAGES)), reduce)
    assert len(reduced) == len(IMAGES)


class Everywhere(Network):
    """Labels every pixel by its color alone, of any size."""

    def __init__(self, num_classes):
        torch.manual_seed(0)
        super().__init__(nn.Identity(), nn.Identity(), nn.Conv2d(3, num_classes, 1))


def sizes(inputs, num_classes=3):
    """How many images each batch has."""
    model = Everywhere(num_classes)
    return [len(logits) for logits in stream(model, model, inputs)]


def test_up_to_64_x_64_a_batch_is_as_large_as_ever():
    assert sizes(torch.zeros((300, 3, 4, 4), dtype=torch.uint8)) == [128, 128, 44]
    for most in (128, 1024):
        assert rows_by_pixels((5000, 3, 64, 64), most) == rows_by_pixels((5000, 40), most) == most
        assert rows_by_pixels((5000, 3, 8, 512), most) == most


def test_larger_images_come_in_batches_of_as_many_pixels():
    assert rows_by_pixels((2975, 3, 688, 688), 128) == 1
    assert rows_by_pixels((2975, 3, 688, 688), 1024) == 8
    assert rows_by_pixels((20, 3, 64, 128), 128) == 64
    assert rows_by_pixels((20, 3, 4000, 4000), 128) == 1
    assert sizes(torch.zeros((70, 3, 64, 128), dtype=torch.uint8)) == [1, 64, 5], "the first tells what is made of one"


def test_what_is_made_of_an_image_counts_too(monkeypatch):
    monkeypatch.setattr("al_bench.network.predict._MOST_NUMBERS", 10 * 5 * 64 * 65)
    images = torch.randint(256, (24, 3, 64, 65), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    assert sizes(images, num_classes=5) == [1, 10, 10, 3]
    model, seen = Everywhere(5), []
    found = predict(
        model, images, torch.arange(24), lambda logits: seen.append(logits.shape) or logits[0, :, 0, 0, 0], 4
    )
    assert [tuple(shape[:2]) for shape in seen] == [(4, 1), *[(4, 2)] * 11, (4, 1)], "dropout passes are made of it"
    with torch.no_grad():
        assert torch.allclose(found, model(images.float() / 255)[:, 0, 0, 0], atol=1e-6)


class OnDisk:
    """Images that are read by whoever asks, and say who did."""

    device, dtype = torch.device("cpu"), torch.uint8

    def __init__(self, missing=None):
        self.shape, self.readers, self.missing = IMAGES.shape, [], missing

    def __len__(self):
        return len(IMAGES)

    def __getitem__(self, indices):
        self.readers.append(threading.current_thread())
        if self.missing in indices.tolist():
            raise UserError(f"picture {self.missing} is missing")
        return IMAGES[indices]


def test_what_lies_on_a_disk_is_read_a_little_early_and_gives_the_same():
    images, model, indices = OnDisk(), Plain(), torch.arange(1000)
    batches = stream(model, model, images, indices)
    next(batches)
    assert len(images.readers) <= 4, "not all at once"
    batches.close()
    found = predict(model, images, indices, scores.entropy)
    assert torch.equal(found, predict(model, IMAGES, indices, scores.entropy))
    assert threading.current_thread() not in images.readers
    assert not any(thread.is_alive() for thread in images.readers)


def test_a_picture_that_cannot_be_read_is_said_where_it_is_asked_for():
    model = Plain()
    with pytest.raises(UserError, match="picture 700 is missing"):
        predict(model, OnDisk(missing=700), torch.arange(1000), scores.entropy)
