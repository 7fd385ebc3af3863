"""Composing many configurations from `conf/`, each file of which is read once."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from hydra import initialize_config_dir
from hydra._internal.config_repository import ConfigRepository
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.plugins.config_source import ConfigResult

from al_bench.config.groups import CONF


class ReadOnce(ConfigRepository):
    """Hydra's repository of files, which reads each once and hands out copies.

    Hydra's own `CachingConfigRepository` lives for one composition, which changes what it is given. Reading is a third
    of a composition's time.
    """

    def initialize_sources(self, config_search_path: ConfigSearchPath) -> None:
        super().initialize_sources(config_search_path)
        self.found: dict[str, ConfigResult | None] = {}  # other sources have other files

    def load_config(self, config_path: str) -> ConfigResult | None:
        if config_path not in self.found:
            self.found[config_path] = super().load_config(config_path)
        result = self.found[config_path]
        return result and replace(result, config=copy.deepcopy(result.config))  # of the rest Hydra makes a copy

    def __deepcopy__(self, memo: dict[int, Any]) -> "ReadOnce":
        """One that has what was read, too: Hydra makes one for each composition, and may give it other sources."""
        return copy.copy(self)


@contextmanager
def composing(repository: ReadOnce | None = None) -> Iterator[ReadOnce]:
    """Inside, `hydra.compose` reads each file of `conf/` once; with an earlier one's repository not even that.

    The files may not change in between.
    """
    with initialize_config_dir(str(CONF), version_base="1.3"):
        loader: Any = GlobalHydra.instance().config_loader()
        loader.repository = repository or ReadOnce(loader.config_search_path)
        yield loader.repository
