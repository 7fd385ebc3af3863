"""Images that a model is unsure about, by gradient ascent in a generator's latent space (ASAL Eq. 1; GAAL)."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.optim import Optimizer

from al_bench.active import scores
from al_bench.active.metric import Recorded
from al_bench.active.part import declare, describe
from al_bench.config.ranges import BatchSize, ModerateOrZero, SearchSteps
from al_bench.errors import UserError, amount
from al_bench.gan import GanNetworks
from al_bench.network import Network
from al_bench.network.predict import batch_statistics, evaluating, predict
from al_bench.progress import progress
from al_bench.training.cost import measure_apart
from al_bench.training.interruption import raise_pending
from al_bench.training.pack import Request, ask, in_pack, say_once
from al_bench.training.stacked import moves_by_number

Score = Callable[[Tensor], Tensor]
GeneratorMode = Literal["eval", "batch"]

_ON_CPU = 50  # latents that are moved at once there: the activations of more leave the caches


@dataclass(frozen=True)
class Found:
    """What a search began with and what it came to: latents (Q, Z) and their float images (Q, C, H, W)."""

    start: Tensor
    start_images: Tensor
    latents: Tensor
    images: Tensor

    RECORDS: ClassVar[tuple[Recorded, ...]] = (
        Recorded("entropy_before", "H of the start", "nats"),
        Recorded("entropy_after", "H synthetic", "nats"),
        Recorded("norm_before", "|z| of the start"),
        Recorded("norm_after", "|z| found"),
    )

    def trace(self, model: Network) -> Mapping[str, Tensor]:
        """(Q,) each: predictive entropy of the image and Euclidean norm of its latent, before and after."""
        return {
            "entropy_before": of_images(model, self.start_images, scores.entropy),
            "entropy_after": of_images(model, self.images, scores.entropy),
            "norm_before": self.start.norm(dim=1),
            "norm_after": self.latents.norm(dim=1),
        }

    def rows(self, positions: Tensor) -> "Found":
        """What is at (R,) positions, in their order; one may occur more than once."""
        return Found(*(tensor[positions.to(tensor.device)] for tensor in vars(self).values()))

    def replaced(self, positions: Tensor, others: "Found") -> "Found":
        """This, with `others` in place of what is at (R,) positions."""
        order = torch.arange(len(self.latents))
        order[positions.cpu()] = len(order) + torch.arange(len(positions))
        both = zip(vars(self).values(), vars(others).values(), strict=True)
        return Found(*(torch.cat(pair) for pair in both)).rows(order)


@dataclass(frozen=True)
class Ascent:
    """Latents (Q, Z) that are moved to where the score of a model is high.

    score: (B, K[, H, W]) acquisition logits to (B,).
    """

    start: Tensor
    model: Network
    score: Score

    def value(self, images: Tensor) -> Tensor:
        """The sum of the scores of (Q, C, H, W) images."""
        return self.score(self.model.acquisition_logits(images)).sum()


@declare("gan/latent_search")
@dataclass(frozen=True)
class LatentSearch:
    """How latents are moved.

    steps: of ascent. optimizer: of ([latents]) -> optimizer. z_batch: latents that are moved at once; None: all.
    generator_mode: of the generator's batch norm. `eval` takes its running statistics, so that no image depends on the
    others; `batch` those of the whole z-batch, as the GANs' own code does, and latents that only fill up
    the last one are dropped. prior_weight: of -|z|^2 / 2, the prior's log-density, beside the score. stacked:
    where cells run in one process, see `training.pack`, latents are moved together with those of other cells.
    """

    steps: SearchSteps
    optimizer: Callable[..., Optimizer]
    z_batch: BatchSize | None
    generator_mode: GeneratorMode = "eval"
    prior_weight: ModerateOrZero = 0.0
    stacked: bool = False

    def __post_init__(self) -> None:
        if self.generator_mode not in ("eval", "batch"):
            raise UserError(f"strategy.generator_mode={self.generator_mode} is not known: use eval or batch")
        if self.z_batch is not None and self.z_batch < self._fewest:
            raise UserError(
                f"strategy.z_batch={self.z_batch} with generator_mode={self.generator_mode}: use {self._fewest} or "
                "more, or null for all of a cycle"
            )

    @property
    def _fewest(self) -> int:
        return 2 if self.generator_mode == "batch" else 1  # one image alone has no variance

    def __call__(self, networks: GanNetworks, model: Network, score: Score, size: int, rng: torch.Generator) -> Found:
        """`size` images, each ascended from a draw of the prior.

        score: (B, K[, H, W]) acquisition logits to (B,), ascended. The model is in eval mode meanwhile, and neither it
        nor the generator, their statistics and their gradients change. Raises FloatingPointError where a latent is not
        finite.
        """
        at_once = self.z_batch or max(size, self._fewest)
        drawn = size if self.generator_mode == "eval" else -(-size // at_once) * at_once
        start = torch.split(networks.draw(drawn, rng), at_once)
        batch_norm = batch_statistics if self.generator_mode == "batch" else evaluating
        with evaluating(networks), evaluating(model), batch_norm(networks.generator):
            end = self._ascended(networks, [Ascent(part, model, score) for part in start])
            if not all(part.isfinite().all() for part in end):
                raise FloatingPointError(
                    f"a latent is not finite after {amount(self.steps, 'step')} of the latent search"
                )
            with torch.no_grad():
                after = [networks.generator(part) for part in end]
                with measure_apart("record"):
                    before = [networks.generator(part) for part in start]
        found = Found(*(torch.cat(list(parts)) for parts in (start, before, end, after)))
        return found.rows(torch.arange(size))

    def _ascended(self, networks: GanNetworks, ascents: Sequence[Ascent]) -> Sequence[Tensor]:
        """Where each comes to: with those of other cells of a pack, or one after the other."""
        if self.stacked and in_pack() and (ends := self._ascended_together(networks, ascents)) is not None:
            return ends
        with progress("latent search", self.steps * len(ascents)) as bar:
            return [self.ascend(networks, [each], bar.advance)[0] for each in ascents]

    def _ascended_together(self, networks: GanNetworks, ascents: Sequence[Ascent]) -> Sequence[Tensor] | None:
        """The same with those of other cells; None where they are to be moved alone."""
        if self.generator_mode != "eval" or not moves_by_number(self.optimizer):
            say_once("latents are moved alone, for where one goes depends on others")
            return None
        request = StackedSearch(self, networks, ascents)
        if not ask(request):
            return None
        say_once("latents are moved together with those of other cells")
        return request.ends

    def ascend(self, networks: GanNetworks, ascents: Sequence[Ascent], advance: Callable[[], None]) -> Sequence[Tensor]:
        """(Q, Z) latents of each after all steps, which are moved at once. advance: called after every step."""
        latents = torch.cat([each.start for each in ascents]).requires_grad_(True)
        sizes = [len(each.start) for each in ascents]
        optimizer = self.optimizer([latents])
        for _ in range(self.steps):
            with torch.enable_grad():
                images = networks.generator(latents).split(sizes)
                of_models = sum(each.value(own) for each, own in zip(ascents, images, strict=True))
                total = of_models - self.prior_weight / 2 * latents.square().sum()
                (gradient,) = torch.autograd.grad(total, latents)  # parameters' own gradients stay as they are
            latents.grad = -gradient
            optimizer.step()
            advance()
        return list(latents.detach().split(sizes))


class StackedSearch(Request):
    """A search that may be done at once with others in the same generator, each with a model and a score of its own.

    ends: (Q, Z) latents of each ascent, once it is done. A latent moves as it does alone but for rounding: generator
    and optimizer know no other one.
    """

    rank: ClassVar[int] = 0  # before trainings, so that cells which search come to these together with all others

    def __init__(self, search: LatentSearch, networks: GanNetworks, ascents: Sequence[Ascent]) -> None:
        self.search, self.networks, self.ascents = search, networks, ascents
        self.weight = float(sum(len(each.start) for each in ascents))
        self.ends: Sequence[Tensor] = ()

    def joins(self, other: Request) -> bool:
        return isinstance(other, StackedSearch) and self._key == other._key

    @property
    def _key(self) -> tuple[object, ...]:
        search, networks = self.search, self.networks
        device = next(networks.parameters()).device
        return networks.artifact or id(networks), device, search.steps, search.prior_weight, describe(search.optimizer)

    def answer(self, others: Sequence["StackedSearch"]) -> None:
        """As many at once as are fastest, see `_ON_CPU`."""
        searches = [self, *others]
        ascents = [each for search in searches for each in search.ascents]
        on_cpu = next(self.networks.parameters()).device.type == "cpu"
        parts = list(_split(ascents, _ON_CPU if on_cpu else math.inf))
        with progress(f"latent searches of {len(searches)} cells", self.search.steps * len(parts)) as bar:

            def advance() -> None:
                bar.advance()
                raise_pending()

            ends = iter([end for part in parts for end in self.search.ascend(self.networks, part, advance)])
        for search in searches:
            search.ends = [next(ends) for _ in search.ascents]


def _split(ascents: Iterable[Ascent], most: float) -> Iterator[list[Ascent]]:
    """Those of up to `most` latents together; one of more is alone."""
    part: list[Ascent] = []
    for each in ascents:
        if part and sum(len(one.start) for one in (*part, each)) > most:
            yield part
            part = []
        part.append(each)
    yield part


def of_images(model: Network, images: Tensor, score: Score) -> Tensor:
    """(Q,) scores of images that are not the pool's."""
    return predict(model, images, torch.arange(len(images), device=images.device), score)
