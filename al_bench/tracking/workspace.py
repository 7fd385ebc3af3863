"""An experiment as a saved view of W&B: every metric over annotations, a line per method, its band over the seeds.

Building one needs no login and sends nothing.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from al_bench.active.metric import Metric
from al_bench.config.experiment import Cell
from al_bench.errors import UserError
from al_bench.tracking.naming import AXIS, IMAGES, LINE, cost_key, metric_key, tag

if TYPE_CHECKING:
    from wandb_workspaces.reports.v2.interface import LinePlot
    from wandb_workspaces.workspaces import Section, Workspace

_COSTS = {
    cost_key("fit", "seconds"): "seconds of training",
    cost_key("query", "seconds"): "seconds of a query",
    cost_key("fit", "optimizer_steps"): "training steps",
}


def build_workspace(experiment: str, cells: Sequence[Cell], entity: str, project: str) -> "Workspace":
    """The view of an experiment's cells, found by their tags; it need not be there that they ran.

    A section for each metric that their evaluators declare, one for what cycles cost and, where a strategy has a GAN,
    one for what it synthesized. Raises UserError where W&B is shown nothing of such cells, or its package is absent.
    """
    _refuse_absent()
    from wandb_workspaces import expr
    from wandb_workspaces.workspaces import RunsetSettings, Workspace, WorkspaceSettings

    unshown = sorted({cell.choices["procedure"] for cell in cells} - {"loop"})
    if unshown:
        raise UserError(
            f"{experiment} has procedure={unshown[0]}, of which W&B is shown nothing: use one that has cycles"
        )
    metrics = {metric.name: metric for cell in cells for metric in cell.metrics if metric.unit != "images"}
    plots = {metric_key(name): (metric.heading, _axis(metric)) for name, metric in metrics.items()}
    measured = [_section(words, [_plot(key, words, axis, cells)]) for key, (words, axis) in plots.items()]
    costs = _section("costs of a cycle", [_plot(key, words, words, cells) for key, words in _COSTS.items()])
    tags = [tag("experiment", experiment), *sorted({tag("scale", cell.choices["scale"]) for cell in cells})]
    return Workspace(
        entity=entity,
        project=project,
        name=", ".join([experiment, *(one.partition(":")[2] for one in tags[1:])]),
        sections=[*measured, costs, *_images(cells)],
        settings=WorkspaceSettings(x_axis=AXIS, max_runs=len(cells)),
        runset_settings=RunsetSettings(
            filters=expr.And(*(expr.Tags().isin([one]) for one in tags)), groupby=[expr.Config(LINE)]
        ),
    )


def plain_workspace(workspace: "Workspace") -> dict[str, Any]:
    """As W&B keeps it, as plain values."""
    found: dict[str, Any] = workspace._to_model().model_dump(mode="json", by_alias=True, exclude_none=True)
    return found


def send_workspace(workspace: "Workspace") -> str:
    """Saves it as a new view; returns its address. An entity that is "" is the one of the login. Raises UserError where
    there is no login, or W&B cannot be had or refuses it."""
    import wandb

    if not wandb.login(prompt=False, verify=False):
        raise UserError("W&B has no API key here: `wandb login` or WANDB_API_KEY gives it one, --json FILE needs none")
    try:
        workspace.entity = workspace.entity or str(wandb.Api(timeout=10).default_entity)
        return str(workspace.save().url)
    except (wandb.Error, OSError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise UserError(f"W&B does not take the view: {reason}; --json FILE writes it here") from error


def _section(name: str, panels: Sequence[Any]) -> "Section":
    from wandb_workspaces.workspaces import Section

    return Section(name=name, panels=list(panels), is_open=True)


def _plot(key: str, title: str, axis: str, cells: Sequence[Cell]) -> "LinePlot":
    """The mean and the range over the seeds of each line."""
    from wandb_workspaces.reports.v2.interface import Config, LinePlot

    return LinePlot(
        title=title, x=AXIS, y=[key], title_x=AXIS, title_y=axis, groupby=Config(LINE),
        groupby_aggfunc="mean", groupby_rangefunc="minmax", max_runs_to_show=len(cells),
    )  # fmt: skip


def _axis(metric: Metric) -> str:
    return f"{metric.heading} ({metric.unit})" if metric.unit in ("fraction", "nats") else metric.heading


def _images(cells: Sequence[Cell]) -> "list[Section]":
    from wandb_workspaces.reports.v2.interface import MediaBrowser

    if not any("gan" in (cell.identity.get("strategy") or {}) for cell in cells):
        return []
    return [_section("synthesized images", [MediaBrowser(media_keys=[IMAGES], num_columns=5)])]


def _refuse_absent() -> None:
    from importlib.util import find_spec

    if find_spec("wandb_workspaces") is None:
        raise UserError("views of W&B need the package wandb-workspaces: pip install 'al_bench[dashboards]'")
