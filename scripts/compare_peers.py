"""How many picks of our strategies scikit-activeml's functions make too, on the same embeddings and probabilities.

Needs the extra dev. Writes conf/strategy/peers.csv, from which the report has its column.
"""

import argparse
import csv
import io
from collections.abc import Callable, Mapping
from importlib.metadata import version
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from skactiveml import pool as peers
from skactiveml.base import SkactivemlClassifier
from torch import Tensor, nn

from al_bench import seeding
from al_bench.active.inputs import read_all
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.analysis.peers import COLUMNS
from al_bench.config import experiment as config
from al_bench.config.groups import CONF
from al_bench.config.validation import show
from al_bench.files import output_file, written_whole
from al_bench.network import Network
from al_bench.network.predict import predict
from al_bench.strategy import Strategy
from al_bench.training.interruption import as_command

SEEDS, NUM_POINTS, NUM_LABELED, NUM_CLASSES, NUM_FEATURES, ASKED = 5, 400, 40, 4, 16, 30

Peer = tuple[str, Mapping[str, Any], Mapping[str, Any]]  # function, its arguments, and those of ours that make both one
DROPOUT = {"dropout_rate": 0.75, "n_dropout_samples": 3}
COMMITTEE = {"sample_predictions_method_name": "predict_passes"}
PEERS: Mapping[str, Peer] = {
    "least_confidence": ("UncertaintySampling", {"method": "least_confident"}, {}),
    "margin": ("UncertaintySampling", {"method": "margin_sampling"}, {}),
    "entropy": ("UncertaintySampling", {"method": "entropy"}, {}),
    "bald": ("GreedyBALD", {**COMMITTEE, "sample_predictions_dict": {"passes": 10}}, {}),
    "power_bald": ("GreedyBALD", {**COMMITTEE, "sample_predictions_dict": {"passes": 10}}, {"beta": 10**9}),
    "batchbald": ("BatchBALD", {**COMMITTEE, "sample_predictions_dict": {"passes": 100}, "n_MC_samples": 1000}, {}),
    "coreset": ("CoreSet", {}, {}),
    "badge": ("Badge", {}, {}),
    "typiclust": ("TypiClust", {"k": 20}, {}),
    "probcover": (
        "ProbCover",
        {"n_classes": NUM_CLASSES, "deltas": [4.5]},
        {"delta": 4.5, "normalize": False},
    ),
    "contrastive_al": ("ContrastiveAL", {"nearest_neighbors_dict": {"n_neighbors": 10}}, {}),
    "dropquery": ("DropQuery", {**DROPOUT, "cluster_algo_dict": {"random_state": 0}}, {}),  # else it draws anew
    "maxherding": ("MaxHerding", {"metric_dict": {"gamma": 1.0}}, {}),
}


class Known(SkactivemlClassifier):  # type: ignore[misc]  # has no types
    """Gives a network's predictions of inputs that are embedded as they are.

    seed: of the generator that ours is given, whose first draw seeds its dropout.
    """

    def __init__(self, network: Network | None = None, seed: int = 0) -> None:
        super().__init__(classes=list(range(NUM_CLASSES)), missing_label=np.nan)
        self.network, self.seed = network, seed

    def fit(self, *_: Any, **__: Any) -> "Known":
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, inputs: np.ndarray) -> np.ndarray:
        assert self.network is not None
        with torch.no_grad():
            found: np.ndarray = self.network(torch.from_numpy(inputs).float()).double().softmax(1).numpy()
        return found

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        found: np.ndarray = self.predict_proba(inputs).argmax(1)
        return found

    def predict_passes(self, inputs: np.ndarray, passes: int) -> np.ndarray:
        """(T, N, K) of passes with the dropout that ours draws."""
        assert self.network is not None
        seed = int(torch.randint(2**62, (), generator=seeding.generator(self.seed)))
        rows = torch.from_numpy(inputs).float()
        found = predict(self.network, rows, torch.arange(len(rows)), _by_row, passes, seed)  # (N, T, K)
        return found.transpose(0, 1).double().softmax(2).numpy()


def _by_row(passes: Tensor) -> Tensor:
    return passes.transpose(0, 1)


def main() -> None:
    """Compares, prints and writes."""
    to = parse().to
    rows = [measure(name) for name in PEERS]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows])
    print(text.getvalue(), end="")
    with written_whole(output_file(to)) as file:
        file.write(text.getvalue().encode())
    print(f"written to {to}")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=CONF / "strategy" / "peers.csv", help="(conf/strategy/peers.csv)")
    return parser.parse_args()


def measure(name: str) -> tuple[str, str, int, int, int]:
    """A row: how many of the picks of all seeds are the same."""
    function, arguments, own = PEERS[name]
    equal = 0
    for seed in range(SEEDS):
        network, pool = made(seed)
        ours = made_strategy(name, own).query(network, pool, ASKED, seeding.generator(seed))
        assert isinstance(ours, PoolQuery)
        equal += len(
            set(ours.indices.tolist()) & set(ask_peer(getattr(peers, function), arguments, network, pool, seed))
        )
    at = " and ".join(f"{key}={show(value)}" for key, value in own.items())
    peer = f"scikit-activeml {version('scikit-activeml')} {function}{f' at {at}' if at else ''}"
    return name, peer, SEEDS, SEEDS * ASKED, equal


def made(seed: int) -> tuple[Network, Pool]:
    """A linear model with dropout that was not trained, and points around middles of which classes have two each."""
    rng = seeding.generator(seed)
    with seeding.fork(seed):
        network = Network(nn.Identity(), nn.Dropout(), nn.Linear(NUM_FEATURES, NUM_CLASSES)).eval()
    labels = torch.randint(NUM_CLASSES, (NUM_POINTS,), generator=rng)
    middles = 2 * torch.randn(2 * NUM_CLASSES, NUM_FEATURES, generator=rng)
    chosen = labels + NUM_CLASSES * torch.randint(2, (NUM_POINTS,), generator=rng)
    points = middles[chosen] + torch.randn(NUM_POINTS, NUM_FEATURES, generator=rng)
    labeled = torch.arange(NUM_LABELED)
    pool = Pool.unlabeled_from(points, NUM_CLASSES).with_labels(PoolQuery(labeled), labels[:NUM_LABELED])
    return network, pool


def made_strategy(name: str, own: Mapping[str, Any]) -> Strategy:
    """The strategy as conf/strategy has it."""
    node = yaml.safe_load((CONF / "strategy" / f"{name}.yaml").read_text())
    strategy: Strategy = config.made({**node, **own})
    return strategy


def ask_peer(
    function: Callable[..., Any], arguments: Mapping[str, Any], network: Network, pool: Pool, seed: int
) -> list[int]:
    """Positions that it picks."""
    peer = function(missing_label=np.nan, random_state=seed, **arguments)
    labels = np.full(NUM_POINTS, np.nan)
    labels[pool.labeled.numpy()] = pool.labels.numpy()
    taken, model = signature(peer.query).parameters, Known(network, seed)
    known = {
        name: value
        for kind in ("clf", "ensemble")
        if kind in taken
        for name, value in ((kind, model), (f"fit_{kind}", False))
    }
    points = read_all(pool.inputs).double().numpy()
    return [int(position) for position in peer.query(points, labels, batch_size=ASKED, **known)]


if __name__ == "__main__":
    with as_command():
        main()
