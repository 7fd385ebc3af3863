from pathlib import Path

import torch
from composing import part

from al_bench.active.inputs import to_float
from al_bench.dataset import Dataset
from al_bench.representation.autoencoder import Codes
from al_bench.storage.artifacts import Artifacts


def test_inputs_are_the_codes_of_their_images(tmp_path: Path) -> None:
    digits: Dataset = part("dataset", "dataset=digits")
    codes: Codes = part("representation", "representation=autoencoder", "scale=smoke")
    found = codes.apply(digits, Artifacts(tmp_path))
    encoder = codes.feature.trained_network
    assert encoder is not None
    places = torch.tensor([0, 7, 1300])
    expected = encoder.encode(to_float(digits.train.images[places]))
    assert torch.allclose(found.train.images[places], expected, atol=1e-6)
    assert len(list((tmp_path / "autoencoder").glob("*.safetensors"))) == 1
