from functools import partial

import torch
from composing import part

from al_bench.feature.classifier import Classifier
from al_bench.network.lenet import LeNet
from al_bench.network.small_fcn import SmallFcn


def test_follows_the_model() -> None:
    images = torch.rand(3, 1, 8, 8)
    feature: Classifier = part("feature", "dataset=digits", "strategy=random", "feature=classifier")
    models = [feature.network(input_shape=(1, 8, 8), num_classes=10).eval() for _ in range(2)]
    first, second = (feature.extract(images, model) for model in models)
    assert not torch.equal(first, second)
    for model, features in zip(models, (first, second), strict=True):
        torch.testing.assert_close(model.head(features), model(images))


def test_sizes_of_the_paper_and_of_a_map() -> None:
    """LeNet has 1,024 (ASAL Tab. 5); of a map the mean over its positions is taken."""
    before = torch.get_rng_state()
    assert Classifier(LeNet).size((1, 28, 28)) == 1024
    assert Classifier(partial(SmallFcn, width=5, dropout=0.0)).size((3, 12, 16)) == 5
    assert torch.equal(torch.get_rng_state(), before)
