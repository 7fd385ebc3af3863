"""The experiments of MAL's Tables 1 to 9 compose into what the paper ran, with the sizes of its Table 10."""

from typing import NamedTuple

import pytest
from composing import compose, run_id, values_of
from made_runs import made_record
from omegaconf import DictConfig, OmegaConf
from test_experiments import cells_of, numbers_of, params_of, planned

from al_bench.active.stopping import Stopping
from al_bench.analysis.comparison import is_column
from al_bench.analysis.contrast import read_contrasts

CLASSIFICATION = ("imagenet", "inaturalist2018", "cifar100", "cifar100_imbalanced")
TABLES = {  # the lines that each table prints, without its full supervision
    "imagenet": "random entropy coreset bald vaal mal",
    "inaturalist2018": "random coreset vaal entropy bald mal",
    "cifar100": "entropy coreset random bald vaal mal",
    "cifar100_imbalanced": "random bald coreset vaal entropy mal",
    "cityscapes": "random entropy coreset drn/bald vaal mal",
    "bdd100k": "random coreset entropy vaal mal",
    "ablation_imagenet": "sl_unc sl_div sl_random random ssl_unc ssl_random ssl_div mal",
    "ablation_bdd100k": "sl_unc sl_div sl_random random ssl_unc ssl_random ssl_div mal",
    "backbones_cifar100": "vgg16_bn/vaal vgg16_bn/mal vaal mal",
}
SHARED = ["mal/sl_random", "mal/random", "mal/ssl_random", "mal/mal", "mal/full"]


class Sizes(NamedTuple):
    """A line of Table 10; shares in percent."""

    train: int
    initial: int
    budget: int


TABLE_10 = {
    "cifar100": Sizes(50_000, 2, 2), "inaturalist2018": Sizes(437_513, 10, 10), "imagenet": Sizes(1_281_167, 5, 5),
    "cityscapes": Sizes(2975, 10, 5), "bdd100k": Sizes(7000, 10, 5),  # Cityscapes as published: it says 3,475
}  # fmt: skip


class Part(NamedTuple):
    """What a line of Tables 7 and 8 is made of (Sec. 5). discriminator: None where its query has no use for one."""

    strategy: str
    minimax: bool
    discriminator: bool | None


ABLATIONS = {
    "sl_random": Part("random", False, None), "sl_unc": Part("entropy", False, False),
    "sl_div": Part("labeledness", False, True), "ssl_random": Part("random", True, None),
    "ssl_unc": Part("entropy", True, None), "ssl_div": Part("labeledness", True, True), "mal": Part("mal", True, True),
}  # fmt: skip

OURS = {"tiny_imagenet": "bald", "camvid": "drn/bald", "cifar10_imbalanced": "bald"}  # BALD's line of each

tables = pytest.mark.parametrize("table", TABLES)


def line(table: str, method: str) -> DictConfig:
    """The configuration of a table's line."""
    return compose(f"experiment=mal/{table}", f"method=mal/{method}")


@pytest.mark.parametrize("dataset", TABLE_10)
def test_the_sizes_of_table_10(dataset: str) -> None:
    train, initial, budget = TABLE_10[dataset]
    loop = compose(f"dataset={dataset}", "strategy=random").loop
    assert (loop.initial_size, loop.query_size) == (train * initial // 100, train * budget // 100)


@tables
def test_the_columns_of_a_table_are_its_cycles(table: str) -> None:
    """Counted out by the loop's own stop rule: no cycle more, no column without one."""
    loop = line(table, "vgg16_bn/mal" if table.startswith("backbones") else "mal").loop
    stopping, sizes = Stopping(loop.budget, loop.max_cycles, None), [loop.initial_size]
    while stopping.reason(made_record(index=len(sizes) - 1, annotations=sizes[-1], unlabeled=1)) is None:
        sizes.append(sizes[-1] + stopping.next_size(loop.query_size, sizes[-1], 10_000_000))
    columns = dict.fromkeys(int(one.column) for one in numbers_of(f"mal/{table}") if one.column.isdigit())
    assert len(sizes) == len(columns)
    assert all(is_column(size, column) for size, column in zip(sizes, columns, strict=True))


@pytest.mark.slow
@tables
def test_the_lines_of_a_table(table: str) -> None:
    """Those that it prints, full supervision, and what tells minimax training from the query in every one."""
    printed = {f"mal/{name}" for name in TABLES[table].split()}
    beside = {"mal/random", "mal/sl_random", "mal/ssl_random", "mal/full"}
    if table.startswith("backbones"):
        beside |= {name.replace("mal/", "mal/vgg16_bn/") for name in beside}
    assert set(planned(f"mal/{table}").all_lines) == printed | beside


@pytest.mark.parametrize("method", ABLATIONS)
def test_the_ablations_are_made_of_what_section_5_says(method: str) -> None:
    config, expected = line("ablation_imagenet", method), ABLATIONS[method]
    chosen = config.hydra.runtime.choices
    assert (chosen.strategy, chosen.learner, config.learner.minimax) == (expected.strategy, "mal", expected.minimax)
    if expected.discriminator is not None:
        assert config.learner.discriminator == expected.discriminator
    assert config.learner.d_to_f == "none", "Alg. 1, line 11"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "whole", "shared"),
    [
        ("ablation_imagenet", "imagenet", SHARED),
        ("ablation_bdd100k", "bdd100k", SHARED),
        ("backbones_cifar100", "cifar100", [*SHARED, "mal/vaal"]),
    ],
)
def test_what_two_tables_print_is_run_once(part: str, whole: str, shared: list[str]) -> None:
    """By the main table, to its own last column; the ablation has it beside its lines and does not run it."""
    (reference,) = planned(f"mal/{part}").references
    assert sorted(reference.lines) == sorted(shared)
    run = {cell.id for cell in cells_of(f"mal/{whole}")}
    assert set(reference.names) <= run
    assert not run & {cell.id for cell in cells_of(f"mal/{part}")}


@pytest.mark.parametrize("strategy", ["random", "entropy", "coreset", "vaal", "full", "mal"])
def test_a_line_is_what_its_strategy_gives_by_hand(strategy: str) -> None:
    """`strategy=full` is Top-1."""
    assert run_id("dataset=cifar100", f"strategy={strategy}") == run_id("dataset=cifar100", f"method=mal/{strategy}")


@pytest.mark.parametrize("table", CLASSIFICATION)
def test_only_bald_has_dropout_on_images(table: str) -> None:
    networks = {name: line(table, name).hydra.runtime.choices.network for name in ("random", "mal", "bald")}
    assert networks == {"random": "resnet18", "mal": "resnet18", "bald": "resnet18_dropout"}
    assert line(table, "bald").network.dropout == 0.2


def test_only_bald_has_dropout_on_maps() -> None:
    networks = {name: line("cityscapes", name).hydra.runtime.choices.network for name in ("random", "mal", "drn/bald")}
    assert networks == {"random": "drn", "mal": "drn", "drn/bald": "drn_dropout"}
    assert line("bdd100k", "mal").hydra.runtime.choices.network == "drn"


@pytest.mark.parametrize("method", ["random", "vaal", "sl_random", "ssl_random", "mal", "full"])
def test_vgg_is_all_that_table_9_changes(method: str) -> None:
    """And the width of C's first layer, which its count of 12.90M tells (Sec. 5.1)."""
    deep, residual = line("backbones_cifar100", f"vgg16_bn/{method}"), line("cifar100", method)
    assert deep.hydra.runtime.choices.network == "vgg16_bn_imagenet"
    assert deep.hydra.runtime.choices.strategy == residual.hydra.runtime.choices.strategy
    learners = [OmegaConf.to_container(config.learner, resolve=True) for config in (deep, residual)]
    changed = {key for key in learners[0] if learners[0][key] != learners[1][key]}
    assert changed == {"network"} | ({"hidden"} if "hidden" in learners[0] else set())
    assert learners[0].get("hidden", 512) == 512


@pytest.mark.parametrize("table", [*TABLES])
def test_networks_are_pretrained_but_on_imagenet(table: str) -> None:
    """Sec. 4.1, captions of Tables 2 to 6."""
    for method in TABLES[table].split():
        if table.startswith("backbones") and not method.startswith("vgg16_bn/"):
            continue  # a reference
        weights = line(table, method).network.weights
        assert (weights is None) == (table.endswith("imagenet")), method


@tables
def test_what_is_measured(table: str) -> None:
    maps = ("cityscapes", "bdd100k", "ablation_bdd100k")
    evaluator = line(table, "full").hydra.runtime.choices.evaluator
    assert evaluator == ("mean_iou" if table in maps else "accuracy")
    assert {one.column for one in numbers_of(f"mal/{table}") if not one.column.isdigit()} == {evaluator}


@pytest.mark.parametrize(("name", "bald"), OURS.items())
def test_ours_have_every_line_that_mal_prints(name: str, bald: str) -> None:
    """On data that the paper has not: the baselines of Table 1, the ablation of Table 7, and a control of as many
    steps."""
    lines = f"random random_longer entropy coreset {bald} vaal full {TABLES['ablation_imagenet']}".split()
    assert sorted(params_of(f"mal/{name}")["method"].split(",")) == sorted({f"mal/{method}" for method in lines})
    assert len({run_id(*cell.overrides) for cell in cells_of(f"mal/{name}")}) == len(set(lines))


@pytest.mark.parametrize(("control", "times"), [("random_longer", 4), ("random_ssl_steps", 3)])
@pytest.mark.parametrize("given", [(), ("steps=50",), ("steps=50", "scale.iterations=30"), ("scale.epochs=3",)])
def test_a_control_is_as_many_times_as_long_however_long_a_training_is(
    control: str, times: int, given: tuple[str, ...]
) -> None:
    """MAL has four optimizer steps for a batch, SSL-Random, without D, three; `steps=` goes before epochs in both."""
    usual, longer = (compose("dataset=tiny_imagenet", f"method=mal/{name}", *given) for name in ("random", control))
    assert longer.learner.epochs == times * usual.learner.epochs
    assert longer.learner.steps == (times * usual.learner.steps if "steps=50" in given else None)


def test_our_uneven_cifar10_is_as_large_as_the_papers_cifar100() -> None:
    config = line("cifar10_imbalanced", "random")
    counts = [int(5000 * ratio + 0.5) * 2 for ratio in config.dataset.imbalance.ratios]
    assert sum(counts) == 14_578


@pytest.mark.parametrize("method", ["random", "bald", "mal"])
def test_it_is_trained_as_a_network_from_scratch(method: str) -> None:
    config = line("cifar10_imbalanced", method)
    scratch = compose("dataset=tiny_imagenet", "strategy=random")
    assert (config.network.weights, config.network.stem) == (None, scratch.network.stem)
    rates = [node.lr for name, node in config.learner.items() if name in ("optimizer", "task_optimizer")]
    assert set(rates) == {scratch.learner.optimizer.lr}


@pytest.mark.parametrize("name", ["tiny_imagenet", "camvid", "cifar10_imbalanced"])
def test_each_line_on_other_data_is_in_a_difference(name: str) -> None:
    """But for the model with every label; and the three take the same differences."""
    found = read_contrasts(f"mal/{name}")
    swept = set(values_of(params_of(f"mal/{name}")["method"]))
    assert {line for pair in found.values() for line in pair} == swept - {"mal/full"}
    dropout = {words: [line.replace("drn/bald", "bald") for line in pair] for words, pair in found.items()}
    assert dropout == {words: [*pair] for words, pair in read_contrasts("mal/tiny_imagenet").items()}
