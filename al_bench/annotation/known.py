"""What is known so far, as the browser gets it: plain values for JSON."""

import os
from collections.abc import Sequence
from itertools import islice
from typing import Any

from al_bench.active.interval import wilson_interval
from al_bench.annotation.desk import Desk
from al_bench.files import digest
from al_bench.storage.answers import Answer, now
from al_bench.storage.asked import AskedPicture, Measured

MOST_AHEAD = 60  # pictures and answers that the browser gets at a time
MOST_TILES = 500
STOPPED = "The run is not running. Answers are kept all the same; start its command again and it goes on with them."


def state_of(desk: Desk) -> dict[str, Any]:
    """All that the page shows beside pictures and the grid."""
    asked, given = desk.asked, desk.ledger.answers
    return {
        "process": desk.key,
        "version": desk.version,
        "now": now(),
        "run": run_of(desk),
        "alive": desk.runner is not None,
        "state": asked.state,
        "said": asked.said if desk.runner or asked.state == "finished" else STOPPED,
        "problem": desk.problem,
        "classes": classes_of(desk),
        "unknown": desk.ledger.counts[None],
        "queue": [shown(picture) for picture in desk.open[:MOST_AHEAD]],
        "left": len(desk.open),
        "later": len(given.later),
        "history": [done(desk, answer) for answer in islice(desk.ledger.latest(), MOST_AHEAD)],
        "labeled": sum(desk.ledger.counts.values()),
        "audit": {"size": asked.audit_size, "labeled": desk.ledger.num_audit},
        "pace": desk.ledger.pace(),
        "curve": [point for one in asked.curve if (point := measured(one))],
        "forecast": asked.forecast,
        "groups": [{"name": name, "count": len(group)} for name, group in desk.guessed().items()],
        "looks": [look.model_dump() for look in desk.looks[:MOST_AHEAD]],
        "num_looks": len(desk.looks),
    }


def run_of(desk: Desk) -> str:
    """By which a window knows the run that it is of: another one's page may open where its own was, of another folder
    or of the same one, made anew."""
    return digest(os.fsencode(desk.folder.resolve()) + desk.run_id.encode())[:16]


def classes_of(desk: Desk) -> list[dict[str, Any]]:
    """Each class with its key and how many pictures have it."""
    return [{"name": name, "key": key, "count": desk.ledger.counts[name]} for name, key in desk.keys.items()]


def tiles_of(desk: Desk, guess: str) -> list[dict[str, Any]]:
    """Open pictures that the model takes for a class, the surest first."""
    group: Sequence[AskedPicture] = desk.guessed().get(guess, [])
    return [shown(picture) for picture in group[:MOST_TILES]]


def shown(picture: AskedPicture) -> dict[str, Any]:
    """A picture as the browser gets it: of the audit set without the guess, which would lean the answer to it."""
    hidden = {"guess": None, "probability": None} if picture.audit else {}
    return picture.model_copy(update=hidden).model_dump()


def done(desk: Desk, answer: Answer) -> dict[str, Any]:
    """An answer that may be taken back. again: whether an earlier one holds then."""
    picture = desk.picture(answer.position)
    assert picture is not None, "the log's own line has it"
    again = desk.ledger.num_answers(answer.position) > 1
    return {"picture": shown(picture), "label": answer.label, "when": answer.when, "again": again}


def measured(one: Measured) -> dict[str, Any] | None:
    """Accuracy on the audit set with its interval, shares; None where none of it was answered."""
    if one.images == 0:
        return None
    low, high = wilson_interval(one.correct, one.images)
    share = one.correct / one.images
    return {"annotations": one.annotations, "images": one.images, "accuracy": share, "low": low, "high": high}
