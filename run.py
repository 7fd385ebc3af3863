"""The one command: composes a run from `conf/` and does whatever of it is not stored yet."""

import logging
import os
import sys
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from al_bench.config.command_line import effects, help_text, unknown_choice
from al_bench.config.identity import identify, label_of, metrics_of, records_of
from al_bench.config.resolvers import register_resolvers
from al_bench.config.values import plain, written_and_resolved

logger = logging.getLogger("al_bench")

register_resolvers()


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(config: DictConfig) -> None:
    """Runs one cell; exit code 0 when it is finished, 2 on bad input, 128 + signal when it was stopped."""
    from al_bench.errors import UserError
    from al_bench.training.interruption import Interrupted, signals_handled

    try:
        with signals_handled():
            run(config)
    except UserError as error:
        logger.error(f"error: {error}")
        sys.exit(2)
    except Interrupted as stop:
        logger.warning(f"stopped by {stop}; everything finished is kept, the same command goes on from there")
        sys.exit(128 + stop.signum)


def run(config: DictConfig) -> None:
    """Composes the parts and runs the procedure, unless the run is finished here or in an exported cell."""
    from al_bench.active.stopping import Stopping
    from al_bench.config.top_level import TopLevel
    from al_bench.config.validation import refuse_arguments, refuse_keys
    from al_bench.procedure.terminal import outcome
    from al_bench.storage.commit import current_commit
    from al_bench.storage.exported import finished_cell
    from al_bench.storage.record import find_end
    from al_bench.storage.store import RunStore

    written, resolved = written_and_resolved(config)
    refuse_keys(resolved, TopLevel)
    refuse_arguments(written, resolved, "scale")  # which a finished run has too
    identity = identify(config)
    whole = plain(config)
    runtime = HydraConfig.get().runtime
    metrics = metrics_of(config)
    stopping = Stopping.stored(whole["loop"], metrics)
    logger.info(f"{runtime.output_dir}\n{effects(config, runtime.choices)}")
    about = {
        "label": label_of(runtime.choices, config),
        "metrics": [metric.plain() for metric in metrics],
        "records": [recorded.plain() for recorded in records_of(config)],
        "config": whole,
        "choices": dict(runtime.choices),
        "commit": current_commit(),
    }
    with RunStore(Path(runtime.output_dir), identity, about, config.keep_weights, hardware) as store:
        records = store.records or finished_cell(Path(config.paths.cells), identity, stopping)
        reason = find_end(records[-1], stopping) if records else None
        if reason is not None:
            logger.info(f"finished before: {reason}\n{outcome(records, metrics)}")
            return
        refuse_arguments(written, resolved, "procedure")
        settle(config.threads, config.device)
        instantiated(config.procedure).run(store)


def instantiated(node: DictConfig) -> Any:
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


def settle(threads: int | None, device: str) -> None:
    """Sets how many CPU threads torch uses (FAISS follows it), and hides the GPUs from a run that uses none.

    Adam asks at every step whether there is a GPU: an answer from the driver costs as much as a step of a small model.
    """
    import torch

    from al_bench.training.device import chosen_device

    if threads is not None:
        torch.set_num_threads(threads)
    if chosen_device(device).type == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def hardware() -> dict[str, Any]:
    """What the run computes on, for its record."""
    import platform

    import torch

    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    found = {"machine": platform.machine(), "cores": os.cpu_count(), "gpus": gpus, "torch": torch.__version__}
    return {"hardware": found}


if __name__ == "__main__":
    if problem := unknown_choice(sys.argv[1:]):
        sys.exit(f"error: {problem}")
    if {"--help", "-h"} & set(sys.argv[1:]):
        sys.stdout.write(help_text())
        sys.exit()
    main()
