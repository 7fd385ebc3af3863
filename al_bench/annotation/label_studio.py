"""Label Studio's JSON of pictures with one class each: tasks, with what a model takes them for, and answers.

The layout is that of its template for image classification: pictures are `image`, the control with the classes is
`choice`. Each task also says the name of its picture below the folder (`file`), which its exports keep. A task that is
skipped there is one where the person cannot tell.
(https://labelstud.io/guide/task_format, https://labelstud.io/guide/export)
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from al_bench.annotation.rows import Row, checked_row, quoted, read_bounded
from al_bench.errors import UserError, printable
from al_bench.files import parse_json
from al_bench.storage.answers import Answer
from al_bench.storage.asked import AskedPicture

_IMAGE, _CHOICE, _FILE = "image", "choice", "file"
_HEAD: Final = (
    f'<View>\n  <Image name="{_IMAGE}" value="${_IMAGE}" zoom="true"/>\n'
    f'  <Choices name="{_CHOICE}" toName="{_IMAGE}" choice="single" required="true">\n'
)
_END: Final = "  </Choices>\n</View>\n"
_CHOICES: Final = re.compile(r"""(    <Choice value=("[^"<>]*"|'[^'<>]*')/>\n)*""")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_LARGEST: Final = 1 << 63


def asked_task(picture: AskedPicture, pictures_at: str, model: str) -> dict[str, Any]:
    """A task to be answered. model: its name, where it took the picture for something."""
    task: dict[str, Any] = {"data": _data(picture.file, pictures_at)}
    if picture.guess is not None:
        guess = {"model_version": model, "result": [_choice(picture.guess)]}
        task["predictions"] = [guess if picture.probability is None else guess | {"score": picture.probability}]
    return task


def answered_task(file: str, answer: Answer, pictures_at: str) -> dict[str, Any]:
    """A task that is answered. Who answered is in its `meta`: Label Studio refuses persons that it does not know."""
    annotation = {
        "result": [] if answer.label is None else [_choice(answer.label)],
        "was_cancelled": answer.label is None,
        "ground_truth": False,
        "lead_time": answer.seconds,
        "created_at": answer.when,
    }
    return {"data": _data(file, pictures_at), "meta": {"who": answer.who}, "annotations": [annotation]}


def label_config(classes: Iterable[str]) -> str:
    """The XML of the labeling interface."""
    choices = "".join(f"    <Choice value={quoteattr(name)}/>\n" for name in classes)
    return f"{_HEAD}{choices}{_END}"


def is_label_config(text: str) -> bool:
    """Whether a labeling interface is one of `label_config`, of whatever classes, and nobody's own; an editor may have
    set its ends of lines."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").rstrip() + "\n"
    choices = text.removeprefix(_HEAD).removesuffix(_END)
    return len(choices) == len(text) - len(_HEAD) - len(_END) and _CHOICES.fullmatch(choices) is not None


def read_label_studio(path: Path) -> list[Row]:
    """The answers of an export, JSON or JSON-MIN; several of one task are a row each.

    Of other projects too, if the one control for classes or the one named `choice` gives a single class, and the
    picture is `image` or all that there is. Raises UserError for what is no such export, and for a task that is none.
    """
    try:
        tasks = parse_json(read_bounded(path).removeprefix(_BYTE_ORDER_MARK))
    except ValueError as error:
        raise UserError(f"{path} is no JSON that can be read: export JSON or JSON-MIN from Label Studio") from error
    if not isinstance(tasks, list):
        raise UserError(f"{path} is no list of tasks: export JSON or JSON-MIN from Label Studio")
    rows = [row for number, task in enumerate(tasks, 1) for row in _rows(f"{path.name}, task {number}", task)]
    if not rows and any("annotation_id" in task for task in tasks):
        raise UserError(f"{path} has answers to another control than {_CHOICE}: export JSON in place of JSON-MIN")
    return rows


def _data(file: str, pictures_at: str) -> dict[str, str]:
    """pictures_at: what comes before a name in an address; "": names stand alone."""
    name = printable(file)
    return {_IMAGE: pictures_at + quote(file, errors="surrogateescape") if pictures_at else name, _FILE: name}


def _choice(name: str) -> dict[str, Any]:
    return {"from_name": _CHOICE, "to_name": _IMAGE, "type": "choices", "value": {"choices": [name]}}


def _rows(place: str, task: object) -> list[Row]:
    if not isinstance(task, dict):
        raise UserError(f"{place} is no task: export JSON or JSON-MIN from Label Studio")
    if "data" not in task:
        given = [_minimal(place, task)] if task.get(_CHOICE) is not None else []
        return [checked_row(place, _file(place, task), *one) for one in given]
    meta = task["meta"] if isinstance(task.get("meta"), dict) else {}
    whole = list(_annotations(place, task.get("annotations") or [], meta.get("who")))
    data = task["data"] if isinstance(task["data"], dict) else {}
    return [checked_row(place, _file(place, data), *one) for one in whole]


def _file(place: str, data: dict[str, Any]) -> str:
    texts = [value for value in data.values() if isinstance(value, str)]
    file = next((data[key] for key in (_FILE, _IMAGE) if isinstance(data.get(key), str)), None)
    if file is None and len(texts) != 1:
        raise UserError(f"{place} names no picture: call it {_IMAGE}, as label_config.xml does")
    return texts[0] if file is None else file


def _annotations(place: str, annotations: object, who: object) -> Iterator[tuple[object, ...]]:
    """Label, who, when and seconds of each; of those that were skipped only where there are no others."""
    if not isinstance(annotations, list) or not all(isinstance(one, dict) for one in annotations):
        raise UserError(f"{place} has annotations that are none: export JSON or JSON-MIN from Label Studio")
    whole = [one for one in annotations if not one.get("was_cancelled") and one.get("result")]
    for one in whole or [one for one in annotations if one.get("was_cancelled")][-1:]:
        label = None if one.get("was_cancelled") else _label(place, one.get("result"))
        yield label, *_circumstances(place, one, one.get("completed_by", who))


def _label(place: str, results: object) -> str:
    """The one class of an annotation."""
    found = [one for one in results if isinstance(one, dict)] if isinstance(results, list) else []
    choices = [one for one in found if one.get("type") == "choices"]
    choices = [one for one in choices if one.get("from_name") == _CHOICE] or choices
    return _only(place, [value for one in choices for value in _listed(one.get("value"))])


def _minimal(place: str, task: dict[str, Any]) -> tuple[object, ...]:
    """The same of a task of JSON-MIN."""
    label = _only(place, _listed(task[_CHOICE]))
    return label, *_circumstances(place, task, task.get("annotator"))


def _listed(value: object) -> list[object]:
    """The choices, of which a single one stands alone in JSON-MIN."""
    value = value.get("choices") if isinstance(value, dict) else value
    return value if isinstance(value, list) else [value]


def _only(place: str, choices: list[object]) -> str:
    if len(choices) != 1 or not isinstance(choices[0], str):
        given = " and ".join(quoted(_scalar(place, one)) for one in choices[:3]) or "no choice"
        raise UserError(f"{place} has {given}: give each picture one class, by a control that is called {_CHOICE}")
    return choices[0]


def _circumstances(place: str, one: dict[str, Any], who: object) -> tuple[object, object, object]:
    """who: a number, an address, or an object that has one."""
    who = who.get("email") or who.get("id") if isinstance(who, dict) else who
    values = who, one.get("updated_at") or one.get("created_at"), one.get("lead_time")
    who, when, seconds = (_scalar(place, value) for value in values)
    return who, when, seconds


def _scalar(place: str, value: object) -> object:
    """Raises UserError for what is neither text nor a number that could be one of these."""
    if value is None or isinstance(value, str | float) or (isinstance(value, int) and abs(value) < _LARGEST):
        return value
    raise UserError(f"{place} has lists or endless numbers where words should be: export it from Label Studio anew")
