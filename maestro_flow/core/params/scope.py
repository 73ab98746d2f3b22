"""Evaluates the params of one scope: each on demand, once, after those that it reads.

References are not followed recursively, so a chain of params may have any length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from maestro_flow.core.params.casts import TypeMismatch, cast
from maestro_flow.core.params.error_context import ErrorContext
from maestro_flow.core.params.expressions import Expressions, NeedsParam
from maestro_flow.core.params.messages import preview
from maestro_flow.core.params.outer_scope import OuterScope
from maestro_flow.core.params.plan import is_literal, names_of, needed_names
from maestro_flow.core.params.references import Reference, interpolate
from maestro_flow.errors import SelError, SelRuntimeError
from maestro_flow.model.params import Param, ParamType

__all__ = ["Scope"]

_CYCLE_NAMES_MAX = 12


class Scope:
    """The params of a run or of a step. ``done`` has those that are evaluated already."""

    def __init__(
        self,
        params: Mapping[str, Param],
        context: ErrorContext,
        outer: OuterScope,
        expressions: Expressions,
        done: Mapping[str, Param] | None = None,
    ) -> None:
        self.params, self.context, self.outer, self.expressions = params, context, outer, expressions
        self.done: dict[str, Param] = dict(done or {})

    def all(self) -> dict[str, Param]:
        """All params, in the order of their definition.

        Raises:
            ParamError: one has no value or a value that does not fit, or they form a cycle.
        """
        return {name: self.evaluated(name) for name in self.params}

    def evaluated(self, name: str) -> Param:
        """One param, evaluated after all that it reads.

        Raises:
            ParamError: one of them has no value or a value that does not fit, or they form a cycle.
        """
        found = self.done.get(name)
        if found is not None:
            return found
        path = {name: self._needs(name)}
        while path:
            reader = next(reversed(path))
            needed = next(path[reader], None)
            if needed is None:
                try:
                    self.done[reader] = self._evaluate(reader)
                except NeedsParam as needs:
                    needed = needs.name
                else:
                    path.popitem()
                    continue
            if needed in path:
                self._refuse_cycle([*path][[*path].index(needed) :], needed)
            if needed not in self.done:
                path[needed] = self._needs(needed)
        return self.done[name]

    def read(self, text: str, expression_of: str) -> Any:
        """The value of an expression that is not a param; ``expression_of`` names it in errors.

        Raises:
            ParamError: it has no value.
        """
        return self._unnamed(expression_of, lambda: self._expression(text, None))

    def interpolated(self, text: str, text_of: str) -> str:
        """A string that is not a param, with its references replaced; ``text_of`` names it in errors.

        Raises:
            ParamError: a reference has no value.
        """
        replaced: str = self._unnamed(text_of, lambda: self._text(text, None))
        return replaced

    def _unnamed(self, what: str, attempt: Callable[[], Any]) -> Any:
        while True:
            try:
                return attempt()
            except NeedsParam as needs:
                self.evaluated(needs.name)
            except SelError as error:
                raise self.context.error(f"{what}: {error}") from error

    # -- which param reads which --------------------------------------------------------------------------------

    def _needs(self, name: str) -> Iterator[str]:
        """Params of this scope that a param reads, as far as its source tells."""
        param = self.params[name]
        if is_literal(param):
            return iter(())
        try:
            return iter([own for needed in needed_names(param) if (own := self._local(needed, name)) is not None])
        except SelError as error:
            raise self.context.param_error(name, param, str(error)) from error

    def _local(self, name: str, reader: str | None) -> str | None:
        """The param of this scope that a name means, if any; a param that reads its own name means the outer one."""
        own: str = self.outer.local_name(name)
        if own not in self.params or (own == reader and own == name and self.outer.knows(name)):
            return None
        return own

    def value_of(self, name: str, reader: str | None) -> Any:
        """The plain value of a name, for the param ``reader``.

        Raises:
            SelError: it has none.
            NeedsParam: it is not evaluated yet.
        """
        own = self._local(name, reader)
        if own is None:
            return self.outer.value(name)
        if own not in self.done:
            if not is_literal(self.params[own]):
                raise NeedsParam(own)
            self.done[own] = self.params[own]
        return self.done[own].plain

    def is_known(self, name: str, reader: str | None) -> bool:
        return self._local(name, reader) is not None or self.outer.knows(name)

    # -- one param ----------------------------------------------------------------------------------------------

    def _evaluate(self, name: str) -> Param:
        param = self.params[name]
        return param if is_literal(param) else self._entry(name, name, param)

    def _entry(self, name: str, path: str, param: Param) -> Param:
        """A param, or an entry at any depth of the param ``name``."""
        try:
            if param.expression is not None:
                value = cast(param.type, self._expression(param.expression, name))
            elif param.type is ParamType.MAP and isinstance(param.value, dict):
                value = {key: self._entry(name, f"{path}.{key}", entry) for key, entry in param.value.items()}
            else:
                value = cast(param.type, self._literal(param.value, name))
        except NeedsParam:
            raise
        except TypeMismatch as mismatch:
            place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in mismatch.path)
            raise self.context.param_error(f"{path}{place}", param, f"the value {mismatch}") from None
        except SelError as error:
            raise self.context.param_error(path, param, str(error)) from error
        return Param(param.type, value, param.mode, source=param.source)

    def _expression(self, source: str, reader: str | None) -> Any:
        for name in names_of(source):
            if not self.is_known(name, reader):
                self.outer.value(name)  # says why not
        value = self.expressions.value(source, _Names(self, reader))
        if value is None:
            raise SelRuntimeError("it has no value: the expression of a param must not end in null")
        return value

    def _literal(self, value: Any, reader: str | None) -> Any:
        """A literal with each reference replaced by its value."""
        if isinstance(value, str):
            return self._text(value, reader)
        if isinstance(value, list):
            return [self._literal(item, reader) for item in value]
        if isinstance(value, dict):
            return {self._text(key, reader): self._literal(item, reader) for key, item in value.items()}
        return value

    def _text(self, text: str, reader: str | None) -> str:
        def value_of(reference: Reference) -> Any:
            value = self.value_of(reference.name, reader)
            if value is None:
                raise SelRuntimeError(f"{reference.spelling} in {preview(text)} has no value: it is null")
            return value

        return interpolate(text, value_of)

    def _refuse_cycle(self, path: list[str], again: str) -> NoReturn:
        cycle = [*path, again]
        if len(cycle) > _CYCLE_NAMES_MAX:
            half = _CYCLE_NAMES_MAX // 2
            cycle = [*cycle[:half], f"... {len(cycle) - 2 * half} more ...", *cycle[-half:]]
        spelled = " -> ".join(cycle)
        problem = f"it depends on itself: {spelled}; give one of these another value"
        raise self.context.param_error(again, self.params[again], problem)


class _Names(Mapping[str, object]):
    """The names that an expression can read, in the form that SEL expects."""

    def __init__(self, scope: Scope, reader: str | None) -> None:
        self._scope, self._reader = scope, reader

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._scope.is_known(name, self._reader)

    def __getitem__(self, name: str) -> object:
        value: object = self._scope.value_of(name, self._reader)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._scope.params)

    def __len__(self) -> int:
        return len(self._scope.params)
