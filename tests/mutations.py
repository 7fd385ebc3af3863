"""Signs of losses, each turned, and the test that must see it."""

import ast
import importlib
import importlib.util
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from hydra.utils import get_object

TESTS = Path(__file__).parent


class Mutation(NamedTuple):
    """function: its name with dots; expression: of its source, there once; mutated: what takes its place; test: file
    below tests/ and function; arguments: what the test takes, by name."""

    function: str
    expression: str
    mutated: str
    test: str
    arguments: tuple[tuple[str, Any], ...] = ()

    def run(self) -> None:
        """The test, against the code as it stands."""
        file, name = self.test.split("::")
        getattr(test_module(file), name)(**dict(self.arguments))


@cache
def test_module(file: str) -> ModuleType:
    """A file of tests, imported under a name of its own."""
    spec = importlib.util.spec_from_file_location("mutated_" + file.removesuffix(".py").replace("/", "_"), TESTS / file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def plain(function: Callable[..., Any]) -> FunctionType:
    """What a static method or a function stands for."""
    found = inspect.unwrap(function)
    found = getattr(found, "__func__", found)
    assert isinstance(found, FunctionType), function
    return found


@contextmanager
def mutated(mutation: Mutation) -> Iterator[None]:
    """While it lasts the function computes the other thing, wherever it was imported before."""
    function = plain(get_object(mutation.function))
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(mutation.expression) == 1, f"{mutation.function} has {mutation.expression!r} not once"
    own = function.__code__
    function.__code__ = code_of(source.replace(mutation.expression, mutation.mutated), function)
    try:
        yield
    finally:
        function.__code__ = own


def code_of(source: str, function: FunctionType) -> CodeType:
    """Compiled from source, for a function that closes over nothing but `super()`'s class."""
    tree = ast.parse(source)
    (definition,) = tree.body
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    free = function.__code__.co_freevars
    if free:
        outer = ast.parse(f"def outer():\n    {' = '.join(free)} = None").body[0]
        assert isinstance(outer, ast.FunctionDef)
        outer.body.append(definition)
        tree.body = [outer]
    code = compile(ast.fix_missing_locations(tree), function.__code__.co_filename, "exec")
    for _ in range(2 if free else 1):
        code = next(one for one in code.co_consts if isinstance(one, CodeType))
    return code
