"""Whether a configuration gives each part what its signature takes, asked before anything is built.

The signature is the schema: names, types and ranges (`ranges`). How arguments go together, with each other or with the
data, is the part's own to refuse. Values are judged by pydantic.
"""

import difflib
import json
import pkgutil
import re
import sys
from collections.abc import Mapping, Sequence
from inspect import Parameter, isclass, signature
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import AllowInfNan, Strict, TypeAdapter, ValidationError

from al_bench.errors import UserError

_REFERENCE = re.compile(r"\$\{([\w.]+)\}")  # a value that stands elsewhere: where a user would change it
_PLAIN = (bool, int, float, str)
_WORDS = {
    "Input should be ": "",
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
    "greater than": "more than",
    "a valid integer": "a whole number",
    "a valid number": "a number",
    "a valid boolean": "true or false",
    "a valid string": "text",
    "a valid list": "a list",
    "a valid dictionary": "a mapping",
}


def refuse_arguments(written: Any, resolved: Any, path: str) -> None:
    """Raises UserError for the first argument below `path` that its part does not take, named as a user types it.

    written: the whole configuration as it is written, in plain containers; resolved: the same with every value in place
    of its interpolation.
    """
    path = _where_written(written, path)
    value = _at(resolved, path)
    if isinstance(value, Mapping):
        keys = [key for key in value if not str(key).startswith("_")]
        if "_target_" in value:
            _refuse_call(written, path, value, keys)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        keys = [str(number) for number in range(len(value))]
    else:
        return
    for key in keys:
        refuse_arguments(written, resolved, f"{path}.{key}")


def refuse_value(name: str, value: Any, annotation: Any) -> None:
    """Raises UserError where a plain value, or a list or mapping of some, is not of an annotation."""
    allowed = _of_plain_values(annotation)
    if allowed in (None, NoneType) or _has_parts(value):
        return
    try:
        TypeAdapter(allowed).validate_python(value)
    except ValidationError as error:
        key = next(iter(error.errors()[0]["loc"]), None)
        if isinstance(value, Mapping) and key in value:
            raise UserError(f"{name}.{key}={_shown(value[key])} must be {_in_words(error)}") from error
        or_null = " or null" if NoneType in get_args(allowed) else ""
        raise UserError(f"{name}={_shown(value)} must be {_in_words(error)}{or_null}") from error


def refuse_keys(values: Mapping[str, Any], schema: type) -> None:
    """Raises UserError for the first of a schema's fields whose value is not of its annotation."""
    for key, annotation in get_type_hints(schema, include_extras=True).items():
        refuse_value(key, values[key], annotation)


def _shown(value: Any) -> Any:
    return json.dumps(value) if value is None or isinstance(value, bool) else value


def _refuse_call(written: Any, path: str, node: Mapping[str, Any], keys: Sequence[str]) -> None:
    try:
        target = pkgutil.resolve_name(node["_target_"])
        parameters = signature(target).parameters
        annotations = get_type_hints(target.__init__ if isclass(target) else target, include_extras=True)
    except (ImportError, AttributeError, NameError, TypeError, ValueError):
        return  # without a signature that can be read, Hydra or the part itself says what is wrong
    open_ended = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values())
    for key in keys:
        if key not in parameters and not open_ended:
            raise UserError(f"{path}.{key} is not known: {_known(key, parameters)}")
        refuse_value(_where_written(written, f"{path}.{key}"), node[key], annotations.get(key))
    if isclass(target) and _is_optimizer(target):
        _refuse_optimizer(path, target, {key: node[key] for key in keys})


def _refuse_optimizer(path: str, optimizer: Any, arguments: Mapping[str, Any]) -> None:
    """Optimizers check their ranges themselves, but only once there are parameters, after other trainings."""
    import torch

    try:
        optimizer([torch.nn.Parameter(torch.zeros(1))], **arguments)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error


def _is_optimizer(target: type) -> bool:
    optim = sys.modules.get("torch.optim")  # imported by whoever is one: a finished run is shown without torch
    return optim is not None and issubclass(target, optim.Optimizer)


def _known(key: str, parameters: Mapping[str, Parameter]) -> str:
    names = [name for name in parameters if name not in ("self", "params")]
    if not names:
        return "there is nothing to set"
    close = difflib.get_close_matches(key, names, 1)
    return (f"did you mean {close[0]}? Use one of " if close else "use one of ") + ", ".join(names)


def _where_written(written: Any, path: str) -> str:
    """The path of a value, or of that which it refers to."""
    seen = {path}
    while isinstance(value := _at(written, path), str) and (reference := _REFERENCE.fullmatch(value)):
        path = reference.group(1)
        if path in seen:
            break
        seen.add(path)
    return path


def _at(container: Any, path: str) -> Any:
    for key in path.split("."):
        if isinstance(container, Mapping):
            container = container.get(key)
        elif isinstance(container, list) and key.isdigit() and int(key) < len(container):
            container = container[int(key)]
        else:
            return None
    return container


def _has_parts(value: Any) -> bool:
    """Whether a value is or holds what Hydra makes an object of."""
    if isinstance(value, Mapping):
        return "_target_" in value or any(map(_has_parts, value.values()))
    return isinstance(value, list) and any(map(_has_parts, value))


def _of_plain_values(annotation: Any) -> Any:
    """What of an annotation a configuration can write down as it is, without a conversion; None where nothing is.

    A number that has a bound has to be finite, unless its annotation says that infinity will do.
    """
    if annotation in _PLAIN:
        return Annotated[annotation, Strict()]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is NoneType or origin is Literal:
        return annotation
    if origin is Annotated:
        inner = _of_plain_values(arguments[0])
        bounds = arguments[1:]
        if arguments[0] is float and not any(isinstance(bound, AllowInfNan) for bound in bounds):
            bounds = (*bounds, AllowInfNan(False))
        return None if inner is None else Annotated[(inner, *bounds)]
    parts = [_of_plain_values(argument) for argument in arguments if argument is not Ellipsis]
    if origin in (Union, UnionType):
        kept = tuple(part for part in parts if part is not None)
        return Union[kept] if kept else None  # noqa: UP007  # of as many as there are
    if not (isclass(origin) and issubclass(origin, Sequence | Mapping)) or None in parts:
        return None
    generic: Any = dict if issubclass(origin, Mapping) else tuple if origin is tuple else list
    return generic[(*parts, ...) if Ellipsis in arguments else tuple(parts)]


def _in_words(error: ValidationError) -> str:
    found = dict.fromkeys(problem["msg"] for problem in error.errors())
    sentence = " or ".join(found)
    for theirs, ours in _WORDS.items():
        sentence = sentence.replace(theirs, ours)
    return sentence
