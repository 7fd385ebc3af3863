"""Two examples on the line that WAAL begins with: sampling bias (Fig. 1), why W1 and not d_H (Fig. 2, App. C)."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from al_bench.active.part import declare
from al_bench.config.ranges import Seed
from al_bench.procedure import Procedure
from al_bench.procedure.record import record_measurement
from al_bench.procedure.terminal import outcome
from al_bench.procedure.toy import query_diversity as theory
from al_bench.procedure.toy.intervals import Array
from al_bench.procedure.toy.query_diversity import QueryDiversity
from al_bench.procedure.toy.sampling_bias import SamplingBias
from al_bench.storage.store import RunStore
from al_bench.training.cost import measure_cost

logger = logging.getLogger(__name__)

Table = dict[str, Any]

_DIGITS = 12  # of a metric: beyond them an exact 0.05 is not one
_MOST_ROWS = 13  # of the risks over annotations
_DISTANCES = {
    "w1_diverse": "W1(D1, D2)",
    "w1_biased": "W1(D1, D3)",
    "d_h_diverse": "d_H(D1, D2)",
    "d_h_biased": "d_H(D1, D3)",
    "equal_d_h_diverse": "d_H(D1, D2), equal shares",
    "equal_d_h_biased": "d_H(D1, D3), equal shares",
}


@declare("procedure/toy")
@dataclass(frozen=True)
class Toy(Procedure):
    """Simulates query rules on one problem, computes the distances of the other. seed: of the simulation's draws."""

    bias: SamplingBias
    diversity: QueryDiversity
    seed: Seed

    def run(self, store: RunStore) -> None:
        with measure_cost() as for_query:
            risks = self.bias.risks(self.seed)
        with measure_cost() as for_evaluation:
            distances = self.diversity.compute()
        tables = {
            "risk": risk_table(risks, self.bias),
            "final_risk": final_table(risks, self.bias),
            "distances": distance_table(distances, self.diversity),
            "closed_forms": closed_form_table(distances, self.diversity),
        }
        metrics = toy_metrics(risks, distances, self.bias)
        finished = verdict(metrics, list(risks))
        costs = {"query": for_query, "evaluate": for_evaluation}
        store.write_measurement(record_measurement(finished, metrics, tables, costs))
        logger.info(f"finished: {finished}\n{outcome(store.records)}")


def toy_metrics(risks: Mapping[str, Array], distances: Mapping[str, Array], bias: SamplingBias) -> dict[str, float]:
    """Each rule's risk after its last query, mean over draws; both sides of Eq. 3; by how much d_H tells the queries
    apart at one x0, at most, and where data and query have equally many observations at least."""
    gaps = {kind: np.abs(distances[f"{kind}_diverse"] - distances[f"{kind}_biased"]) for kind in ("d_h", "equal_d_h")}
    found = {
        **{f"{name}_risk": rows[:, -1].mean() for name, rows in risks.items()},
        "suboptimal_risk": max(bias.minima),
        "optimal_risk": min(bias.minima),
        "w1_diverse_maximum": distances["w1_diverse"].max(),
        "w1_biased_minimum": np.nanmin(distances["w1_biased"]),
        "d_h_diverse": distances["d_h_diverse"].mean(),
        "d_h_biased": np.nanmean(distances["d_h_biased"]),
        "d_h_largest_gap": np.nanmax(gaps["d_h"]),
        "equal_d_h_smallest_gap": np.nanmin(gaps["equal_d_h"]),
    }
    return {name: round(float(value), _DIGITS) for name, value in found.items()}


def verdict(metrics: Mapping[str, float], rules: Sequence[str]) -> str:
    """The result in a sentence."""
    ends = ", ".join(f"{name} {metrics[f'{name}_risk']:.1%}" for name in rules)
    most, least, *both = (
        f"{metrics[name]:.3g}" for name in ("w1_diverse_maximum", "w1_biased_minimum", "d_h_diverse", "d_h_biased")
    )
    return (
        f"final risks, of which {metrics['optimal_risk']:.1%} is the least: {ends}; W1 is at most {most} for the "
        f"diverse query and at least {least} for the biased one, while d_H is {' and '.join(both)}"
    )


def risk_table(risks: Mapping[str, Array], bias: SamplingBias) -> Table:
    """The mean over draws, denser where there are few labels, and a plot of it."""
    shown = np.unique(np.geomspace(1, bias.queries + 1, _MOST_ROWS).round().astype(int)) - 1
    rows = [
        [bias.initial_size + queries, *(float(of_rule[:, queries].mean()) for of_rule in risks.values())]
        for queries in shown.tolist()
    ]
    about = f"Fig. 1: exact risk of the threshold, mean over {bias.draws} draws of a pool and of its initial labels"
    plot = {"about": "risk", "x": "annotations", "y": list(risks)}
    return {"about": about, "columns": ["annotations", *risks], "rows": rows, "plots": [plot]}


def final_table(risks: Mapping[str, Array], bias: SamplingBias) -> Table:
    """Where each rule ends."""
    middle = (min(bias.minima) + max(bias.minima)) / 2
    ends = {name: rows[:, -1] for name, rows in risks.items()}
    rows = [
        [name, *map(float, (end.mean(), end.min(), end.max(), (end > middle).mean()))] for name, end in ends.items()
    ]
    about = (
        f"Fig. 1: risk after {bias.initial_size + bias.queries} labels; the boundaries that no small move betters have "
        f"{' and '.join(f'{risk:.1%}' for risk in bias.minima)}"
    )
    columns = ["rule", "mean risk", "lowest", "highest", f"share of draws that end near {max(bias.minima):.1%}"]
    return {"about": about, "columns": columns, "rows": rows}


def distance_table(distances: Mapping[str, Array], diversity: QueryDiversity) -> Table:
    """Every distance at every x0, and a plot of each kind."""
    columns = [diversity.centers, *(distances[name] for name in _DISTANCES)]
    rows = np.stack(columns, 1).tolist()
    plots = [
        {"about": kind, "x": "x0", "y": [label for label in _DISTANCES.values() if label.startswith(kind)]}
        for kind in ("W1", "d_H")
    ]
    about = (
        f"Fig. 2: the data D1, a diverse query D2, a biased one D3 where it lies within D1; a = {diversity.a:g} and "
        f"b = {diversity.b:g}, exact; observations in proportion to lengths as in App. C, or equal fractions of both"
    )
    return {"about": about, "columns": ["x0", *_DISTANCES.values()], "rows": rows, "plots": plots}


def closed_form_table(distances: Mapping[str, Array], diversity: QueryDiversity) -> Table:
    """What is computed from the distributions, what its formula says, what the appendix prints."""
    a, b = diversity.a, diversity.b
    exact, printed = theory.divergence(a, b), ("b/(a + b)", theory.printed_divergence(a, b))
    last, least = 2 * a - b / 2, theory.least_of_biased(a, b)
    own = "(x0 - 3b/2)^2 / (2(a - b)) - x0 + 2b + 3a/2", theory.printed_diverse_distance(a, b, last)
    most = "3a/2 - b/2", theory.printed_most_of_diverse(a, b)
    found = {name: (np.nanmin(values), np.nanmax(values)) for name, values in distances.items()}
    rows = [
        ["max of W1(D1, D2) over x0", found["w1_diverse"][1], theory.most_of_diverse(a, b), *most],
        ["W1(D1, D2) at x0 = 2a - b/2", distances["w1_diverse"][-1], theory.diverse_distance(a, b, last), *own],
        ["min of W1(D1, D3) over x0", found["w1_biased"][0], least, "a^2 / (2(a - b)) + a - b", least],
        ["max of d_H(D1, D2) over x0", found["d_h_diverse"][1], exact, *printed],
        ["max of d_H(D1, D3) over x0", found["d_h_biased"][1], exact, *printed],
    ]
    rows = [[name, float(computed), *others] for name, computed, *others in rows]
    about = "Fig. 2: from the distributions, by the closed form, and as App. C prints it"
    columns = ["quantity", "computed", "closed form", "App. C prints", "which is"]
    return {"about": about, "columns": columns, "rows": rows}
