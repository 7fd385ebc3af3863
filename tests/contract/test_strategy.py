"""What every strategy promises to the loop (al_bench/strategy/__init__.py)."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from composing import members, on_digits, part
from torch import Tensor

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery, Query, SyntheticQuery
from al_bench.dataset import Dataset, Split
from al_bench.learner import Learner
from al_bench.network import Network
from al_bench.procedure.compatibility import refuse_misfits
from al_bench.seeding import generator
from al_bench.storage.artifacts import Artifacts
from al_bench.strategy import Strategy

NUM_LABELED, SIZE = 60, 15
PROVIDED_BY = {"embedding": "embed", "labeledness": "labeledness", "predicted_loss": "predicted_loss"}


@dataclass(frozen=True)
class Case:
    """A strategy in the run that its own file composes, on 200 digits, with a model that was trained a little."""

    overrides: tuple[str, ...]
    dataset: Dataset
    artifacts: Artifacts
    learner: Learner
    model: Network

    def strategy(self, dataset: Dataset) -> Strategy:
        """Prepared as in a run: with images, and no label."""
        made: Strategy = part("strategy", *self.overrides)
        made.prepare(dataset.blind(), self.artifacts)
        return made

    def query(self, pool: Pool, size: int = SIZE, seed: int = 0) -> Query:
        return self.strategy(self.dataset).query(self.model, pool, size, generator(seed))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("artifacts")


@pytest.fixture(scope="module", params=members("strategy"))
def case(request: pytest.FixtureRequest, folder: Path) -> Case:
    overrides = on_digits(f"strategy={request.param}", "scale=smoke")
    artifacts = Artifacts(folder)
    images: Dataset = part("dataset", *overrides)
    dataset: Dataset = part("representation", *overrides).apply(images, artifacts)
    learner: Learner = part("learner", *overrides)
    learner.prepare(dataset.blind(), artifacts)
    return Case(overrides, dataset, artifacts, learner, learner.fit(labeled(dataset, NUM_LABELED), None, seed=0))


def labeled(dataset: Dataset, count: int) -> Pool:
    indices = torch.randperm(len(dataset.train), generator=generator(0))[:count]
    pool = Pool.unlabeled_from(dataset.train.images, dataset.num_classes)
    return pool.with_labels(PoolQuery(indices), dataset.train.labels[indices])


@pytest.fixture
def pool(case: Case) -> Pool:
    return labeled(case.dataset, NUM_LABELED)


def same(first: Query, second: Query) -> bool:
    pairs = ((rows_of(first), rows_of(second)), (first.scores, second.scores))
    return all((mine is None and other is None) or torch.equal(mine, other) for mine, other in pairs)  # type: ignore[arg-type]


def rows_of(query: Query) -> Tensor:
    """What is asked for."""
    return query.synthetic if isinstance(query, SyntheticQuery) else query.indices


def test_what_is_withheld_is_not_asked_for(case: Case, pool: Pool) -> None:
    withheld = pool.unlabeled[torch.arange(len(pool.unlabeled)) % 5 > 0]
    query = case.query(replace(pool, withheld=withheld))
    if isinstance(query, PoolQuery):
        assert set(query.indices.tolist()) <= set(pool.unlabeled.tolist()) - set(withheld.tolist())


def test_asks_for_exactly_as_many_as_it_is_told(case: Case, pool: Pool) -> None:
    for size in (1, SIZE):
        query = case.query(pool, size)
        assert query.size == size
        beside = (query.shown,) if isinstance(query, SyntheticQuery) else (query.ranks,)
        for rows in (query.scores, *beside, *query.trace.values()):
            assert rows is None or len(rows) == size
        assert query.scores is None or query.scores.isfinite().all()


def test_records_what_it_declares_and_nothing_else(case: Case, pool: Pool) -> None:
    """One that finds the pool's best only when it is told to scan declares that too."""
    declared = [recorded.name for recorded in case.strategy(case.dataset).records]
    assert len(declared) == len(set(declared))
    assert set(case.query(pool).trace) <= set(declared)
    assert not declared or case.query(pool).trace


def test_asks_for_distinct_unlabeled_images_or_for_new_ones(case: Case, pool: Pool) -> None:
    strategy, query = case.strategy(case.dataset), case.query(pool)
    assert strategy.synthesizes == isinstance(query, SyntheticQuery)
    if isinstance(query, PoolQuery):
        assert query.indices.dtype == torch.int64
        assert len(set(query.indices.tolist())) == SIZE
        assert set(query.indices.tolist()) <= set(pool.unlabeled.tolist())
        pool.with_labels(query, torch.zeros(SIZE))
    else:
        assert query.synthetic.dtype == pool.inputs.dtype
        assert query.synthetic.shape[2:] == pool.inputs.shape[1:]


def test_the_generator_it_is_given_is_its_only_source_of_randomness(case: Case, pool: Pool) -> None:
    torch.manual_seed(1)
    first, state = case.query(pool), torch.get_rng_state()
    torch.manual_seed(2)
    assert same(first, case.query(pool))
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state), "the global generator stands where it stood"


def test_model_and_pool_stay_as_they_were(case: Case, pool: Pool) -> None:
    next(case.model.children()).train()
    before = snapshot(case.model, pool)
    case.query(pool)
    after = snapshot(case.model, pool)
    case.model.eval()
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert torch.equal(value, after[name]) if isinstance(value, Tensor) else value == after[name], name


def snapshot(model: Network, pool: Pool) -> dict[str, Any]:
    """All that could be changed by accident."""
    pooled = {name: getattr(pool, name).clone() for name in ("labeled", "labels", "synthetic", "synthetic_labels")}
    return {
        **{f"weight {name}": value.clone() for name, value in model.state_dict().items()},
        **{f"mode {name}": module.training for name, module in model.named_modules()},
        **{f"grad {name}": value.grad for name, value in model.named_parameters()},
        **{f"trainable {name}": value.requires_grad for name, value in model.named_parameters()},
        **pooled,
        "inputs": pool.inputs[torch.arange(len(pool))].clone(),
        "annotations": pool.annotations,
    }


def test_takes_all_that_is_left(case: Case) -> None:
    pool = labeled(case.dataset, len(case.dataset.train) - 7)
    query = case.query(pool, size=7)
    assert query.size == 7
    if isinstance(query, PoolQuery):
        assert sorted(query.indices.tolist()) == pool.unlabeled.tolist()


def test_the_order_of_the_pool_does_not_matter_unless_it_says_so(case: Case, pool: Pool) -> None:
    if not case.strategy(case.dataset).order_invariant:
        pytest.skip("says that it does")
    order = torch.randperm(len(pool), generator=generator(5))
    place = order.argsort()  # of each image in the new order
    shuffled = replace(case.dataset, train=case.dataset.train.subset(order))
    other = replace(pool, inputs=shuffled.train.images, labeled=place[pool.labeled])
    found = rows_of(case.strategy(shuffled).query(case.model, other, SIZE, generator(0)))
    expected = rows_of(case.query(pool))
    assert set(order[found].tolist()) == set(expected.tolist())


def test_equals_are_drawn_by_the_generator_wherever_they_lie(case: Case) -> None:
    """Identical images that lie by class, 150 of each in three batches: over the seeds both are asked for evenly."""
    half, seeds, size = 150, 3, 20
    one = case.dataset.train.images[torch.tensor([70])]
    alike = one.expand(2 * half, *one.shape[1:]).clone()
    dataset = replace(case.dataset, train=Split(alike, torch.arange(2 * half) // half))
    pool = Pool.unlabeled_from(alike, dataset.num_classes)
    pool = pool.with_labels(PoolQuery(torch.tensor([0, half])), torch.tensor([0, 1]))
    strategy = case.strategy(dataset)

    def picks(seed: int) -> Tensor:
        query = strategy.query(case.model, pool, size, generator(seed))
        if isinstance(query, SyntheticQuery) and "position" not in query.trace:
            pytest.skip("asks for no image of the pool")
        return query.indices if isinstance(query, PoolQuery) else query.trace["position"]

    picked = [picks(seed) for seed in range(seeds)]
    assert torch.equal(picked[1], picks(1))
    assert len({tuple(found.tolist()) for found in picked}) == seeds
    share = float((torch.cat(picked) < half).double().mean())
    assert share == pytest.approx(0.5, abs=0.26), "four standard errors of sixty draws"


def test_what_it_needs_is_there_and_it_takes_no_more(case: Case, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    strategy = case.strategy(case.dataset)
    oracle, representation = part("oracle", *case.overrides), part("representation", *case.overrides)
    refuse_misfits(strategy, case.learner, case.model, oracle, representation)
    for capability, method in PROVIDED_BY.items():
        if capability not in strategy.needs:
            monkeypatch.setattr(case.model, method, undeclared(capability), raising=False)
    if "dropout" not in strategy.needs:
        monkeypatch.setattr("al_bench.network.dropout_passes.dropout_on", undeclared("dropout"))
    strategy.query(case.model, pool, SIZE, generator(0))


def undeclared(capability: str) -> Callable[..., Tensor]:
    def refuse(*arguments: Any) -> Tensor:
        raise AssertionError(f"asks for {capability} and does not say so in `needs`")

    return refuse


def test_works_on_label_maps_unless_it_needs_classes(case: Case) -> None:
    if case.strategy(case.dataset).needs_images or case.strategy(case.dataset).synthesizes:
        pytest.skip("generates images of one class")
    overrides = ("dataset=shapes_seg", *case.overrides[1:])
    maps: Dataset = part("dataset", *overrides)
    indices = torch.arange(30)
    pool = Pool.unlabeled_from(maps.train.images, maps.num_classes, maps.map_shape)
    pool = pool.with_labels(PoolQuery(indices), maps.train.labels[indices])
    model = part("learner", *overrides).empty(pool, seed=0).eval()
    query = part("strategy", *overrides).query(model, pool, SIZE, generator(0))
    assert set(query.indices.tolist()) <= set(pool.unlabeled.tolist())
    assert query.size == SIZE


def test_a_blind_data_set_hides_labels_and_other_splits() -> None:
    dataset: Dataset = part("dataset", "dataset=digits", "scale=smoke")
    blind = dataset.blind()
    assert blind.train.images is dataset.train.images
    uses: list[Callable[[], Any]] = [
        lambda: blind.train.labels[0],
        lambda: blind.train.labels.shape,
        lambda: len(blind.train.labels),
        lambda: blind.train.labels == 3,
        lambda: np.asarray(blind.train.labels),
        lambda: blind.train.subset(torch.arange(2)),
        lambda: blind.test.images,
        lambda: len(blind.test),
        lambda: bool(blind.validation),
        lambda: blind.validation.labels,  # type: ignore[union-attr]
    ]
    for use in uses:
        with pytest.raises(PermissionError):
            use()


GOLDEN = Path(__file__).with_name("golden.json")
DRAWS = {"typiclust": 1, "probcover": 1, "vaal": 1}  # for 0 comes so near a tie that a processor's rounding decides
ROUNDING = {torch.uint8: 0.25, torch.float32: 1e-3}  # of a synthetic input's mean, on other processors


def selected(case: Case, pool: Pool, name: str) -> list[float]:
    """What is asked for with a model whose weights are drawn and not trained: positions in order, or, of synthetic
    inputs, the mean of each.

    Inputs that a training made, which rounding moves, are drawn in the place of it.
    """
    dataset = case.dataset
    if pool.inputs.dtype == torch.float32:
        drawn = torch.randn(pool.inputs.shape, generator=generator(7))
        dataset = replace(dataset, train=Split(drawn, dataset.train.labels[:]))
        pool = labeled(dataset, NUM_LABELED)
    model = case.learner.empty(pool, seed=11).eval()
    query = case.strategy(dataset).query(model, pool, SIZE, generator(DRAWS.get(name, 0)))
    rows = rows_of(query)
    return rows.tolist() if isinstance(query, PoolQuery) else rows.flatten(1).double().mean(1).tolist()


def test_it_selects_what_it_did(case: Case, pool: Pool, request: pytest.FixtureRequest) -> None:
    """`pytest tests/contract/test_strategy.py --write-golden` writes what is selected now: where a revision was raised.

    The numbers hold with other vector instructions, too (OPENBLAS_CORETYPE=SkylakeX, ONEDNN_MAX_CPU_ISA=AVX2; of
    ATEN_CPU_CAPABILITY=default all but those of contrastive_al)."""
    name = str(request.node.callspec.params["case"])
    found = selected(case, pool, name)
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if request.config.getoption("--write-golden"):
        lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in sorted({**golden, name: found}.items())]
        GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")
        return
    if case.strategy(case.dataset).synthesizes:
        assert found == pytest.approx(golden[name], abs=ROUNDING[pool.inputs.dtype])
    else:
        assert found == golden[name]


def test_the_golden_selections_are_of_the_strategies_that_are_there() -> None:
    golden = json.loads(GOLDEN.read_text())
    assert sorted(golden) == sorted(members("strategy"))
    assert len({str(value) for value in golden.values()}) > len(golden) / 2, "they differ"
