"""The parameters of a Python step's function, and where their arguments come from."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from graphlib import TopologicalSorter
from typing import Any

from maestro_flow.core.params.messages import did_you_mean
from maestro_flow.dsl.location import Location, listing
from maestro_flow.steps.python import Argument, Source

__all__ = ["CONTEXT", "Upstream", "check_function", "find_arguments", "name_of"]

CONTEXT = "context"
"""The parameter of this name receives the step's ``StepContext``; no step or param can have this name."""


def name_of(function: Callable[..., Any], location: Location) -> str:
    """The default id of a function's step.

    Raises:
        DefinitionError: it has no usable name: it is a lambda, a ``partial`` or a callable object.
    """
    name = getattr(function, "__name__", "")
    if not isinstance(name, str) or not name or name == "<lambda>":
        what = "a lambda" if name else f"an object of type {type(function).__name__}"
        raise location.error(f"{what} has no name to use as the step's id; pass id=, or write a function with def")
    return name


def check_function(function: Callable[..., Any], location: Location) -> None:
    """Refuse what cannot be called as a step.

    Raises:
        DefinitionError: it is async, a generator, or has parameters that cannot be passed by name.
    """
    if not callable(function):
        raise location.error(f"expected a function, got a value of type {type(function).__name__}")
    called = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004
    for checked in (inspect.unwrap(function), called):
        if inspect.iscoroutinefunction(checked) or inspect.isasyncgenfunction(checked):
            raise location.error("async functions are not supported yet; write a plain def (it may call asyncio.run)")
        if inspect.isgeneratorfunction(checked):
            raise location.error("a generator cannot be a step; return a list instead of yielding")
    for parameter in _parameters(function, location):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
            raise location.error(f"{stars}{parameter.name}: name each parameter, so that it is clear what it receives")
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise location.error(f"the parameter {parameter.name!r} is positional-only; arguments are passed by name")


def _parameters(function: Callable[..., Any], location: Location) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise location.error("its parameters cannot be inspected; wrap it in a function of your own") from None


class Upstream:
    """Which steps run before which, directly or indirectly, in a graph without cycles; ``after`` has the direct ones.

    A set of steps is an integer with one bit per step, so that a chain of ten thousand takes 14 MB and 30 ms.
    """

    def __init__(self, after: Mapping[str, Iterable[str]]) -> None:
        self._bits = {step_id: 1 << index for index, step_id in enumerate(after)}
        self._before = dict.fromkeys(after, 0)
        for step_id in TopologicalSorter(after).static_order():
            for predecessor in after[step_id]:
                self._before[step_id] |= self._before[predecessor] | self._bits[predecessor]

    def knows(self, step_id: str) -> bool:
        """Whether there is such a step."""
        return step_id in self._bits

    def is_before(self, other: str, step_id: str) -> bool:
        """Whether ``other`` runs before ``step_id``."""
        return bool(self._before[step_id] & self._bits[other])

    def before(self, step_id: str) -> list[str]:
        """All steps that run before a step, in the order in which they were added."""
        return [other for other in self._bits if self.is_before(other, step_id)]


def find_arguments(
    function: Callable[..., Any], step_id: str, location: Location, upstream: Upstream, params: Collection[str]
) -> tuple[Argument, ...]:
    """Where each parameter comes from: the context, a param of the workflow, an upstream step, or its own default.

    Raises:
        DefinitionError: a parameter has no source.
    """
    arguments = []
    for parameter in _parameters(function, location):
        name = parameter.name
        if name == CONTEXT:
            arguments.append(Argument(name, Source.CONTEXT))
        elif name in params:
            arguments.append(Argument(name, Source.PARAM))
        elif upstream.knows(name) and name != step_id:
            if not upstream.is_before(name, step_id):
                raise location.error(
                    f"the parameter {name!r} has the name of step {name!r}, which does not run before this one; "
                    "add it to after="
                )
            arguments.append(Argument(name, Source.STEP))
        elif parameter.default is parameter.empty:
            available = [*upstream.before(step_id), *params, CONTEXT]
            raise location.error(
                f"the parameter {name!r} is neither an upstream step nor a param of the workflow, and has no "
                f"default{did_you_mean(name, available)}; available are {listing(available)}"
            )
    return tuple(arguments)
