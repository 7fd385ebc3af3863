import torch

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.evaluator import Evaluation
from al_bench.procedure.record import record_cycle, tensors_of


def test_a_trace_of_numbers_goes_into_the_record_and_images_stay_tensors():
    rows = torch.tensor([0.1, float("nan"), 1 / 3])
    trace = {"entropy_after": rows, "generated": torch.zeros(3, 1, 2, 2, dtype=torch.uint8)}
    query, labels = PoolQuery(torch.tensor([4, 2, 7]), scores=rows, trace=trace), torch.tensor([0, 1, 0])
    pool = Pool.unlabeled_from(torch.zeros(9, 1, 2, 2, dtype=torch.uint8), 2).with_labels(query, labels)
    evaluation = Evaluation({"accuracy": 2 / 3}, torch.tensor([True, False, True]))
    record = record_cycle(
        1, pool, query, labels, None, evaluation, {}, 0, {"iteration": [4.0, 8.0], "fid": [2.5, float("inf")]}
    )
    assert record.trace == {"entropy_after": [0.1, None, 0.33333334]}, "the fewest digits of a float32"
    assert torch.tensor(record.trace["entropy_after"][2], dtype=torch.float32) == rows[2]
    assert record.query.scores == record.trace["entropy_after"]
    maps = torch.ones(2, 3, 3, dtype=torch.uint8)
    assert torch.equal(tensors_of(query, None, Evaluation({}, predicted=maps))["predicted"], maps)
    tensors = tensors_of(query, labels, evaluation)
    assert set(tensors) == {"labels", "correct", "trace.entropy_after", "trace.generated"}
    assert (tensors["correct"].tolist(), record.test_images) == ([0b10100000], 3), "a bit for each test image"
