"""BatchBALD: the images whose labels together tell most of the weights (Kirsch et al. 2019)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.config.ranges import Repeats, Samples, UpToAll
from al_bench.network import Network
from al_bench.network.predict import predict
from al_bench.strategy import Strategy
from al_bench.strategy.ranking import draw_candidates

_CHUNK = 2**23  # probabilities of labels beside labelings held at once: 64 MiB


@declare("strategy/batchbald")
@dataclass(frozen=True)
class BatchBald(Strategy):
    """Asks again and again for the image that adds most to the mutual information of all labels asked for and the
    weights, of which `passes` dropout passes are draws (greedy BatchBALD, Alg. 1).

    The labelings of the images picked so far are gone through one and all while there are up to `num_samples`, then as
    many are drawn. What all labels tell is at most the logarithm of `passes`, so that few passes say nothing of the end
    of a large query. Of a label map the class of one pixel stands for it, drawn with equal chances. subset: see
    `draw_candidates`. Scores are what each image adds, in nats.
    """

    passes: Repeats
    num_samples: Samples
    subset: UpToAll | None = None
    needs: ClassVar[frozenset[str]] = frozenset({"dropout"})
    order_invariant: ClassVar[bool] = False  # an image's masks are drawn by its place in its batch

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        candidates = draw_candidates(pool.unlabeled, self.subset, size, rng)
        seed = int(torch.randint(2**62, (), generator=rng))
        found = predict(model, pool.inputs, candidates, _probabilities, self.passes, seed)
        probabilities = found.unflatten(1, (self.passes, -1)).transpose(0, 1).double().contiguous()
        chosen, gains = most_informative(probabilities, size, self.num_samples, rng)
        return PoolQuery(candidates[chosen.to(pool.device)], scores=gains)


def _probabilities(passes: Tensor) -> Tensor:
    """(T, B, K[, H, W]) logits to (B, T K) probabilities, of maps the mean over pixels."""
    found = passes.float().softmax(2)
    return (found if found.dim() == 3 else found.flatten(3).mean(3)).transpose(0, 1).flatten(1)


def most_informative(probabilities: Tensor, size: int, num_samples: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """(size,) distinct positions, in order, and the (size,) mutual information in nats that each adds.

    probabilities: (T, U, K) of T draws of the weights, in float64, as information is a small difference of entropies.
    An image adds the expected entropy of its label beside those of the images before it, less the mean entropy of its
    label at known weights: by the chain rule the difference of two values of BatchBALD. Of images that add equally much
    one is drawn. Raises FloatingPointError at a probability that is NaN.
    """
    if probabilities.isnan().any():
        raise FloatingPointError("a probability is NaN")
    known = torch.special.entr(probabilities).sum(2).mean(0)
    order = torch.randperm(len(known), generator=rng).to(known.device)
    labelings = _Labelings(probabilities, num_samples, rng)
    picks: list[int] = []
    added = known.new_empty(size)
    for number in range(size):
        if number:
            labelings.add(picks[-1])
        gains = labelings.expected_entropies() - known
        gains[picks] = -torch.inf
        picks.append(int(order[gains[order].argmax()]))
        added[number] = gains[picks[-1]]  # a view would keep all gains of each pick
    return torch.tensor(picks, device=known.device), added.clamp_(min=0).float()


class _Labelings:
    """M labelings of the images picked: every one with its probability, or a sample in which all count alike.

    joint: (M, T) logarithms of a labeling's probability at each draw of the weights.
    """

    def __init__(self, probabilities: Tensor, num_samples: int, rng: torch.Generator) -> None:
        self.probabilities, self.rng = probabilities, rng
        self.logs = probabilities.clamp(min=torch.finfo(probabilities.dtype).tiny).log()
        self.most, self.picks = num_samples, list[int]()
        self.joint = probabilities.new_zeros(1, len(probabilities))
        self.drawn_at: Tensor | None = None  # (M,) the draw of the weights that each labeling of a sample is of

    def add(self, pick: int) -> None:
        """Each labeling goes on with a label of another image."""
        self.picks.append(pick)
        passes, _, classes = self.probabilities.shape
        if self.drawn_at is not None:
            self._draw_labels(self.drawn_at, pick)
        elif len(self.joint) * classes <= self.most:
            self.joint = (self.joint[:, None] + self.logs[:, pick].T).flatten(0, 1)
        else:
            self.drawn_at = torch.arange(passes, device=self.joint.device).repeat(-(-self.most // passes))
            self.joint = self.joint.new_zeros(len(self.drawn_at), passes)
            for image in self.picks:
                self._draw_labels(self.drawn_at, image)

    def _draw_labels(self, drawn_at: Tensor, image: int) -> None:
        """Draws a label of an image for each labeling, by the probabilities of its own draw of the weights."""
        bounds = self.probabilities[:, image].cumsum(1)[drawn_at, :-1].contiguous()
        draws = torch.rand(len(drawn_at), 1, generator=self.rng).to(bounds)
        labels = torch.searchsorted(bounds, draws, right=True).squeeze(1)
        self.joint += self.logs[:, image].T[labels]

    def expected_entropies(self) -> Tensor:
        """(U,) of each image's label, in nats, where those of the images picked are known; expected over these."""
        passes, _, classes = self.probabilities.shape
        weights = self.joint.softmax(1)  # of the draws, by Bayes' rule
        likely = self.joint.logsumexp(1).exp() / passes if self.drawn_at is None else 1 / len(weights)
        found = []
        for part in self.probabilities.split(max(1, _CHUNK // (len(weights) * classes)), dim=1):
            labels = (weights @ part.flatten(1)).unflatten(1, (-1, classes))  # (M, u, K)
            found.append((torch.special.entr(labels).sum(2).T * likely).sum(1))
        return torch.cat(found)
