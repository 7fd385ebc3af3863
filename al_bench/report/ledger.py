"""Where each setting of a run is from: the tags in conf/recipe, conf/pair and conf/preset (see tests/test_conf.py)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from al_bench.analysis.grouping import Group
from al_bench.analysis.reading import Run
from al_bench.config.groups import CONF
from al_bench.config.values import from_project, plain
from al_bench.storage.stored import Plain

ORIGINS = {"P": "paper", "C": "published code", "D": "derived", "R": "our choice", "O": "overridden"}

_GROUPS = ("recipe", "pair/", "preset/")
_FILE = re.compile(r"(?!.*\.\.)[\w/+=.-]{1,200}")  # of conf/, and of nothing above it
_ASIDE = ("recipe", "experiment", "scale", "loop")  # whose files are what is asked, or settings that no part is
_REFERENCE = re.compile(r"\$\{(?:[^{}]*[,:])?\s*recipe\.(\w+)")
_COMMENT = re.compile(r"(?m)(?:^|\s)#.*$")
_TAG = re.compile(r"# ([PCDR])\b\s*(.*?)\s*$")


@dataclass(frozen=True)
class Setting:
    """One line of the ledger. key: its path in the configuration; value: the one in effect; origin: a key of ORIGINS;
    source: what the tag says; file: under conf/; used_by: names of groups."""

    key: str
    value: str
    origin: str
    source: str
    file: str
    used_by: tuple[str, ...] = ()


def ledger(groups: Sequence[Group], conf: Path = CONF) -> list[Setting]:
    """Every tagged line that took effect in any of the groups, in the order of the files."""
    users: dict[Setting, list[str]] = {}
    for group in groups:
        for setting in settings(group.first, conf):
            users.setdefault(setting, []).append(group.name)
    found = [replace(setting, used_by=tuple(names)) for setting, names in users.items()]
    order = {file: place for place, file in enumerate(dict.fromkeys(setting.file for setting in found))}
    return sorted(found, key=lambda setting: order[setting.file])


def settings(run: Run, conf: Path = CONF) -> Iterator[Setting]:
    """The tagged lines that took effect in one run."""
    for group, choice in run.choices.items():
        name, _, node = group.partition("@")
        if not choice or not name.startswith(_GROUPS) or not _FILE.fullmatch(f"{name}/{choice}"):
            continue
        path = conf / name / f"{choice}.yaml"
        if path.exists() and _in_effect(node or name, run):
            found = _of_file(path, node or name, run.config, path.relative_to(conf).as_posix())
            asked = _asked_of_recipe(run, conf) if name == "recipe" else None
            yield from (one for one in found if asked is None or _is_asked(one.key, asked))


def _in_effect(node: str, run: Run) -> bool:
    """Whether what a node configures is part of the run: a GAN that no part of it uses is not."""
    return node in ("recipe", "loop", "scale") or _contains(run.config["procedure"], _at(run.config, node.split(".")))


def _is_asked(key: str, asked: set[str]) -> bool:
    """Whether a tagged line of a recipe's file is one of these settings, or of another node."""
    node, _, inner = key.partition(".")
    return node != "recipe" or inner.partition(".")[0] in asked


def _asked_of_recipe(run: Run, conf: Path) -> set[str] | None:
    """The recipe's settings that the configuration refers to, or a part of the run: one that trains by iterations has
    no use for epochs. None where a part is of somebody's own, whose file is elsewhere."""
    texts = [(conf / "config.yaml").read_text(encoding="utf-8")]
    for group, choice in run.choices.items():
        name, _, node = group.partition("@")
        if not choice or name.startswith("hydra/") or name in _ASIDE or not _in_effect(node or name, run):
            continue
        path = conf / name / f"{choice}.yaml"
        if _FILE.fullmatch(f"{name}/{choice}") and path.exists():
            texts.append(path.read_text(encoding="utf-8"))
        elif not name.startswith(_GROUPS):  # of a pair or a preset there is mostly none
            return None
    return {key for text in texts for key in _REFERENCE.findall(_COMMENT.sub("", text))}


def _contains(node: Any, wanted: Any) -> bool:
    if node == wanted:
        return wanted is not None
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return any(_contains(child, wanted) for child in children)


def _of_file(path: Path, node: str, config: Plain, file: str) -> Iterator[Setting]:
    for_all, tagged = _tagged(path.read_text(encoding="utf-8"))
    package = [] if for_all else [node]
    for keys, tag, asked in tagged:
        there = _at(config, [*package, *keys])
        setting = Setting(".".join([*package, *keys]), format_value(there), tag[1], tag[2], file)
        if "${" not in str(asked) and plain(asked) != there:
            origin = f"the file says {format_value(plain(asked))} now: overridden for this run, or changed since"
            setting = replace(setting, origin="O", source=origin)
        yield setting


@lru_cache(maxsize=256)  # a page asks for each file once for every group of its runs
def _tagged(text: str) -> tuple[bool, list[tuple[tuple[str, ...], re.Match[str], Any]]]:
    """Whether a file's keys are those of the whole configuration; its tagged lines: keys, tag, the value written."""
    lines = text.splitlines()
    values = OmegaConf.to_container(OmegaConf.create(text), resolve=False)
    leaves = _leaves(yaml.compose(text, Loader=yaml.SafeLoader))
    found = [(keys, tag, _at(values, keys)) for keys, line in leaves if (tag := _TAG.search(lines[line]))]
    return lines[:1] == ["# @package _global_"], [one for one in found if one[0][0] != "defaults"]


def _leaves(node: yaml.Node | None, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    """Each value with its keys and its line; a node written in braces or brackets is one value."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        for key, value in node.value:
            yield from _leaves(value, (*keys, str(key.value)))
    elif node is not None and keys:
        yield keys, node.start_mark.line


def _at(config: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        config = config.get(key) if isinstance(config, dict) else None
    return config


def format_value(value: Any) -> str:
    """A value as one reads it in YAML; a node as its class and arguments."""
    if isinstance(value, dict):
        target = str(value.get("_target_", "")).rsplit(".", 1)[-1]
        inside = ", ".join(f"{key} {format_value(item)}" for key, item in value.items() if not str(key).startswith("_"))
        return f"{target}({inside})" if target else inside
    if isinstance(value, list):
        return f"[{', '.join(format_value(item) for item in value)}]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else from_project(str(value))
