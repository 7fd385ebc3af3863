import pytest
import torch
from torch import nn

from al_bench.active import scores
from al_bench.network import Network
from al_bench.network.predict import BATCH_SIZE, dropout_on, embeddings, evaluating, predict, stream


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


def test_no_gradient_is_kept():
    model = Plain()
    assert not next(stream(model, model, IMAGES)).requires_grad
    with evaluating(model):
        assert not model.training


@pytest.mark.parametrize("reduce", [scores.entropy, lambda logits: logits[:, :2]])
def test_reductions_to_numbers_and_to_vectors(reduce):
    reduced = predict(Plain(), IMAGES, torch.arange(len(IMAGES)), reduce)
    assert len(reduced) == len(IMAGES)
