"""What scales bound: `smoke` everything that takes long, in every experiment; `paper` nothing."""

import pytest
import torch
from composing import compose, members, part
from omegaconf import OmegaConf
from smoke_bounds import too_long

from al_bench import seeding
from al_bench.config.effects import cut_by_scale
from al_bench.config.groups import CONF
from al_bench.config.resolvers import at_most, up_to
from al_bench.gan import Gan

PAIRS = sorted(
    path.relative_to(CONF / "pair" / "gan").with_suffix("").as_posix() for path in CONF.glob("pair/gan/**/*.yaml")
)
SHAPES = {"digits": (1, 8, 8), "mnist": (1, 28, 28), "cifar10": (3, 32, 32), "svhn": (3, 32, 32)}  # others: 64 x 64


def test_the_bounds_find_what_is_long() -> None:
    """Of the whole of a data set they find everything that the issue's run took its minutes with."""
    paper = OmegaConf.to_container(compose("dataset=cifar10", "strategy=asal_auto").procedure, resolve=True)
    found = {line.partition(" = ")[0].lstrip(".") for line in too_long(paper)}
    assert found >= {
        "dataset.max_images", "dataset.max_held_out", "learner.epochs", "strategy.gan.iterations", "strategy.steps",
        "strategy.gan.generator.channels", "strategy.gan.discriminator.channels", "strategy.feature.epochs",
        "settings.max_cycles", "settings.query_size", "settings.initial_size",
    }  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS)
def test_a_narrowed_gan_is_built(pair: str) -> None:
    gan, _, recipe = pair.partition("/")
    made: Gan = part("gan", f"recipe={recipe}", f"gan={gan}", "scale=smoke")
    shape = next((size for name, size in SHAPES.items() if recipe.rpartition("/")[2].startswith(name)), (3, 64, 64))
    networks = made.networks(shape).eval()
    with torch.no_grad():
        images = networks.generator(networks.draw(2, seeding.generator(0)))
        assert images.shape == (2, *shape)
        assert networks.discriminator.features(images).shape[0] == 2
    whole: Gan = part("gan", f"recipe={recipe}", f"gan={gan}")
    assert size_of(networks.generator) < 0.2 * size_of(whole.networks(shape).generator)


def size_of(network: torch.nn.Module) -> int:
    return sum(weights.numel() for weights in network.parameters())


@pytest.mark.parametrize("dataset", members("dataset"))
def test_smoke_bounds_every_split(dataset: str) -> None:
    config = compose(f"dataset={dataset}", "scale=smoke", "gan=none", "strategy=random", "++dataset.files=null")
    assert config.dataset.max_images <= 200
    assert config.dataset.max_held_out <= 200
    if "image_size" in config.dataset and config.dataset.image_size is not None:
        sizes = config.dataset.image_size
        assert max([sizes] if isinstance(sizes, int) else sizes) <= 64
    cuts = cut_by_scale(config)
    assert any(line.startswith("dataset.max_held_out all -> ") for line in cuts)


@pytest.mark.parametrize("scale", ["paper", "small"])
def test_only_smoke_cuts_what_is_measured_and_searched(scale: str) -> None:
    """The ids of runs that count depend on it."""
    keys = ("held_out", "test_images", "image_size", "search_steps", "samples", "repeats", "copies")
    for recipe in members("recipe"):
        config = compose(f"scale={scale}", f"recipe={recipe}")
        own = {"image_size": 160} if (scale, recipe) == ("small", "mal/camvid") else {}  # no run was stored before it
        own |= {"samples": 5000} if scale == "small" else {}  # of the evaluator alone: procedures ask for fewer
        assert [config.scale[key] for key in keys] == [own.get(key) for key in keys]


@pytest.mark.parametrize("procedure", ["gan_quality", "agreement"])
def test_small_cuts_no_samples_of_a_procedure(procedure: str) -> None:
    """Nor the ids of runs that are stored."""
    asked = ("dataset=digits", "feature=pixel", f"procedure={procedure}")
    whole, small = (compose(*asked, f"scale={scale}").procedure.samples for scale in ("paper", "small"))
    assert whole == small < 5000


@pytest.mark.parametrize("scale", members("scale"))
@pytest.mark.parametrize("dataset", members("dataset"))
def test_a_scale_cuts_the_test_alone_where_asked(scale: str, dataset: str) -> None:
    """No scale asks for it by itself: the ids of runs stay."""
    asked = (f"dataset={dataset}", f"scale={scale}", "gan=none", "strategy=random", "++dataset.files=null")
    assert compose(*asked).dataset.max_test is None
    assert compose(*asked, "scale.test_images=70").dataset.max_test == 70


def test_a_size_is_cut_as_a_whole() -> None:
    assert at_most(688, 64) == 64
    assert at_most(32, 64) == 32
    assert at_most(None, 64) is None
    assert at_most([360, 480], 64) == [48, 64]
    assert at_most([360, 480], None) == [360, 480]
    assert at_most([40, 20], 64) == [40, 20]
    assert at_most([1, 1000], 64) == [1, 64], "something is left"
    assert at_most(["a", 2], 64) == ["a", 2], "said to be no size where a run is composed"
    assert compose("dataset=image_folder", "scale=smoke", "dataset.image_size=[360,480]").dataset.image_size == [
        360,
        480,
    ]


def test_sizes_are_kept_up_to_a_limit() -> None:
    assert up_to([1, 2, 4, 10], 4) == [1, 2, 4]
    assert up_to([1, 2, 4, 10], None) == [1, 2, 4, 10]
    assert up_to([5, 6], 4) == [5], "some are left to measure"
    assert up_to([1, 2], "many") == [1, 2]


def test_smoke_cuts_fixed_steps() -> None:
    assert compose("dataset=digits", "strategy=random", "steps=2000", "scale=smoke").learner.steps == 3
    assert compose("dataset=digits", "strategy=random", "steps=2000").learner.steps == 2000
