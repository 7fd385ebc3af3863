"""One model of a generator that is told a class, D and C."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.network.class_conditional import ClassConditionalGan, ClassHeads
from al_bench.network.plain_gan import PlainCritic, PlainGenerator

SHAPE = (1, 8, 8)


def built(num_classes: int = 3, **changed: Any) -> ClassConditionalGan:
    settings = {"class_input": "one_hot", "embedding_size": 5, "spectral_head": False, "initialization": "normal_002"}
    heads = ClassHeads(**(settings | changed))
    generator = partial(PlainGenerator, channels=(4, 3), initialization="normal_002")
    critic = partial(PlainCritic, channels=(3, 4), slope=0.2, norm="batch", initialization="normal_002")
    with seeding.fork(0):
        return heads.build(generator, critic, 6, SHAPE, num_classes).eval()


def drawn(count: int) -> Tensor:
    return torch.randn(count, 6, generator=seeding.generator(1))


@pytest.mark.parametrize(("class_input", "read"), [("one_hot", 6 + 3), ("embedding", 6 + 5)])
def test_the_class_stands_beside_the_latent(class_input: str, read: int) -> None:
    model = built(class_input=class_input)
    assert model.generator.layers[0].in_features == read
    same = drawn(1).repeat(3, 1)
    images = model.generate(same, torch.arange(3))
    assert images.shape == (3, *SHAPE)
    assert len({tuple(image.flatten().tolist()) for image in images}) == 3, "each class another image"
    assert torch.equal(model.generate(same, torch.ones(3, dtype=torch.int64))[0], images[1])


def test_d_and_c_share_all_but_their_last_layer() -> None:
    model, images = built(), torch.rand(4, *SHAPE, generator=seeding.generator(0))
    values, logits = model.judge(images)
    assert torch.equal(values, model.critic(images))
    assert torch.equal(logits, model(images))
    assert logits.shape == (4, 3)
    of_d = {name for name, _ in model.critic.named_parameters()}
    own = {name for name, _ in model.named_parameters() if not name.startswith(("generator.", "backbone."))}
    assert own == {"head.weight", "head.bias"}, "C has a last layer of its own and nothing else"
    assert {"head.weight", "layers.0.weight"} <= of_d
    values.sum().backward(retain_graph=True)
    of_values = model.critic.layers[0].weight.grad.clone()
    logits[:, 0].sum().backward()
    assert not torch.equal(model.critic.layers[0].weight.grad, of_values), "both move the shared layers"


def test_the_head_of_c_is_normalized_where_that_is_asked_for() -> None:
    plain, normalized = built(), built(spectral_head=True)
    assert not nn.utils.parametrize.is_parametrized(plain.head)
    assert float(torch.linalg.matrix_norm(normalized.head.weight.detach(), ord=2)) == pytest.approx(1, abs=0.05)


def test_more_classes_than_an_embedding_has_numbers_are_refused() -> None:
    assert built(num_classes=5, class_input="embedding").num_classes == 5
    with pytest.raises(UserError, match="embedding_size=5 is smaller than the 6 classes"):
        built(num_classes=6, class_input="embedding")
    assert built(num_classes=6).num_classes == 6, "which a one-hot code does not mind"
