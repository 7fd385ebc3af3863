"""Runs of the same label and seed that lie beside a run: a person who changed a setting is told which."""

import textwrap
from pathlib import Path

from al_bench.config.values import differences
from al_bench.files import read_json
from al_bench.storage.record import Plain

_MOST, _LONGEST = 4, 240  # differences that are said, and characters of each


def say_nearest(folder: Path, identity: Plain, label: str) -> str:
    """In what a run that begins is another than the one beside it that is the most like it; "" where none is.

    folder, identity, label: of the run. What cannot be read there is nobody's neighbor.
    """
    found = []
    for path in sorted(folder.parent.glob("*/config.json")):
        try:
            stored = read_json(path)
            if path.parent != folder and stored["label"] == label:
                found.append((differences(stored["identity"], identity), path.parent.name))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    if not found:
        return ""
    told, name = min(found, key=lambda one: len(one[0]))
    more = f"; and {len(told) - _MOST} more" if len(told) > _MOST else ""
    said = "; ".join(textwrap.shorten(line, _LONGEST, placeholder=" …") for line in told[:_MOST])
    return f"a new run, not {name} beside it: {said}{more}"
