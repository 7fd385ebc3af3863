"""A trained model as ONNX, for whoever asks it without Python or torch."""

import importlib.util
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from al_bench.errors import UserError
from al_bench.files import output_file, written_whole
from al_bench.procedure.prediction import TrainedModel

_NEEDED = ("onnx", "onnxscript")
_MOST_BYTES = 2_000_000_000  # of weights in one file: what protocol buffers hold
_EXAMPLES = 2  # images that the network is followed with; one would be taken for the only number


class ProbabilityNetwork(nn.Module):
    """(B, C, H, W) float images in [0, 1] to the probabilities (B, K) of the classes."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images)
        return logits.softmax(1)


def write_onnx(model: TrainedModel, path: Path) -> None:
    """Writes a model as ONNX: `images` (B, C, H, W), float32 in [0, 1], to `probabilities` (B, K).

    Its metadata hold `class_names` in the order of the answers, `preprocessing`, which says how a picture becomes an
    image, and whose model it is. Raises UserError where the packages of the extra `onnx` are absent, where the model is
    too large for one file, or where the disk does not take it.
    """
    absent = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if absent:
        raise UserError(f"ONNX needs {' and '.join(absent)}, not installed here: pip install -e .[onnx]")
    size = sum(one.numel() * one.element_size() for one in model.network.state_dict().values())
    if size > _MOST_BYTES:
        raise UserError(
            f"the model has {size / 1e9:.1f} GB of weights and one file of ONNX holds 2: ask it by predict.py"
        )
    example = torch.rand(_EXAMPLES, *model.head.picture_shape)
    with _quiet():
        program: Any = torch.onnx.export(
            ProbabilityNetwork(model.network).eval(),
            (example,),
            input_names=["images"],
            output_names=["probabilities"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            dynamo=True,
            verbose=False,
        )
    proto = program.model_proto
    for key, value in _metadata(model).items():
        proto.metadata_props.add(key=key, value=value)
    with written_whole(output_file(path)) as file:
        file.write(proto.SerializeToString())


def _metadata(model: TrainedModel) -> dict[str, str]:
    head, decoder = model.head, model.decoder
    channels, height, width = head.picture_shape
    preprocessing = {
        "channels": "RGB" if channels == 3 else "gray",
        "size": [height, width],
        "window": head.window,
        "crop": head.crop,
        "resampling": "bilinear, antialiased",
        "transparent": "white",
        "upright": "as its EXIF says",
        "range": [0, 1],
    }
    assert decoder.shape == (channels, height, width)
    return {
        "class_names": json.dumps(list(head.class_names)),
        "preprocessing": json.dumps(preprocessing),
        "run": head.run,
        "label": head.label,
        "cycle": str(head.cycle),
        "annotations": str(head.annotations),
        "commit": head.commit,
        "versions": json.dumps({**head.versions, "torch": torch.__version__}),
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter says to its own developers."""
    names = ("onnxscript", "torch.onnx")
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
