"""A person who labels elsewhere: tasks go out as files, the run ends, and goes on when the answers are there."""

import logging
from pathlib import Path

from al_bench.active.part import declare
from al_bench.annotation.exchange import TASKS_CSV, TASKS_JSON
from al_bench.annotation.task_files import take_answers, write_tasks
from al_bench.config.ranges import Fraction, NoneToAll, UpToAll
from al_bench.errors import Pause, amount
from al_bench.oracle import Person
from al_bench.strategy import Strategy

logger = logging.getLogger(__name__)


@declare("oracle/files", beside=("labels", "goal", "new_classes"))
class Files(Person):
    """Writes what it asks for into the run's folder, see `annotation.task_files`, and takes the answers from there.

    new_classes: whether answers may name classes that there are not. Nobody labels while a model is trained, so nothing
    stands ready meanwhile. The others: see `Person`.
    """

    ahead = 0

    def __init__(
        self,
        first: Strategy,
        audit_size: NoneToAll,
        audit_share: Fraction,
        candidates: UpToAll | None,
        labels: str | None,
        goal: Fraction,
        new_classes: bool,
    ) -> None:
        self.first, self.audit_size, self.audit_share = first, audit_size, audit_share
        self.candidates, self.labels, self.goal, self.new_classes = candidates, labels, goal, new_classes

    def begin(self, folder: Path) -> None:
        """Nothing is to be opened."""

    def wait(self, folder: Path) -> None:
        """Takes the answers that are there. Raises Pause where there are none, UserError for what cannot be taken."""
        if (taken := take_answers(folder, self.new_classes)) is not None:
            logger.info(str(taken))
            return
        count = write_tasks(folder)
        raise Pause(
            f"asked for: {amount(count, 'picture')}; fill in {folder / TASKS_CSV}, or label {TASKS_JSON} beside it in "
            "Label Studio and put its export there as answers.json; then start the same command again"
        )
