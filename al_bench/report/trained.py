"""What was trained once for many runs: GANs, auto-encoders, oracles; their losses, what a GAN draws."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from safetensors import SafetensorError

from al_bench.analysis.artifact_users import User, parts_of, users_of
from al_bench.analysis.checking import UnreadableError
from al_bench.analysis.cost import Cost, cost_of_artifact
from al_bench.analysis.grouping import Section
from al_bench.analysis.pairs import synthetic_images
from al_bench.analysis.reading import Artifact
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.files import digest
from al_bench.report.figures.palette import Look
from al_bench.report.figures.plots import Line, line_chart
from al_bench.report.figures.svg import Picture
from al_bench.report.images import sample_grid
from al_bench.report.measures import listed

_COLUMNS, _ROWS = 12, 8
# Of losses, which belong to no strategy
_LOOKS = (Look("#4C78A8", "", ""), Look("#B07AA1", "", "4 2"), Look("#8A8A8A", "", "1.5 1.5"))


@dataclass(frozen=True)
class Trained:
    """One artifact on the page. what: its class; losses: None where there are none; samples: of a GAN; without: why
    there are none."""

    artifact: Artifact
    what: str
    users: Sequence[User]
    losses: Picture | None
    names: Sequence[tuple[str, Look]]
    samples: Picture | None
    without: str

    @property
    def cost(self) -> Cost:
        return cost_of_artifact(self.artifact)


def show_artifacts(artifacts: Sequence[Artifact], sections: Sequence[Section], rebuilder: Rebuilder) -> list[Trained]:
    """Every artifact that a part made, not what was only computed; one whose weights cannot be used is shown without
    samples."""
    return [_show(artifact, sections, rebuilder) for artifact in artifacts if parts_of(artifact)]


def _show(artifact: Artifact, sections: Sequence[Section], rebuilder: Rebuilder) -> Trained:
    users = users_of(artifact, sections, rebuilder)
    parts = parts_of(artifact)
    what = parts[0]["part"].partition("@")[0].rpartition("/")[-1]
    samples, without = None, ""
    if artifact.kind == "gan":
        try:
            samples = _samples(artifact, users, rebuilder)
        except UnreadableError as error:
            without = str(error)
    losses, names = _losses(artifact, what)
    return Trained(artifact, what, users, losses, names, samples, without)


def _samples(artifact: Artifact, users: Sequence[User], rebuilder: Rebuilder) -> Picture:
    """What the generator draws from latents of a seed of the report's own. Raises UnreadableError with the reason."""
    if not users:
        raise UnreadableError("no run of this report uses it, so its networks are unknown")
    shape, gan = _image_shape(users, rebuilder), rebuilder.gan(users[0].node, users[0].group.first)
    if gan is None:
        raise UnreadableError("its networks could not be made here")
    import torch
    from safetensors.torch import load

    from al_bench.active.inputs import as_stored

    try:
        data = artifact.place.with_suffix(".safetensors").read_bytes()
        if digest(data) != artifact.record["sha256"]:
            raise UnreadableError("its weights are corrupted")
        networks = gan.networks(shape)
        networks.load_state_dict(load(data))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise UnreadableError("its weights cannot be read") from error
    with torch.no_grad():
        latents = networks.eval().draw(_COLUMNS * _ROWS, torch.Generator().manual_seed(0))
        images = as_stored(networks.generator(latents), torch.uint8).numpy()
    return sample_grid(images, _COLUMNS, f"{len(images)} images drawn by the generator, {_COLUMNS} in a row")


def _image_shape(users: Sequence[User], rebuilder: Rebuilder) -> tuple[int, ...]:
    for user in users:
        run = user.group.first
        dataset = rebuilder.dataset(run)
        if dataset is not None:
            return tuple(dataset.train.images.shape[1:])
        if run.has_tensors and len(run.cycles) > 1 and (images := synthetic_images(run.tensors(1))) is not None:
            return tuple(images.shape[1:])
    raise UnreadableError("the size of its images is unknown without the data set")


def _losses(artifact: Artifact, what: str) -> tuple[Picture | None, list[tuple[str, Look]]]:
    losses = {name: values for name, values in artifact.record["losses"].items() if values}
    lines = [
        Line(name.replace("_", " "), look, list(np.linspace(0, 100, len(values) + 1)[1:]), values)
        for (name, values), look in zip(losses.items(), _LOOKS, strict=False)
    ]
    if not lines:
        return None, []
    last = [f"{line.name} {line.y[-1]:.3g}" for line in lines]
    alt = f"Losses of {what} over its training; at the end {listed(last)}"
    return line_chart(lines, "share of the training, %", "loss", alt), [(line.name, line.look) for line in lines]
