"""The configuration tree: what every file in it must be."""

import re
from pathlib import Path

import pytest
import yaml
from composing import compose, members
from hydra.utils import get_object

from al_bench.config.groups import CONF

ROOT = CONF.parent
FAMILIES = [
    "dataset", "network", "gan", "matcher", "feature", "representation", "oracle", "learner", "strategy", "evaluator",
    "procedure",
]  # fmt: skip
FILES = sorted(CONF.rglob("*.yaml"))
TAG = re.compile(r"# [PCDR]\b.+")


def relative(path: Path) -> str:
    return path.relative_to(CONF).as_posix()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_a_folder_of_each_kind(family):
    assert (CONF / family).is_dir()
    assert (ROOT / "al_bench" / family / "__init__.py").exists()


@pytest.mark.parametrize("choice", [f"{family}/{name}" for family in FAMILIES for name in members(family)])
def test_a_member_calls_its_own_family(choice):
    family = choice.split("/")[0]
    target = node_of(choice)["_target_"]
    assert target.startswith(f"al_bench.{family}."), target
    assert callable(get_object(target))


def node_of(choice):
    """The node of a member's file, and before it those of the members that it begins with."""
    family = choice.split("/")[0]
    document = yaml.safe_load((CONF / f"{choice}.yaml").read_text())
    node = document.get(family, document) if "_target_" not in document else document
    for base in document.get("defaults", []):
        if isinstance(base, str) and base != "_self_":
            node = node_of(f"{family}/{base}") | node
    return node


def test_every_module_of_a_family_is_reachable_from_conf():
    """By a node, or as what such a module is built of."""
    text = "\n".join(path.read_text() for path in [*FILES, *(ROOT / "al_bench").rglob("*.py")])
    for family in FAMILIES:
        if family == "procedure":
            continue
        for module in (ROOT / "al_bench" / family).glob("[a-z]*.py"):
            assert re.search(rf"al_bench\.{family}\.{module.stem}( import|\.)", text), module


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_a_file_that_overrides_groups_begins_with_its_package(path):
    lines = path.read_text().splitlines()
    if any("override /" in line for line in lines) and path.name != "config.yaml":
        assert lines[0] == "# @package _global_"
        assert lines[1].startswith("# "), "the second line names the source"
    assert not any("@package" in line for line in lines[1:]), "switched off by the line above it"


@pytest.mark.parametrize("path", [path for path in FILES if relative(path).split("/")[0] == "experiment"], ids=relative)
def test_an_experiment_is_a_sweep_with_a_title_of_one_line(path):
    """The report reads the title from its second line."""
    if path.stem != "none":
        assert not path.read_text().splitlines()[2].startswith("#  ")
        assert yaml.safe_load(path.read_text())["hydra"]["mode"] == "MULTIRUN"


@pytest.mark.parametrize(
    "path", [path for path in FILES if relative(path).split("/")[0] in ("recipe", "pair", "preset")], ids=relative
)
def test_every_value_says_where_it_is_from(path):
    """Paper, code, derived or ours: the report's ledger is read from these tags."""
    inside_defaults = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        content = line.split("#")[0].rstrip()
        inside_defaults = content == "defaults:" or (inside_defaults and (line.startswith((" ", "-")) or not line))
        opens_node = content.endswith(":")
        if not content or content == "{}" or inside_defaults or opens_node:
            continue
        assert TAG.search(line), f"{relative(path)}:{number} has no tag: {line}"


@pytest.mark.parametrize("path", [path for path in FILES if relative(path).startswith("pair/")], ids=relative)
def test_a_pair_is_reached_by_some_choice(path):
    family, member, *other = Path(relative(path)).with_suffix("").parts[1:]
    node, is_of_oracle, _ = family.partition("_oracle")  # `dataset_oracle`: of a data set with an oracle
    own = "tracking" if node == "tracking" else "dataset"
    first, second = (own, "oracle") if is_of_oracle else (family, "dataset" if family == "tracking" else "recipe")
    assert f"pair/{family}@{node}: ${{{first}}}/${{{second}}}" in (CONF / "config.yaml").read_text()
    assert (CONF / first / f"{member}.yaml").exists()
    assert (CONF / second / f"{'/'.join(other)}.yaml").exists()


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if relative(path).startswith("preset/") and relative(path).count("/") > 1],
    ids=relative,
)
def test_a_presets_file_is_reached_by_some_choice(path):
    family, preset, *member = Path(relative(path)).with_suffix("").parts[1:]
    first, *others = family.split("_")  # `learner_gan`: of a learner with a GAN
    chosen = "/".join(f"${{{name}}}" for name in ("preset", first, *others))
    assert f"preset/{family}@{first}: {chosen}" in (CONF / "config.yaml").read_text()
    assert (CONF / "preset" / f"{preset}.yaml").exists()
    members = zip([first, *others], member, strict=True) if others else [(family, "/".join(member))]
    for group, name in members:
        assert (CONF / group / f"{name}.yaml").exists()


@pytest.mark.parametrize("recipe", ["image_folder", "few_labels", "digits"])
def test_own_pictures_stay_on_the_machine_unless_one_says_otherwise(recipe):
    own = ("dataset=image_folder", f"recipe={recipe}")
    assert compose(*own).tracking.images is False and compose(f"recipe={recipe}").tracking.images is True
    assert compose(*own, "tracking.images=true").tracking.images is True
