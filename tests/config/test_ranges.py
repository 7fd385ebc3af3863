"""Every number of every part ends somewhere, and one beyond its end is refused before anything is trained."""

import math
import re
from inspect import isclass
from pkgutil import resolve_name
from typing import Any, get_type_hints

import pytest
from composing import compose

from al_bench.config.groups import CONF
from al_bench.config.top_level import refuse_top_level
from al_bench.config.validation import refuse_arguments, refuse_value
from al_bench.config.values import written_and_resolved
from al_bench.errors import UserError

GIVEN_BY_CODE = ("input_shape", "image_shape", "num_classes")  # of a network, whatever a configuration says
REFUSED_WITHIN = ("classes",)  # `ten_classes.choose_classes`: every number that is no class
TARGETS = sorted({name for path in CONF.rglob("*.yaml") for name in re.findall(r"_target_: *(al_bench[\w.]+)",
                                                                               path.read_text())})  # fmt: skip


def annotations_of(target: str) -> dict[str, Any]:
    """Of the arguments that a configuration gives to what stands at a path in the code."""
    part = resolve_name(target)
    hints = get_type_hints(part.__init__ if isclass(part) else part, include_extras=True)
    return {name: hint for name, hint in hints.items() if name not in ("return", *GIVEN_BY_CODE, *REFUSED_WITHIN)}


def takes(value: Any, annotation: Any) -> bool:
    try:
        refuse_value("key", value, annotation)
    except UserError:
        return False
    return True


def test_parts_of_every_family_are_asked() -> None:
    families = {target.split(".")[1] for target in TARGETS}
    assert {path.name for path in CONF.iterdir() if any(path.glob("*.yaml"))} & {
        "dataset", "evaluator", "feature", "gan", "learner", "matcher", "network", "oracle", "procedure",
        "representation", "strategy", "tracking"} <= families  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
def test_every_number_ends_somewhere(target: str) -> None:
    """Else it ends in a want of memory or never, after hours of training. Infinity, where it is taken, means all."""
    for argument, annotation in annotations_of(target).items():
        for value in (10**30, 1e300, [10**30], [1e300], {"a": 10**30}):
            endless = takes(value, annotation) and not takes(math.inf, annotation)
            assert not endless, f"{argument}={value}"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("gan.batch_size=10000000000", "gan.batch_size=10000000000 must be at most 65536"),
        ("gan.iterations=1000000000000", "gan.iterations=1000000000000 must be at most 100000000"),
        ("gan.latent_size=1000000000000", "gan.latent_size=1000000000000 must be at most 16384"),
        ("gan=wgan_ct gan.margin=1e30", "gan.margin=1e+30 must be at most 1000000000"),
        ("strategy=asal_auto feature.batch_size=10000000000", "feature.batch_size=10000000000 must be at most 65536"),
        ("learner.batch_size=10000000000", "learner.batch_size=10000000000 must be at most 65536"),
        ("recipe.batch_size=10000000000", "recipe.batch_size=10000000000 must be at most 65536"),
        ("recipe.epochs=10000000000 learner.epochs=10000000000", "learner.epochs=10000000000 must be at most 1000000"),
        ("learner=waal learner.hidden=1000000000000", "learner.hidden=1000000000000 must be at most 16384"),
        ("network=resnet18 network.width=1000000000000", "network.width=1000000000000 must be at most 16384"),
        ("network=small_cnn network.channels=[32,1000000000000]", "network.channels=[32, 1000000000000] must be at "),
        ("evaluator.calibration_bins=1000000000000", "evaluator.calibration_bins=1000000000000 must be at most 10000"),
        ("dataset=image_folder dataset.image_size=1000000", "dataset.image_size=1000000 must be at most 4096"),
        ("dataset=shapes_seg dataset.train_size=1000000000000", "dataset.train_size=1000000000000 must be at most "),
        ("oracle=noisy oracle.seed=100000000000000000000", "oracle.seed=100000000000000000000 must be less than "),
        ("scale.images=100000000000000000000", "scale.images=100000000000000000000 must be less than "),
        ("scale.gan_width=1e30", "scale.gan_width=1e+30 must be at most 1000000000 or null"),
        ("seed=100000000000000000000", "seed=100000000000000000000 must be less than 9223372036854775808"),
        ("steps=1000000000000", "steps=1000000000000 must be at most 100000000 or null"),
        ("tracking.timeout=1e30", "tracking.timeout=1e+30 must be at most 1000000"),
        ("loop.query_size=100000000000000000000", "loop.query_size=100000000000000000000 must be less than "),
        ("gan.batch_size=65536 learner.batch_size=65536 learner.epochs=1000000", ""),
    ],
)
def test_a_number_beyond_its_end_is_named(line: str, sentence: str) -> None:
    written, resolved = written_and_resolved(compose(*line.split()))
    found = ""
    try:
        refuse_top_level(written, resolved)
        for root in ("scale", "procedure"):
            refuse_arguments(written, resolved, root)
    except UserError as error:
        found = str(error)
    assert found.startswith(sentence) and bool(sentence) == bool(found)
