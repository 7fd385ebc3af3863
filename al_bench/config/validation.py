"""Whether a configuration gives each part what its signature takes, asked before anything is built.

The signature is the schema: names, types and ranges (`ranges`). How arguments go together, with each other or with the
data, is the part's own to refuse. Values are judged by pydantic.
"""

import json
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, isabstract, isclass, signature
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import AllowInfNan, Strict, TypeAdapter, ValidationError

from al_bench.config.groups import CONF, members, name_known
from al_bench.config.optimizers import is_optimizer, refuse_optimizer
from al_bench.config.ranges import Text
from al_bench.config.values import REFERENCE, keys_of, value_at
from al_bench.errors import UserError

_PLAIN = (bool, int, float, str)
_GIVEN_LATER = ("params", "input_shape", "image_shape", "num_classes", "latent_size")  # to what is made later, by code
_WORDS = {
    "Input should be ": "",
    "List should have at least 1 item after validation, not 0": "a list that is not empty",
    "String should have at least 1 character": "text that is not empty",
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
    value = value_at(resolved, path)
    keys = [key for key in keys_of(value) if not key.startswith("_")]
    if isinstance(value, Mapping) and "_target_" in value:
        _refuse_call(written, path, value, keys)
    for key in keys:
        refuse_arguments(written, resolved, f"{path}.{key}")


def refuse_value(name: str, value: Any, annotation: Any) -> None:
    """Raises UserError where a plain value, or a list or mapping of some, is not of an annotation."""
    allowed = _of_plain_values(annotation)
    if annotation in (Any, None) or (allowed not in (None, NoneType) and _has_parts(value)):
        return
    if allowed in (None, NoneType):
        _refuse_no_parts(name, value, annotation)
        return
    try:
        TypeAdapter(allowed).validate_python(value)
    except ValidationError as error:
        key = next(iter(error.errors()[0]["loc"]), None)
        if isinstance(value, Mapping) and key in value:
            raise UserError(f"{name}.{key}={show(value[key])} must be {_in_words(error)}") from error
        or_null = " or null" if NoneType in get_args(allowed) else ""
        raise UserError(f"{name}={show(value)} must be {_in_words(error)}{or_null}") from error


def refuse_keys(values: Mapping[str, Any], schema: type, prefix: str = "") -> None:
    """Raises UserError for the first of a schema's fields that is missing or whose value is not of its annotation.

    prefix: of the fields' names, as a user types them.
    """
    for key, annotation in get_type_hints(schema, include_extras=True).items():
        if key not in values:
            raise UserError(f"{prefix}{key} is missing: leave out ~{prefix}{key}")
        refuse_value(f"{prefix}{key}", values[key], annotation)


def show(value: Any) -> str:
    """A value as a user types it, on one line."""
    written = json.dumps(value) if value is None or isinstance(value, bool) else str(value)
    return " ".join(written.split())


def _refuse_call(written: Any, path: str, node: Mapping[str, Any], keys: Sequence[str]) -> None:
    target = load_target(f"{path}._target_", node["_target_"])
    try:
        parameters = signature(target).parameters
        annotations = get_type_hints(target.__init__ if isclass(target) else target, include_extras=True)
    except (NameError, TypeError, ValueError):
        return  # without a signature that can be read, Hydra or the part itself says what is wrong
    open_ended = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values())
    if isabstract(target):
        names = ", ".join(sorted(getattr(target, "__abstractmethods__", ())))
        raise UserError(f"{path}._target_={node['_target_']} cannot be made without a method of its own for {names}")
    for key in keys:
        if key not in parameters and not open_ended:
            raise UserError(f"{path}.{key} is not known: {name_known(key, list(parameters))}")
        where = _where_written(written, f"{path}.{key}")
        refuse_value(where, node[key], annotations.get(key))
        _refuse_other_part(where, node[key], annotations.get(key))
    if isclass(target):
        _refuse_gaps(path, node, parameters)
        if is_optimizer(target):
            refuse_optimizer(path, node["_target_"], target, {key: node[key] for key in keys})


def load_target(name: str, path: Any) -> Callable[..., Any]:
    """What stands at a path in the code. name: of the key that says the path, "" where that is not known. Raises
    UserError where nothing does that could be called."""
    said = f"{name}={show(path)}" if name else show(path)
    try:
        target: Any = pkgutil.resolve_name(path)
    except (ImportError, AttributeError, ValueError, TypeError, SyntaxError, NameError) as error:
        raise UserError(f"{said} cannot be loaded: {error}") from error
    except (Exception, SystemExit) as error:  # whatever a module of a user's own does as it is imported
        raise UserError(f"{said} cannot be loaded: {type(error).__name__}: {error}") from error
    if not callable(target):
        raise UserError(f"{said} is neither a class nor a function")
    found: Callable[..., Any] = target
    return found


def _refuse_gaps(path: str, node: Mapping[str, Any], parameters: Mapping[str, Parameter]) -> None:
    """Raises UserError where an argument without a default is missing, unless code gives it later."""
    later = _GIVEN_LATER if node.get("_partial_") is True else ()
    for name, parameter in parameters.items():
        open_ended = parameter.kind in (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
        if parameter.default is Parameter.empty and not open_ended and name not in later and name not in node:
            raise UserError(f"{path}.{name} is missing: give it a value")


def _refuse_no_parts(name: str, value: Any, annotation: Any) -> None:
    """Raises UserError for a plain value where only a part will do, in a list or a mapping of parts too."""
    kinds = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    holders = [kind for kind in kinds if isclass(get_origin(kind)) and issubclass(get_origin(kind), Sequence | Mapping)]
    is_held = isinstance(value, list) or (isinstance(value, Mapping) and "_target_" not in value)
    if holders and is_held:
        element = next(kind for kind in reversed(get_args(holders[0])) if kind is not Ellipsis)
        for key, item in value.items() if isinstance(value, Mapping) else enumerate(value):
            refuse_value(f"{name}.{key}", item, element)
    elif not ((isinstance(value, Mapping) and "_target_" in value) or (value is None and NoneType in kinds)):
        raise UserError(f"{name}={show(value)} must be a part, a node with a _target_")


def _refuse_other_part(name: str, value: Any, annotation: Any) -> None:
    """Raises UserError for a part that is made later, or of another kind, where an annotation names a class, or a
    family's as what comes of a factory."""
    if not isinstance(value, Mapping) or "_target_" not in value:
        return
    is_factory = get_origin(annotation) is Callable
    named = get_args(annotation)[-1:] if is_factory else get_args(annotation) or [annotation]
    kinds = [kind for kind in named if isclass(kind) and kind is not NoneType]
    plain = is_factory or get_origin(annotation) in (None, Union, UnionType)
    if not plain or not kinds or not all(_family_of(kind) if is_factory else _is_ours(kind) for kind in kinds):
        return
    words = " or ".join(_family_of(kind) or f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)
    if value.get("_partial_") is True and not is_factory:
        raise UserError(f"{name}._partial_=true must be false: this {words} is made at once")
    target = load_target(f"{name}._target_", value["_target_"])
    if isclass(target) and not issubclass(target, tuple(kinds)):
        remedy = " or ".join(map(_say_made_from, kinds))
        raise UserError(f"{name}._target_={value['_target_']} is no {words}: name {remedy}")


def _say_made_from(kind: type) -> str:
    """The classes that are of a kind, and choices that make some."""
    said, family = f"a class made from {kind.__module__}.{kind.__qualname__}", _family_of(kind)
    return f"{said}, such as that of {family}={', '.join(members(family)[:3])}" if family else said


def _family_of(kind: type) -> str:
    """The family whose contract a class is; none of a member, and of what is in no folder of `conf/`."""
    package, _, family = kind.__module__.partition(".")
    own = package == __name__.partition(".")[0] and bool(family) and (CONF / family).is_dir()
    return family if own else ""


def _is_ours(kind: type) -> bool:
    own = kind.__module__.partition(".")[0] == __name__.partition(".")[0]
    return own and not getattr(kind, "_is_protocol", False)


def _where_written(written: Any, path: str) -> str:
    """The path of a value, or of that which it refers to."""
    seen = {path}
    while isinstance(value := value_at(written, path), str) and (reference := REFERENCE.fullmatch(value)):
        path = reference.group(1)
        if path in seen:
            break
        seen.add(path)
    return path


def _has_parts(value: Any) -> bool:
    """Whether a value is or holds what Hydra makes an object of."""
    if isinstance(value, Mapping):
        return "_target_" in value or any(map(_has_parts, value.values()))
    return isinstance(value, list) and any(map(_has_parts, value))


def _of_plain_values(annotation: Any) -> Any:
    """What of an annotation a configuration can write down as it is, without a conversion; None where nothing is.

    A number has to be finite, unless its annotation says that infinity will do.
    """
    if annotation in _PLAIN:
        return Annotated[annotation, Strict(), *([AllowInfNan(False)] if annotation is float else [])]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is NoneType or origin is Literal:
        return annotation
    if origin is Annotated:
        inner = _of_plain_values(arguments[0])
        return None if inner is None else Annotated[(inner, *arguments[1:])]
    if Path in arguments:  # text is a file or folder, of which an empty one is where the command starts
        arguments = tuple(Text if argument is str else argument for argument in arguments)
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
