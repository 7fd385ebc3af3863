import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from al_bench.active import scores
from al_bench.active.pool import Pool
from al_bench.active.query import Lowest, PoolQuery, SyntheticQuery
from al_bench.evaluator import Evaluation
from al_bench.network import Network
from al_bench.network.predict import predict
from al_bench.procedure.record import guess_chosen, record_cycle, tensors_of
from al_bench.training.cost import Cost


class Given(Network):
    """Its inputs are the logits."""

    def __init__(self):
        super().__init__(nn.Flatten(), nn.Identity(), nn.Linear(3, 3, bias=False))
        self.head.weight = nn.Parameter(torch.eye(3))


LOGITS = torch.tensor([[0.0, math.log(2), 0.0], [math.log(6), 0.0, 0.0], [0.0, 0.0, math.log(2)], [9.0, 0.0, 0.0]])


def test_a_guess_is_the_most_likely_class_by_the_model_that_chose():
    query, pool = PoolQuery(torch.tensor([2, 0, 1])), Pool.unlabeled_from(LOGITS, 3)
    found = guess_chosen(Given(), pool, query, torch.tensor([1, 1, -1]))
    assert found.classes.tolist() == [2, 1, 0]
    assert found.of_guess.tolist() == pytest.approx([0.5, 0.5, 0.75])
    assert found.of_answer.tolist() == pytest.approx([0.25, 0.5, math.nan], nan_ok=True)
    assert torch.equal(found.entropies, predict(Given(), LOGITS, query.indices, scores.entropy)), "as without guesses"
    assert guess_chosen(None, pool, query, torch.tensor([1, 1, 0])) is None


def test_many_chosen_ones_keep_their_order():
    order = torch.randperm(400, generator=torch.Generator().manual_seed(0))
    pool = Pool.unlabeled_from(LOGITS.repeat(100, 1), 3)
    found = guess_chosen(Given(), pool, PoolQuery(order), torch.arange(400) % 3)
    assert torch.equal(found.classes, LOGITS.argmax(1)[order % 4])
    probs = LOGITS.softmax(1)[order % 4]
    assert torch.allclose(found.of_answer, probs[torch.arange(400), torch.arange(400) % 3])


def test_maps_and_synthetic_inputs_have_entropies_alone():
    pool = Pool.unlabeled_from(LOGITS, 3)
    maps = guess_chosen(Given(), pool, PoolQuery(torch.tensor([1])), torch.zeros(1, 2, 2, dtype=torch.uint8))
    drawn = guess_chosen(Given(), pool, SyntheticQuery(LOGITS[:2, None]), torch.tensor([[0], [1]]))
    assert (len(maps.entropies), maps.classes) == (1, None)
    assert (len(drawn.entropies), drawn.of_answer) == (2, None)


def test_a_trace_of_numbers_goes_into_the_record_and_images_stay_tensors():
    rows = torch.tensor([0.1, float("nan"), 1 / 3])
    trace = {"entropy_after": rows, "generated": torch.zeros(3, 1, 2, 2, dtype=torch.uint8)}
    query, labels = PoolQuery(torch.tensor([4, 2, 7]), scores=rows, trace=trace), torch.tensor([0, 1, 0])
    pool = Pool.unlabeled_from(torch.zeros(9, 1, 2, 2, dtype=torch.uint8), 2).with_labels(query, labels)
    evaluation = Evaluation({"accuracy": 2 / 3}, torch.tensor([True, False, True]))
    costs = {"fit": Cost(losses={"it": {"iteration": [8.0], "loss": [0.1]}})}
    observed = {"iteration": [4.0, 8.0], "fid": [2.5, float("inf")]}
    record = record_cycle(1, pool, query, labels, None, evaluation, costs, 0, observed)
    assert record.losses == {"it": {"iteration": [8.0], "loss": [0.1]}}, "of float32, in as few digits"
    assert record.query.guesses is None and "guesses" not in record.plain()["query"], "of initial labels"
    assert record.query.lowest is None and "lowest" not in record.plain()["query"]
    ranked = replace(query, lowest=Lowest(torch.tensor([8]), torch.tensor([0.1])))
    record = record_cycle(1, pool, ranked, labels, None, evaluation, costs, 0, observed)
    assert record.plain()["query"]["lowest"] == {"indices": [8], "scores": [0.1]}
    assert record.trace == {"entropy_after": [0.1, None, 0.33333334]}, "the fewest digits of a float32"
    assert torch.tensor(record.trace["entropy_after"][2], dtype=torch.float32) == rows[2]
    assert record.query.scores == record.trace["entropy_after"]
    assert "measured_by" not in record.plain()
    judged = record_cycle(1, pool, query, labels, None, replace(evaluation, measured_by="0a1b"), costs, 0, observed)
    assert judged.plain()["measured_by"] == "0a1b"
    maps = torch.ones(2, 3, 3, dtype=torch.uint8)
    assert torch.equal(tensors_of(query, None, Evaluation({}, predicted=maps))["predicted"], maps)
    tensors = tensors_of(query, labels, evaluation)
    assert set(tensors) == {"labels", "correct", "trace.entropy_after", "trace.generated"}
    assert (tensors["correct"].tolist(), record.test_images) == ([0b10100000], 3), "a bit for each test image"
