"""The options ``after`` and ``when`` of a step written in Python: which steps it follows, and when."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

from maestro_flow.core.params.messages import preview
from maestro_flow.dsl.conditions import read_condition
from maestro_flow.dsl.location import Location
from maestro_flow.dsl.options import After, StepOptions

__all__ = ["Edges"]


class Edges:
    """Knows which step each decorated function is, so that functions can be used in place of ids."""

    def __init__(self) -> None:
        self._ids: dict[Hashable, list[str]] = {}

    def register(self, function: Callable[..., Any], step_id: str) -> None:
        """From now on the function stands for this step."""
        self._ids.setdefault(_key(function), []).append(step_id)

    def read(self, options: StepOptions, location: Location) -> dict[str, bool | str]:
        """The ids of the steps that a step follows, each with its condition; whether they exist is not checked.

        Raises:
            DefinitionError: something in ``after`` is not a step, a condition is not SEL, or it has no edge.
        """
        after: After = options.get("after", ())
        if isinstance(after, Mapping):
            if "when" in options:
                raise location.error("both when= and the mapping in after= give conditions; use one of them")
            return self._read_mapping(after, location)
        condition = read_condition(options.get("when", True), location / "when")
        edges = dict.fromkeys(self._ids_of(after, location), condition)
        if "when" in options and not edges:
            raise location.error("when= is the condition under which this step follows others; name them in after=")
        return edges

    def _read_mapping(self, after: Mapping[Any, str | bool], location: Location) -> dict[str, bool | str]:
        edges: dict[str, bool | str] = {}
        for each, condition in after.items():
            for step_id in self._ids_of(each, location):
                if step_id in edges:
                    raise location.error(f"after= names the step {preview(step_id)} twice")
                edges[step_id] = read_condition(condition, location / "after" / step_id)
        return edges

    def _ids_of(self, after: After, location: Location) -> Iterator[str]:
        if isinstance(after, str):
            yield after
        elif callable(after):
            ids = self._ids.get(_key(after), [])
            name = getattr(after, "__name__", type(after).__name__)
            if not ids:
                raise location.error(
                    f"after={name}: this function is not a step of the workflow yet; decorate it first"
                )
            if len(ids) > 1:
                raise location.error(f"after={name}: this function is several steps ({', '.join(ids)}); give the id")
            yield ids[0]
        elif isinstance(after, Iterable):
            for each in after:
                yield from self._ids_of(each, location)
        else:
            raise location.error(f"after={preview(after)}; expected step ids or decorated functions, one or several")


def _key(function: Callable[..., Any]) -> Hashable:
    """What a function is looked up by; a bound method is a new object on each access, but an equal one."""
    return function if isinstance(function, Hashable) else id(function)
