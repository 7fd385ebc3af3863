"""Composing many configurations from `conf/`, each file of which is read once, in half of the time that Hydra takes."""

import copy
import pickle
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import lru_cache
from typing import Any

from hydra import compose, initialize_config_dir
from hydra._internal import config_loader_impl, defaults_list
from hydra._internal.config_repository import ConfigRepository
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, OmegaConf, _utils, base, grammar_parser

from al_bench.config.groups import CONF


class ReadOnce(ConfigRepository):
    """Hydra's repository of files, which reads each once and hands out copies.

    Hydra's own `CachingConfigRepository` lives for one composition, which changes what it is given. Reading is a third
    of a composition's time.
    """

    def initialize_sources(self, config_search_path: ConfigSearchPath) -> None:
        super().initialize_sources(config_search_path)
        self.found: dict[str, tuple[ConfigResult, bytes] | None] = {}  # other sources have other files

    def load_config(self, config_path: str) -> ConfigResult | None:
        if config_path not in self.found:
            result = super().load_config(config_path)
            self.found[config_path] = None if result is None else (result, pickle.dumps(result.config))
        found = self.found[config_path]
        if found is None:
            return None
        return replace(found[0], config=pickle.loads(found[1]))

    def __deepcopy__(self, memo: dict[int, Any]) -> "ReadOnce":
        """One that has what was read, too: Hydra makes one for each composition, and may give it other sources."""
        return copy.copy(self)


@contextmanager
def composing(repository: ReadOnce | None = None) -> Iterator[ReadOnce]:
    """Inside, `hydra.compose` reads each file of `conf/` once; with an earlier one's repository not even that.

    The files may not change in between.
    """
    with ExitStack() as inside:
        inside.enter_context(initialize_config_dir(str(CONF), version_base="1.3"))
        kept = _kept.get()
        read = inside.enter_context(
            reading_once(GlobalHydra.instance().config_loader(), repository or next(iter(kept or ()), None))
        )
        if kept is not None:
            kept[:] = [read]
        yield read


@contextmanager
def keeping_files() -> Iterator[None]:
    """Inside, every `composing` reads what one before it has not read: for scripts that compose many experiments."""
    token = _kept.set([])
    try:
        yield
    finally:
        _kept.reset(token)


@contextmanager
def reading_once(loader: Any, repository: ReadOnce | None = None) -> Iterator[ReadOnce]:
    """Inside, Hydra's loader of configurations reads each file once and composes quicker, to the same."""
    read = repository or ReadOnce(loader.config_search_path)
    with composing_quicker(), _replaced(loader, "repository", read):
        yield read


@contextmanager
def composing_quicker() -> Iterator[None]:
    """Inside, and in forks made inside, every loader of Hydra's composes quicker, to the same."""
    with ExitStack() as inside:
        inside.enter_context(_replaced(defaults_list, "_create_interpolation_map", _choices_where_needed))
        inside.enter_context(_replaced(config_loader_impl, "ConfigRepository", ReadOnce))  # a command composes twice
        for module in (base, _utils):
            inside.enter_context(_replaced(module, "parse", _parse_once))
        yield


def as_yaml(overrides: Sequence[str]) -> str:
    """What Hydra composes of a command line: in its own way, unless inside `composing`."""
    with ExitStack() as inside:
        if not GlobalHydra.instance().is_initialized():
            inside.enter_context(initialize_config_dir(str(CONF), version_base="1.3"))
        return OmegaConf.to_yaml(compose("config", overrides=list(overrides), return_hydra_config=True))


_kept: ContextVar[list[ReadOnce] | None] = ContextVar("_kept", default=None)  # of `keeping_files`, at most one
_gather_choices = defaults_list._create_interpolation_map
_parse_once = lru_cache(maxsize=4096)(grammar_parser.parse)  # a tree that is only looked at


def _choices_where_needed(overrides: Any, defaults: list[Any], self_added: bool) -> DictConfig:
    """The choices made so far, for files whose defaults are looked up by them: entries such as
    `pair/gan@gan: ${gan}/${recipe}`. Hydra gathers them for every file, a third of a composition's time."""
    if any(default.is_interpolation() for default in defaults):
        return _gather_choices(overrides, defaults, self_added)
    return OmegaConf.create()


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Inside, a library's object or module has something else under a name."""
    own = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, own)
