"""What lies on the desk of a person who labels: what is asked, minus what was answered, in one order."""

import os
import secrets
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from al_bench.annotation.fitting import Fitting
from al_bench.annotation.keys import keys_of
from al_bench.annotation.ledger import Ledger
from al_bench.annotation.operations import Give, NameClass, Operation, Postpone, TakeBack
from al_bench.annotation.stamp import Stamp, stamp_of
from al_bench.errors import UserError, of_files
from al_bench.storage.answers import Later, Line, NewClass, TakenBack
from al_bench.storage.asked import QUERY, Asked, AskedPicture, SecondLook, make_run_id, read_asked, read_run_id
from al_bench.storage.holding import runner_of


class Desk:
    """A labeling run as its folder has it, and the one way to add to it. One thread at a time uses it.

    folder: of the run. who: labels, may be empty. problem: a sentence on what could not be read when it was last looked
    at; what was read before is kept. runner: the run's process in words, None: it does not run. version: grows whenever
    something is different, in the process that `key` names. run_id: of the run that this is the desk of, whatever is
    made in its folder later. Raises UserError where the folder is none of a labeling run.
    """

    def __init__(self, folder: Path, who: str = "") -> None:
        self.folder, self.who = folder, who
        self.ledger = Ledger(folder)
        self.runner: str | None = None
        self.problem: str | None = None
        self.version = 0
        self.key = secrets.token_hex(8)
        self._stamp: Stamp | None = None
        self._doubted: dict[int, SecondLook] = {}
        self._seen: dict[int, AskedPicture] = {}  # all that this process was asked, whatever is asked now
        self._fitting = Fitting(folder)
        self._asked = self._read()
        self.run_id = make_run_id(folder)
        self.ledger.read_new()

    @property
    def asked(self) -> Asked:
        """What the run asks now."""
        return self._asked

    @property
    def root(self) -> Path:
        """The folder of pictures."""
        return Path(self._asked.root)

    @property
    def classes(self) -> list[str]:
        """All names: those of the start, then those added, in order."""
        return list(dict.fromkeys([*self._asked.classes, *self.ledger.answers.classes]))

    @property
    def keys(self) -> dict[str, str | None]:
        """The key of each class."""
        return keys_of(self.classes, self.ledger.answers.classes)

    def look(self) -> bool:
        """Takes up what others changed in the folder; returns whether anything is different."""
        before = self.problem, self._stamp
        self.problem = None
        added = 0
        try:
            if stamp_of(self.folder / QUERY) != self._stamp:
                self._refuse_other_run()
                self._asked = self._read()
            added = self.ledger.read_new()
        except (UserError, OSError) as error:
            self.problem = str(worded(error))
        if self.problem is None and not self.root.is_dir():
            self.problem = f"{self.root}, the folder of pictures, is gone: put it back"
        changed = added > 0 or before != (self.problem, self._stamp)
        if changed:
            self._touch()
        return changed

    def look_for_runner(self) -> None:
        """Whether the run is there. Seldom: for a moment it holds the lock that a run takes at its start."""
        if (found := runner_of(self.folder)) != self.runner:
            self.runner = found
            self._touch()

    @cached_property
    def open(self) -> Sequence[AskedPicture]:
        """Pictures to label, in the order to show them: taken back ones, the last first; as asked; those for later, of
        the audit set behind its others, since no model is trained before all of it is answered."""
        answers, back = self.ledger.answers, self.ledger.taken_back
        asked = {picture.position: picture for picture in self._asked.pictures}
        order = [*reversed(back), *(at for at in asked if at not in back and at not in answers.later), *answers.later]
        pictures = (asked.get(at) or self.picture(at) for at in order if answers.answer(at) is None)
        found = [picture for picture in pictures if picture is not None]
        audit = [picture for picture in found if picture.audit and picture.position not in back]
        if len(audit) < 2:  # the last one may go behind all
            return found
        first = [picture for picture in found if picture.position in back]
        return [*first, *audit, *(picture for picture in found if picture not in first and not picture.audit)]

    @cached_property
    def looks(self) -> Sequence[SecondLook]:
        """Answers to look at again; none of the audit set, whose answers a model's guess must not lean."""
        return [look for look in self._asked.second_looks if self._is_doubted(look)]

    def guessed(self) -> dict[str, list[AskedPicture]]:
        """Open pictures by the class that the model takes them for, the surest first. Those of the audit set are left
        out: whoever sees a guess leans to it, and the audit set is what guesses are measured by."""
        groups: dict[str, list[AskedPicture]] = {}
        for picture in self.open:
            if picture.guess is not None and not picture.audit:
                groups.setdefault(picture.guess, []).append(picture)
        for group in groups.values():
            group.sort(key=lambda picture: -(picture.probability or 0))
        return {name: groups[name] for name in sorted(groups, key=self._place)}

    def picture(self, position: int) -> AskedPicture | None:
        """A picture that was asked for or answered, by its newest name; None for any other, which is never shown."""
        known = self._seen.get(position) or self.ledger.picture(position)
        look = self._doubted.get(position)
        return known if known is None or look is None else known.model_copy(update={"file": look.file})

    def record(self, operations: Sequence[Operation]) -> None:
        """Keeps what a person did; when this returns it is on the disk, each once. Raises UnfitError where something of
        it is of no picture of the run, or of another than the one that was answered, UserError where the disk does not
        take it, or a line there is none; nothing of it is kept then."""
        self._refuse_other_run()
        self.look()
        self.ledger.read_new()  # where that cannot be, nothing is added
        lines: list[Line] = []
        names = set(self.classes)
        for operation in operations:
            lines += [line for line in self._lines(operation, names) if not self.ledger.knows(line)]
        self.ledger.append(lines)
        self._touch()

    def _lines(self, operation: Operation, names: set[str]) -> list[Line]:
        if isinstance(operation, NameClass):
            return self._named(operation, names)
        position = operation.position if isinstance(operation, TakeBack) else operation.picture.position
        known = self.picture(position)
        name = self._fitting.name(position, None) if known is None else known.file
        if isinstance(operation, Give):
            name = self._fitting.name(position, name)
            answer = operation.line(self.who, self._labeled(operation.picture.model_copy(update={"file": name})))
            if not self.ledger.knows(answer):  # what was kept and is sent again was of the picture that there was
                self._fitting.refuse_other(operation, self.root, name)
            return [*self._unnamed(operation, names), answer]
        line = Later if isinstance(operation, Postpone) else TakenBack
        return [line(when=operation.when, who=self.who, position=position, file=name)]

    def _named(self, operation: NameClass, names: set[str]) -> list[Line]:
        """The class, and the one that loses its key to it."""
        name, key = operation.name, operation.key
        losers = [other for other, its in self.ledger.answers.classes.items() if key and its == key and other != name]
        names.add(name)
        return [
            NewClass(when=operation.when, who=self.who, name=one, key=None if one in losers else key)
            for one in [*losers, name]
        ]

    def _unnamed(self, operation: Give, names: set[str]) -> list[Line]:
        """The class of an answer that there is none of: no answer is lost."""
        if operation.label is None or operation.label in names:
            return []
        names.add(operation.label)
        return [NewClass(when=operation.when, who=self.who, name=operation.label)]

    def _labeled(self, asked: AskedPicture) -> AskedPicture:
        """A picture as its answer keeps it. asked: as a browser has it, with the name that it has now; what it says
        counts where no more is known."""
        picture = (self.picture(asked.position) or asked).model_copy(update={"file": asked.file})
        look = self._doubted.get(asked.position)
        if look is None or not self._is_doubted(look):
            return picture
        return picture.model_copy(update={"guess": look.guess, "probability": look.guess_probability})

    def _is_doubted(self, look: SecondLook) -> bool:
        answer = self.ledger.answers.answer(look.position)
        if answer is None or answer.label != look.answer or answer.audit:
            return False
        return answer.when == look.when if look.when else self.ledger.num_answers(look.position) == 1

    def _place(self, name: str) -> int:
        return self.classes.index(name) if name in self.classes else len(self.classes)

    def _read(self) -> Asked:
        stamp = stamp_of(self.folder / QUERY)
        asked = read_asked(self.folder)
        if asked is None:
            raise UserError(
                f"{self.folder} asks for no labels: {QUERY} is not there, which a run with oracle=human has"
            )
        self._stamp = stamp
        self._doubted = {look.position: look for look in asked.second_looks}
        self._seen |= {picture.position: picture for picture in asked.pictures}
        looks = {look.position: look.file for look in asked.second_looks}
        self._fitting.asked = looks | {picture.position: picture.file for picture in asked.pictures}
        return asked

    def _refuse_other_run(self) -> None:
        """Raises UserError where the run that this is the desk of is gone, whatever is in its folder now."""
        if read_run_id(self.folder) != self.run_id:
            raise UserError(
                f"{self.folder} is another run's by now, or gone: end this page (process {os.getpid()}), and open that "
                f"run's by python scripts/annotate.py {self.folder}"
            )

    def _touch(self) -> None:
        self.version += 1
        for name in ("open", "looks"):
            self.__dict__.pop(name, None)


def worded(error: UserError | OSError) -> UserError:
    """A failure in a sentence for a person. Raises what is our own mistake."""
    known = of_files(error) if isinstance(error, OSError) else error
    if known is None:
        raise error
    return known
