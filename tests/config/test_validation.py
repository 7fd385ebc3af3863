"""A configuration is held to the signatures of its parts before anything is built."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from composing import compose, members
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from al_bench.config.ranges import CountOrAll, Counts, Fraction, Precision, ProperFraction, Threads
from al_bench.config.top_level import refuse_top_level
from al_bench.config.validation import load_target, refuse_arguments, refuse_value, show
from al_bench.config.values import written_and_resolved
from al_bench.errors import UserError
from al_bench.matcher import Matcher


@dataclass
class Part:
    """What configurations of these tests describe."""

    size: PositiveInt
    network: nn.Module | None = None
    rate: float | Tensor = 0.1
    channels: PositiveInt | Sequence[PositiveInt] = 1
    betas: tuple[float, float] = (0.9, 0.99)
    make: Callable[[], Any] | None = None


def refused(written: dict[str, Any], resolved: dict[str, Any] | None = None) -> str:
    """The sentence about the part at "it", empty where it is taken."""
    try:
        refuse_arguments(written, resolved or written, "it")
    except UserError as error:
        return str(error)
    return ""


def described(**arguments: Any) -> dict[str, Any]:
    return {"_target_": f"{__name__}.Part", "_partial_": True, **arguments}


@dataclass
class Holder:
    """A part of one of the project's own families."""

    matcher: Matcher


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest does not make this module known by its name."""
    monkeypatch.setitem(sys.modules, __name__, SimpleNamespace(Part=Part, Holder=Holder))


@pytest.mark.parametrize(
    ("annotation", "good", "bad", "sentence"),
    [
        (PositiveInt, 1, 0, "must be more than 0"),
        (PositiveInt, 10**9, 1.0, "must be a whole number"),
        (PositiveInt | None, None, 0, "must be more than 0 or null"),
        (NonNegativeInt, 0, -1, "must be at least 0"),
        (PositiveFloat, 1, 0, "must be more than 0"),
        (PositiveFloat, 1e-9, float("inf"), "must be a finite number"),
        (NonNegativeFloat, 0, -0.1, "must be at least 0"),
        (NonNegativeFloat, 0.5, float("nan"), "must be a finite number"),
        (Fraction, 1, 1.01, "must be at most 1"),
        (float, 0.5, "much", "must be a number"),
        (float, 1e300, float("inf"), "must be a finite number"),
        (float, -1, float("nan"), "must be a finite number"),
        (float, 1, True, "must be a number"),
        (int, -1, True, "must be a whole number"),
        (bool, False, 0, "must be true or false"),
        (str, "1", 1, "must be text"),
        (Precision, "32-true", "fp8", "must be '32-true', 'bf16-mixed' or '16-mixed'"),
        (Literal["a", "b"] | None, None, "c", "must be 'a' or 'b' or null"),
        (Sequence[PositiveInt], [1, 2], [1, 0], "must be more than 0"),
        (Sequence[PositiveInt] | PositiveInt, 3, "three", "must be a list or a whole number"),
        (tuple[float, float], [0.5, 0.9], [0.5, "x"], "must be a number"),
        (tuple[int, ...], [1, 2, 3], [1.5], "must be a whole number"),
        (float | Tensor, 0.1, "x", "must be a number"),
        (Mapping[str, float], {"accuracy": 0.9}, {"accuracy": "high"}, "must be a number"),
        (Mapping[str, float] | None, None, 0.9, "must be a mapping or null"),
        (ProperFraction, 0.5, 1, "must be less than 1"),
        (CountOrAll, float("inf"), 0.5, "must be at least 1"),
        (CountOrAll, 30.0, 30.5, "must be a whole number"),
        (Counts, [1], [], "must be a list that is not empty"),
        (str | Path | None, "data", "", "must be text that is not empty or null"),
        (Threads | None, 256, 100000, "must be at most 256 or null"),
        (nn.Module | None, None, "anything", "must be a part, a node with a _target_"),
        (Callable[[], int], {"_target_": "a.b"}, 3, "must be a part, a node with a _target_"),
        (nn.Module, {"_target_": "a.b"}, {"a": {"_target_": "a.b"}}, "must be a part, a node with a _target_"),
        (Mapping[str, nn.Module], {"a": {"_target_": "a.b"}}, {"a": "c"}, "must be a part, a node with a _target_"),
        (Sequence[Tensor], [], None, "must be a part, a node with a _target_"),
        (CountOrAll, 1, float("nan"), "must be at least 1"),
    ],
)
def test_a_value_is_of_its_annotation(annotation: Any, good: Any, bad: Any, sentence: str) -> None:
    refuse_value("key", good, annotation)
    with pytest.raises(UserError) as refusal:
        refuse_value("key", bad, annotation)
    assert str(refusal.value).startswith("key") and str(refusal.value).endswith(sentence)


@pytest.mark.parametrize("annotation", [Any, None])
def test_what_has_no_annotation_is_left_to_the_part(annotation: Any) -> None:
    refuse_value("key", "anything", annotation)


def test_a_part_within_a_value_is_looked_at_by_itself() -> None:
    for node in ({"_target_": "torch.nn.ReLU"}, [{"_target_": "torch.nn.ReLU"}], {"a": {"_target_": "torch.nn.ReLU"}}):
        refuse_value("key", node, PositiveInt)


def test_an_argument_is_named_as_its_user_types_it() -> None:
    with pytest.raises(UserError, match=r"^key\.accuracy=high must be a number$"):
        refuse_value("key", {"loss": 1, "accuracy": "high"}, Mapping[str, float] | None)
    assert refused({"it": described(size=1)}) == ""
    assert refused({"it": described(size=0)}) == "it.size=0 must be more than 0"
    elsewhere = {"it": described(size="${recipe.size}"), "recipe": {"size": "${most}"}, "most": 0}
    assert refused(elsewhere, {**elsewhere, "it": described(size=0)}) == "most=0 must be more than 0"
    computed = {"it": described(size="${at_most:${most},3}"), "most": 0}
    assert refused(computed, {"it": described(size=0), "most": 0}) == "it.size=0 must be more than 0"


def test_a_part_within_a_part_is_found_where_it_stands() -> None:
    inner = described(size="many")
    for holder in (described(size=1, network=inner), {"kept": [1, described(size=1, network=inner)]}):
        place = "it.network" if "size" in holder else "it.kept.1.network"
        assert refused({"it": holder}) == f"{place}.size=many must be a whole number"
    written = {"it": described(size=1, network="${net}"), "net": inner}
    assert refused(written, {"it": described(size=1, network=inner), "net": inner}).startswith("net.size=many")


def test_a_name_that_the_part_does_not_have_is_refused_though_it_is_made_later() -> None:
    known = "Use one of size, network, rate, channels, betas, make"
    assert refused({"it": described(sizes=1)}) == f"it.sizes is not known: did you mean size? {known}"
    bare = {"_target_": "al_bench.matcher.kdtree.KdTree", "leaves": 3}
    assert refused({"it": bare}) == "it.leaves is not known: there is nothing to set"


@pytest.mark.parametrize("target", ["nonsense", "al_bench.nothing.There", "../up", "", 5, None, ["a"], "os.sep"])
def test_a_target_that_cannot_be_called_is_named(target: Any) -> None:
    assert refused({"it": {"_target_": target}}).startswith(f"it._target_={show(target)} ")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def broken(:", "invalid syntax"),
        ("broken = nothing", "name 'nothing' is not defined"),
        ("", "no attribute"),
        ("{}['absent']", "KeyError: 'absent'"),
        ("raise SystemExit(0)", "SystemExit: 0"),
    ],
)
def test_a_module_of_ones_own_that_cannot_be_imported_is_named(
    tmp_path: Path, monkeypatch: Any, source: str, words: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_parts", raising=False)
    (tmp_path / "own_parts.py").write_text(source)
    with pytest.raises(UserError, match=f"strategy._target_=own_parts.Mine cannot be loaded: .*{words}"):
        load_target("strategy._target_", "own_parts.Mine")


def test_a_part_that_leaves_out_a_method_is_named() -> None:
    words = "it._target_=al_bench.strategy.Strategy cannot be made without a method of its own for query"
    assert refused({"it": {"_target_": "al_bench.strategy.Strategy"}}) == words


def test_an_argument_that_nobody_gives_is_named() -> None:
    kdtree = "al_bench.matcher.kdtree.KdTree"
    assert refused({"it": {"_target_": f"{__name__}.Part"}}) == "it.size is missing: give it a value"
    assert refused({"it": {"_target_": "torch.optim.Adam", "_partial_": True}}) == ""  # params come from code
    holder = {"_target_": f"{__name__}.Holder"}
    assert refused({"it": {**holder, "matcher": {"_target_": kdtree}}}) == ""
    later = {"_target_": kdtree, "_partial_": True}
    assert (
        refused({"it": {**holder, "matcher": later}})
        == "it.matcher._partial_=true must be false: this matcher is made at once"
    )
    other = {"_target_": "al_bench.strategy.random.Random"}
    remedy = "name a class made from al_bench.matcher.Matcher, such as that of matcher=auto, exact, hnsw"
    assert (
        refused({"it": {**holder, "matcher": other}})
        == f"it.matcher._target_={other['_target_']} is no matcher: {remedy}"
    )


def test_what_a_factory_makes_is_named_by_the_users_key() -> None:
    """Before its own arguments, which would be compared with those of what it is not."""
    kdtree = {"_target_": "al_bench.matcher.kdtree.KdTree", "_partial_": True, "channels": 3}
    linear = {"_target_": "al_bench.network.linear.Linear", "_partial_": True}
    learner = {"_target_": "al_bench.learner.supervised.Supervised", "epochs": 1, "batch_size": 2}
    for network, begin in ((kdtree, f"network._target_={kdtree['_target_']} is no network: name"), (linear, "it.opt")):
        written = {"it": {**learner, "network": "${network}"}, "network": network}
        assert refused(written, {"it": {**learner, "network": network}, "network": network}).startswith(begin)


def test_an_optimizer_is_tried() -> None:
    adam = {"_target_": "torch.optim.Adam", "_partial_": True, "lr": 0.1, "betas": [0.5, 0.9]}
    assert refused({"it": adam}) == ""
    assert refused({"it": {**adam, "lr": -1}}) == "it: Invalid learning rate: -1"
    assert refused({"it": {**adam, "lr": "x"}}) == "it.lr=x must be a number"
    assert refused({"it": {**adam, "betas": [0.5, 1.0]}}) == "it: Invalid beta parameter at index 1: 1.0"


@pytest.mark.parametrize("name", ["LBFGS", "SparseAdam"])
def test_an_optimizer_that_needs_more_than_dense_gradients_is_refused(name: str) -> None:
    """Of the loss as a function, or of gradients of another kind."""
    path = f"torch.optim.{name}"
    words = "takes no step by dense gradients alone: use one that does, such as torch.optim.Adam"
    assert refused({"it": {"_target_": path, "_partial_": True}}) == f"it._target_={path} {words}"


def refused_line(*overrides: str) -> str:
    """What `run.py` says of a command line before it builds anything, empty where it is taken."""
    written, resolved = written_and_resolved(compose(*overrides))
    try:
        refuse_top_level(written, resolved)
        refuse_arguments(written, resolved, "procedure")
    except UserError as error:
        return str(error)
    return ""


TRAINER = "trainer={_target_:pytorch_lightning.Trainer,_partial_:true"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("seed=first", "seed=first must be a whole number"),
        ("device=0", "device=0 must be text"),
        ("device=tpu", "device=tpu is not known: use auto, cpu, cuda or cuda:1"),
        ("device=cpu:5", "device=cpu:5 is not known: use auto, cpu, cuda or cuda:1"),
        ("device=cuda:1", ""),
        ("device=cpu:0", ""),
        ("threads=0", "threads=0 must be more than 0 or null"),
        ("precision=fp8", "precision=fp8 must be '32-true', 'bf16-mixed' or '16-mixed'"),
        ("steps=17 match_steps=true", "steps=17 and match_steps=true both say how long the learner trains: use one"),
        ("scale=smoke steps=17 match_steps=true", "steps=17 and match_steps=true both say"),
        ("learner.steps=17 match_steps=true", "learner.steps=17 and match_steps=true both say"),
        ("steps=17 learner.match_steps=true", "steps=17 and learner.match_steps=true both say"),
        ("learner.steps=17 learner.match_steps=true", "learner.steps=17 and learner.match_steps=true both say"),
        ("strategy=mal steps=17 match_steps=true", "steps=17 and match_steps=true both say"),
        ("strategy=waal steps=17 match_steps=true", ""),
        ("method=matched/random steps=17", "steps=17 and match_steps=true both say"),
        ("dataset=mnist_two strategy=adba strategy.n_line_images=1", "strategy.n_line_images=1 must be at least 2"),
        ("match_steps=maybe", "match_steps=maybe must be true or false"),
        ("last_batch=dropped", "last_batch=dropped must be 'smaller', 'even' or 'filled'"),
        ("learner.last_batch=dropped", "learner.last_batch=dropped must be 'smaller', 'even' or 'filled'"),
        ("steps=0", "steps=0 must be more than 0 or null"),
        ("capture=1", "capture=1 must be true or false"),
        ("keep_weights=none", "keep_weights=none must be 'last' or 'all'"),
        ("loop.initial=evenly", "loop.initial=evenly must be 'random', 'balanced' or 'stratified'"),
        ("loop.initial_size=0", "loop.initial_size=0 must be at least 1"),
        ("loop.initial_size=inf", ""),
        ("loop.observe_every=0", "loop.observe_every=0 must be more than 0 or null"),
        ("loop.query_size=0", "loop.query_size=0 must be more than 0"),
        ("loop.budget=many", "loop.budget=many must be a number"),
        ("loop.budget=inf", ""),
        ("dataset.split_seed=-1", "dataset.split_seed=-1 must be at least 0"),
        ("method=alcg/alcg evaluator.seed=4294967296", "evaluator.seed=4294967296 must be less than 4294967296"),
        ("loop.budget=5", "loop.budget=5 is smaller than loop.initial_size=20, which counts towards it"),
        ("loop.budget=20", ""),
        ("loop.budget=30.5", "loop.budget=30.5 must be a whole number"),
        ("loop.budget=nan", "loop.budget=nan must be a number"),
        ("loop.initial_size=1.5", "loop.initial_size=1.5 must be a whole number"),
        ("loop.stop_at=high", "loop.stop_at=high must be a mapping or null"),
        ("recipe.optimizer.lr=nan", "recipe.optimizer.lr=nan must be a number"),
        ("recipe.optimizer.lr=-inf", "recipe.optimizer.lr=-inf must be a number"),
        ("recipe.optimizer=null", "recipe.optimizer=null must be a part, a node with a _target_"),
        ("~recipe.optimizer.lr", ""),  # torch's own default
        ("trainer=abc", "trainer=abc must be a node with a _target_"),
        (f"{TRAINER},max_steps:3}}", "trainer.max_steps=3 says neither where a training runs nor what it shows: use"),
        (f"{TRAINER},precision:bf16-mixed}}", "trainer.precision=bf16-mixed says neither where a training runs nor "),
        (f"{TRAINER},gradient_clip_val:0.5}}", "trainer.gradient_clip_val=0.5 says neither where a training runs nor "),
        (f"{TRAINER},callbacks:[{{_target_:pytorch_lightning.callbacks.Timer,duration:1}}]}}", "trainer.callbacks has"),
        (f"{TRAINER},callbacks:{{_target_:lightning.pytorch.callbacks.EarlyStopping}}}}", "trainer.callbacks has"),
        (f"{TRAINER},callbacks:[{{_target_:pytorch_lightning.callbacks.ModelSummary}}]}}", ""),
        ("loop.certain_above=1", "loop.certain_above=1 must be"),
        ("network=small_cnn network.dropout=1", "network.dropout=1 must be"),
        ("oracle=noisy oracle.abstain=1", "oracle.abstain=1 must be"),
        (f"learner.{TRAINER},limit_train_batches:2}}", "learner.trainer.limit_train_batches=2 says neither where"),
        (f"{TRAINER},devices:2,strategy:ddp_spawn,enable_progress_bar:true}}", ""),
        ("loop=5", "loop=5 must be settings by their names, such as loop.budget=100"),
        ("+foo=1", "foo is not known: "),
        ("+sed=1", "sed is not known: did you mean seed? "),
        ("~matcher._target_", "matcher={"),
        ("threads=100000", "threads=100000 must be at most 256 or null"),
        ("paths.outputs=", "paths.outputs= must be text that is not empty"),
        ("paths.outputs=5", "paths.outputs=5 must be text"),
        ("paths.outputs=null", "paths.outputs=null must be text"),
        ("paths.cells=null", "paths.cells=null must be text"),
        ("~paths.data", "paths.data is missing: leave out ~paths.data"),
        ("~learner.optimizer", "learner.optimizer is missing: give it a value"),
        ("network=small_cnn ~network.hidden", "network.hidden is missing: give it a value"),
        ("loop.max_cycles=-1", "loop.max_cycles=-1 must be at least 0 or null"),
        ("oracle=classifier oracle.min_confidence=2", "oracle.min_confidence=2 must be at most 1"),
        ("oracle=noisy oracle.flip=1.5", "oracle.flip=1.5 must be at most 1"),
        ("oracle=noisy oracle.abstain=-0.1", "oracle.abstain=-0.1 must be at least 0"),
        ("strategy=asal_generate strategy.candidates_from=pool",
         "strategy.candidates_from=pool must be 'generator' or 'neighbors'"),
        ("strategy=gaal strategy.max_tries=0", "strategy.max_tries=0 must be more than 0"),
        ("strategy=deepfool strategy.max_iter=0", "strategy.max_iter=0 must be more than 0"),
        ("strategy=deepfool strategy.overshoot=-0.1", "strategy.overshoot=-0.1 must be at least 0"),
        ("strategy=k_median strategy.max_iter=0", "strategy.max_iter=0 must be more than 0"),
        ("strategy=uherding strategy.max_temperature=1", "strategy.max_temperature=1 must be more than 1"),
        ("strategy=uherding strategy.bandwidth=1e200", "strategy.bandwidth=1e+200 must be at most 1000000000 or null"),
        ("strategy=uherding strategy.temperature=1e-300", "strategy.temperature=1e-300 must be at least 0.00"),
        ("strategy=uherding strategy.max_temperature=1e12",
         "strategy.max_temperature=1000000000000.0 must be at most 100"),
        ("strategy=uherding strategy.bins=1000000000000", "strategy.bins=1000000000000 must be at most 10000"),
        ("strategy=typiclust strategy.n_init=1000000000000", "strategy.n_init=1000000000000 must be at most 1000"),
        ("strategy=batchbald strategy.num_samples=1000000000000",
         "strategy.num_samples=1000000000000 must be at most 100000"),
        ("strategy=gaal strategy.z_batch=1000000000000", "strategy.z_batch=1000000000000 must be at most 65536"),
        ("strategy=vaal strategy.hidden=[512,1000000]", "strategy.hidden=[512, 1000000] must be at most 16384"),
        ("strategy=maxherding strategy.bandwidth=1e-200", "strategy.bandwidth=1e-200 must be at least 0.000000001"),
        ("strategy=probcover strategy.delta=1e300", "strategy.delta=1e+300 must be at most 1000000000 or null"),
        ("strategy=dropquery strategy.dropout=1", "strategy.dropout=1 must be less than 1"),
        ("matcher=hnsw matcher.neighbors=1", "matcher.neighbors=1 must be at least 2"),
        ("matcher=hnsw matcher.ef=0", "matcher.ef=0 must be more than 0"),
        ("matcher=hnsw matcher.neighbors=65536", "matcher.neighbors=65536 must be less than 65536"),
        ("matcher=hnsw matcher.ef_construction=2147483648", "matcher.ef_construction=2147483648 must be less than "),
        ("matcher=ivf matcher.probes=0", "matcher.probes=0 must be more than 0"),
        ("matcher=ivf matcher.sample_per_list=2147483648", "matcher.sample_per_list=2147483648 must be less than "),
        ("matcher=ivf matcher.seed=2147483648", "matcher.seed=2147483648 must be less than 2147483648"),
        ("matcher=ivf_pq matcher.sample_per_list=2147483648", "matcher.sample_per_list=2147483648 must be less than "),
        ("matcher=ivf_pq matcher.seed=-2147483649", "matcher.seed=-2147483649 must be at least -2147483648"),
        ("matcher=ivf_pq matcher.features_per_code=1000000000000",
         "matcher.features_per_code=1000000000000 must be at most 1000"),
        ("representation=latent gan=dcgan representation.encoder.batch_size=1000000000000",
         "representation.encoder.batch_size=1000000000000 must be at most 65536"),
        ("dataset=fashion_mnist network=lenet5 network.std=0", "network.std=0 must be at least 0.000000001 or a list"),
        ("tracking.mode=shared", "tracking.mode=shared must be 'offline', 'online' or 'disabled'"),
        ("tracking.timeout=0", "tracking.timeout=0 must be more than 0"),
        ("procedure=query_time procedure.repeats=0", "procedure.repeats=0 must be more than 0"),
        ("procedure=query_time procedure.query_size=0", "procedure.query_size=0 must be more than 0"),
        ("procedure=timing procedure.repeats=0", "procedure.repeats=0 must be more than 0"),
        ("procedure=timing procedure.query_size=0", "procedure.query_size=0 must be more than 0"),
        ("procedure=timing procedure.sizes=[0,1]", "procedure.sizes=[0, 1] must be more than 0"),
        ("procedure=toy procedure.diversity.positions=1", "procedure.diversity.positions=1 must be at least 2"),
        ("procedure=toy procedure.bias.labels=[0,1,2,1,1]", "procedure.bias.labels=[0, 1, 2, 1, 1] must be 0 or 1"),
        ("procedure=toy procedure.bias.initial_size=1", "procedure.bias.initial_size=1 must be at least 2"),
        ("procedure=toy procedure.bias.queries=-1", "procedure.bias.queries=-1 must be more than 0"),
        ("procedure=toy procedure.bias.draws=0", "procedure.bias.draws=0 must be more than 0"),
        ("dataset=celeba_bangs dataset.crop=179", "dataset.crop=179 must be at most 178"),
        ("dataset=celeba_bangs dataset.cache=always", "dataset.cache=always must be 'auto' or 'never'"),
        ("dataset=lsun dataset.cache=always", "dataset.cache=always must be 'auto' or 'never'"),
        ("dataset=cifar10 dataset.format=png", "dataset.format=png must be 'torchvision' or 'folder'"),
        ("dataset=image_folder dataset.crop=middle", "dataset.crop=middle must be 'center' or 'none'"),
        ("dataset=image_folder dataset.mode=cmyk", "dataset.mode=cmyk must be 'rgb' or 'gray'"),
        ("dataset=image_folder dataset.cache=always", "dataset.cache=always must be 'auto' or 'never'"),
        ("dataset=image_folder dataset.test_share=1", "dataset.test_share=1 must be less than 1"),
        ("dataset=image_folder dataset.image_size=[8,0]", "dataset.image_size=[8, 0] must be "),
        ("dataset=image_folder dataset.image_size=-3", "dataset.image_size=-3 must be "),
    ],
)  # fmt: skip
def test_what_a_signature_says_no_part_has_to_say_again(line: str, sentence: str) -> None:
    found = refused_line(*line.split())
    assert found.startswith(sentence) and (sentence or not found)


CHOICES = [
    (f"{family}={name}",)
    for family in ("strategy", "learner", "network", "gan", "matcher", "oracle", "feature", "representation",
                   "procedure", "evaluator", "method", "experiment")
    for name in members(family)
] + [
    (f"dataset={name}", f"scale={scale}", f"preset={preset}")
    for name in members("dataset") if name != "image_folder"
    for scale, preset in (("paper", "as_paper"), ("small", "as_code"), ("smoke", "as_paper"))
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("overrides", CHOICES, ids=" ".join)
def test_every_choice_is_taken(overrides: tuple[str, ...]) -> None:
    written, resolved = written_and_resolved(compose(*overrides))
    for root in ("scale", "procedure"):
        refuse_arguments(written, resolved, root)


def test_a_lightning_trainer_is_taken() -> None:
    trainer = "trainer={_target_: pytorch_lightning.Trainer, _partial_: true, devices: 2, accelerator: cpu}"
    refuse_arguments(*written_and_resolved(compose(trainer)), "procedure")
