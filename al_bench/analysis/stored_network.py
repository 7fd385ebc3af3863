"""The network of a model's file: data of whoever wrote it, of which no network but ours is made."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch

from al_bench.analysis.own_parts import make_own
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.network.dry_run import dry_run
from al_bench.storage.model_file import ModelHead, read_model

_CHANNELS = (1, 3)
_MOST_NUMBERS = 1 << 26  # of one input, so that a small file cannot fill the memory


def stored_network(path: Path) -> tuple[Network, ModelHead]:
    """The network that a model's file describes, with its weights, in eval mode on the CPU, and the file's head.

    Raises UserError where it is no such file, reads no inputs that can be, describes none of our networks, or one that
    answers otherwise than its head says.
    """
    head, weights = read_model(path)
    if math.prod(head.shape) > _MOST_NUMBERS or (len(head.shape) > 1 and not reads_pictures(head)):
        raise UserError(f"{path} reads inputs of {head.shape}, which are no pictures of ours: ask another model")
    own = {name.removeprefix(head.prefix): one for name, one in weights.items() if name.startswith(head.prefix)}
    network = _untrained(path, head, {name: one.shape for name, one in own.items()})
    network.load_state_dict(own)
    if not head.maps and dry_run(network, head.shape) != (len(head.class_names),):
        raise UserError(f"{path} does not answer with one number for each of its {len(head.class_names)} classes")
    return network.eval(), head


def reads_pictures(head: ModelHead) -> bool:
    """Whether the inputs of a model are images (C, H, W), gray or in color."""
    return len(head.shape) == 3 and head.shape[0] in _CHANNELS


def _untrained(path: Path, head: ModelHead, shapes: Mapping[str, torch.Size]) -> Network:
    """The network that a file describes. It is built without numbers first, so that it takes no more memory than the
    file's own. Raises UserError for what is none of ours, cannot be built, or has other weights than these shapes."""
    try:
        make: Callable[[], Network] = partial(
            make_own(head.network, "network"), input_shape=head.shape, num_classes=len(head.class_names)
        )
        with torch.device("meta"):
            described = {name: one.shape for name, one in make().state_dict().items()}
        if described != shapes:
            raise UserError("it holds the weights of another network than it says")
        return make()
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    except (TypeError, ValueError, RuntimeError, ArithmeticError, LookupError) as error:
        raise UserError(f"{path} describes a network that cannot be built: {error}") from error
