"""The one command: composes a run from `conf/` and does whatever of it is not stored yet.

Exit code: 0 when it is finished; 2 on bad input, and on a file or a disk that does not do what is asked of it; 128 +
signal when it was stopped; 1 on a defect of ours. Of a sweep that has cells which did not finish: 2 where all of these
ended with 2, else 1.
"""

import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from al_bench.training.interruption import REFUSED, as_command, ended_in_words

if TYPE_CHECKING:  # all that takes time is imported where signals are handled
    from omegaconf import DictConfig

logger = logging.getLogger("al_bench")


def start(arguments: Sequence[str]) -> None:
    """The command with these arguments. Raises SystemExit, UserError, OSError or what a defect of ours raises."""
    refuse_bare_python()
    from al_bench.config.command_line import help_text, prepare_line
    from al_bench.config.resolvers import register_resolvers

    line, planned = prepare_line(arguments)
    register_resolvers()
    if {"--help", "-h"} & set(line):
        sys.stdout.write(help_text())
        return
    sys.argv[1:] = line  # from where Hydra takes them
    if planned:
        sys.stdout.write(plan(sys.argv[1:]))
        return
    compose_and_run()


def refuse_bare_python() -> None:
    """Raises UserError where this Python has not what is needed, such as that of the system in a new shell."""
    from importlib.util import find_spec

    from al_bench.errors import UserError

    if missing := [name for name in ("omegaconf", "hydra", "pydantic", "torch") if find_spec(name) is None]:
        raise UserError(
            f"{sys.executable} has no {missing[0]}: use .venv/bin/python, which `make install` makes, or "
            "`source .venv/bin/activate` first"
        )


def plan(arguments: Sequence[str]) -> str:
    """What a command line would run, without running it. Raises UserError where nothing can be composed."""
    from al_bench.analysis.sweep_plan import plan_sweep
    from al_bench.config.command_line import folder_of
    from al_bench.config.experiment import cells_of_line
    from al_bench.report.sweep_plan import write_plan

    line = [item for item in arguments if item not in ("-m", "--multirun")]
    with in_a_sentence():
        cells = cells_of_line(line, held=True)
    named = [item.removeprefix("experiment=") for item in line if item.startswith("experiment=")]
    own = [item for item in line if not item.startswith("experiment=")]
    found = plan_sweep((named or ["none"])[-1], own, cells, folder_of("outputs", line), folder_of("cells", line))
    return f"{write_plan(found)}\n"


def compose_and_run() -> None:
    """Has Hydra call `main`, or a launcher that does. Raises UserError where nothing can be composed."""
    import hydra

    os.environ["HYDRA_FULL_ERROR"] = "1"  # what is raised comes through, to be said by us
    with in_a_sentence():
        hydra.main(version_base="1.3", config_path="conf", config_name="config")(main)()


@contextmanager
def in_a_sentence() -> Iterator[None]:
    """Raises a UserError in place of what is no defect of ours."""
    from al_bench.config.refusal import sentence_of
    from al_bench.errors import UserError

    try:
        yield
    except Exception as error:
        if (sentence := sentence_of(error)) is None:
            raise
        raise UserError(sentence) from error


def main(config: "DictConfig") -> None:
    """Runs one cell. What was refused before anything was stored leaves no folder."""
    from hydra.core.hydra_config import HydraConfig

    from al_bench.storage.unstarted import discard_unstarted

    try:
        with ended_in_words(), in_a_sentence():  # here, for Hydra would say more of an exception
            run(config)
    except SystemExit as end:
        if end.code == REFUSED:
            discard_unstarted(Path(HydraConfig.get().runtime.output_dir), Path(config.paths.outputs))
        raise


def run(config: "DictConfig") -> None:
    """Composes the parts and runs the procedure, unless the run is finished here or in an exported cell."""
    from hydra.core.hydra_config import HydraConfig

    from al_bench.active.stopping import ALL_LABELED, Stopping
    from al_bench.config.effects import effects
    from al_bench.config.identity import identify, metrics_of
    from al_bench.config.top_level import refuse_top_level
    from al_bench.config.validation import refuse_arguments
    from al_bench.config.values import plain, written_and_resolved
    from al_bench.procedure.finished import tell_finished
    from al_bench.storage.grown import has_grown
    from al_bench.storage.hardware import hardware
    from al_bench.storage.kept_models import warn_of_gone
    from al_bench.storage.known import begun_cell, finished_cell
    from al_bench.storage.neighbors import say_nearest
    from al_bench.storage.own_sources import warn_of_changed
    from al_bench.storage.record import cut_at_end
    from al_bench.storage.store import RunStore

    written, resolved = written_and_resolved(config)
    refuse_top_level(written, resolved)
    refuse_arguments(written, resolved, "scale")  # which a finished run has too
    identity = identify(config)
    whole = plain(config)
    runtime = HydraConfig.get().runtime
    metrics = metrics_of(config)
    stopping = Stopping.stored(whole["loop"], metrics)
    logger.info(f"{runtime.output_dir}\n{effects(config, HydraConfig.get())}")
    about = describe(config, whole, runtime.choices)
    with RunStore(Path(runtime.output_dir), identity, about, config.keep_weights, hardware) as store:
        stored, cell = store.records, None
        if cut_at_end(stored, stopping)[1] is None:
            cell, found = finished_cell(Path(config.paths.cells), identity, stopping)
            stored = found or stored
        records, reason = cut_at_end(stored, stopping)
        if store.records:
            warn_of_changed(store.folder, about["sources"])
        warn_of_gone(store.folder, records, config.keep_weights)
        if reason is not None and not (reason == ALL_LABELED and has_grown(store.folder, whole["dataset"].get("root"))):
            tell_finished(store.folder, cell, stored, records, reason, metrics)
            if cut_at_end(store.records, stopping)[1] is not None:
                store.end_here(metrics)
            return
        store.refuse_unwritable()
        keep_command(store.folder, config)
        refuse_arguments(written, resolved, "procedure")
        store.go_on()
        store.exported = begun_cell(Path(config.paths.cells), identity)
        warn_of_gone(store.folder, store.exported, config.keep_weights)
        settle(config.threads, config.device, resolved["procedure"])
        if config.trainer is not None:
            from al_bench.training.trainer import check_trainer

            check_trainer(instantiated(config.trainer), resolved["procedure"])
        procedure = instantiated(config.procedure)
        if not stored and (told := say_nearest(store.folder, identity, about)):
            logger.info(told)  # once nothing of it was refused that is told before it runs
        procedure.run(store)


def describe(config: "DictConfig", whole: dict[str, Any], choices: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored of a run beside its identity. whole: its configuration as plain values; choices: Hydra's."""
    from al_bench.config.identity import label_of, metrics_of, records_of
    from al_bench.storage.commit import current_commit
    from al_bench.storage.own_sources import own_sources

    return {
        "label": label_of(choices, config),
        "metrics": [metric.plain() for metric in metrics_of(config)],
        "records": [recorded.plain() for recorded in records_of(config)],
        "config": whole,
        "choices": dict(choices),
        "commit": current_commit(),
        "sources": own_sources(whole["procedure"]),
    }


def keep_command(folder: Path, config: "DictConfig") -> None:
    """Writes what Hydra writes of a command, which it would do for a finished run too, on a disk that is only read."""
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    from al_bench.files import written_whole

    composed = HydraConfig.get()
    (folder / "hydra").mkdir(exist_ok=True)
    for name, node in {"config": config, "hydra": composed, "overrides": composed.overrides.task}.items():
        with written_whole(folder / "hydra" / f"{name}.yaml", lasting=False) as file:
            file.write(OmegaConf.to_yaml(node).encode())


def instantiated(node: "DictConfig") -> Any:
    """What a node describes. Raises UserError where a part refuses its arguments."""
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate

    from al_bench.errors import UserError

    try:
        return instantiate(node)
    except InstantiationException as error:
        if isinstance(error.__cause__, UserError):
            raise error.__cause__ from error
        if isinstance(error.__cause__, TypeError) and "argument" in str(error.__cause__):
            place = str(error).rsplit("full_key: ", 1)[-1].removeprefix("procedure.")
            raise UserError(f"{place}: {error.__cause__}") from error
        raise


def settle(threads: int | None, device: str, procedure: Mapping[str, Any]) -> None:
    """Sets how many CPU threads torch uses (FAISS follows it); of a run on the CPU what memory is kept, and hides the
    GPUs from it. Raises UserError for a precision of the procedure's parts that the device has not.

    Adam asks at every step whether there is a GPU: an answer from the driver costs as much as a step of a small model.
    """
    import torch

    from al_bench.training.allocator import keep_freed_memory
    from al_bench.training.device import chosen_device, refuse_half_precision

    refuse_half_precision(device, procedure)
    if threads is not None:
        torch.set_num_threads(threads)
    if chosen_device(device).type == "cpu":
        keep_freed_memory()
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # before and after the block it ends the process without a word
    with as_command():
        start(sys.argv[1:])
