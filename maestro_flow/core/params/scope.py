"""Evaluate the params of one scope: each when it is asked for, once, after those that it reads.

Nothing here is recursive along references, so a chain of params may be as long as it likes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn, Protocol

from maestro_flow.core.params.casts import Misfit, cast, shown
from maestro_flow.core.params.expressions import Expressions, NeedsParam
from maestro_flow.core.params.plan import is_literal, names_of, needed_names
from maestro_flow.core.params.references import Reference, interpolate
from maestro_flow.core.params.subject import Subject
from maestro_flow.errors import SelError, SelRuntimeError
from maestro_flow.model.params import Param, ParamType

__all__ = ["Beyond", "Scope"]

_SPELLED_MAX = 12


class Beyond(Protocol):
    """What a scope sees beside its own params."""

    def own(self, name: str) -> str:
        """The param of the scope that this name means: the name itself, or ``p`` for ``step__p`` in that step."""
        ...  # pragma: no cover - a protocol has no body

    def knows(self, name: str) -> bool:
        """There may be a value of this name."""
        ...  # pragma: no cover

    def value(self, name: str) -> Any:
        """The plain value of a name.

        Raises:
            SelError: there is none; the message says why. NeedsParam: it follows from a param of the scope.
        """
        ...  # pragma: no cover


class Scope:
    """The params of a run or of a step. ``done`` has those that were evaluated before."""

    def __init__(
        self,
        params: Mapping[str, Param],
        subject: Subject,
        beyond: Beyond,
        expressions: Expressions,
        done: Mapping[str, Param] | None = None,
    ) -> None:
        self.params, self.subject, self.beyond, self.expressions = params, subject, beyond, expressions
        self.done: dict[str, Param] = dict(done or {})

    def all(self) -> dict[str, Param]:
        """Every param, in the order of their definition.

        Raises:
            ParamError: one has no value, or one that does not fit, or they form a cycle.
        """
        return {name: self.evaluated(name) for name in self.params}

    def evaluated(self, name: str) -> Param:
        """One param, after all that it reads.

        Raises:
            ParamError: one of them has no value, or one that does not fit, or they form a cycle.
        """
        found = self.done.get(name)
        if found is not None:
            return found
        way = {name: self._needs(name)}
        while way:
            reader = next(reversed(way))
            needed = next(way[reader], None)
            if needed is None:
                try:
                    self.done[reader] = self._evaluate(reader)
                except NeedsParam as needs:
                    needed = needs.name
                else:
                    way.popitem()
                    continue
            if needed in way:
                self._refuse_cycle([*way][[*way].index(needed) :], needed)
            if needed not in self.done:
                way[needed] = self._needs(needed)
        return self.done[name]

    def read(self, text: str, expression_of: str) -> Any:
        """The value of an expression that is no param: ``expression_of`` says in errors what it is.

        Raises:
            ParamError: it has no value.
        """
        return self._outside(expression_of, lambda: self._expression(text, None))

    def interpolated(self, text: str, text_of: str) -> str:
        """A text that is no param, with its references replaced; ``text_of`` says in errors what it is.

        Raises:
            ParamError: a reference has no value.
        """
        made: str = self._outside(text_of, lambda: self._text(text, None))
        return made

    def _outside(self, what: str, attempt: Callable[[], Any]) -> Any:
        while True:
            try:
                return attempt()
            except NeedsParam as needs:
                self.evaluated(needs.name)
            except SelError as error:
                raise self.subject.error(f"{what}: {error}") from error

    # -- what is read by whom -----------------------------------------------------------------------------------

    def _needs(self, name: str) -> Iterator[str]:
        """Params of this scope that a param reads, as far as its text tells."""
        param = self.params[name]
        if is_literal(param):
            return iter(())
        try:
            return iter([own for needed in needed_names(param) if (own := self._local(needed, name)) is not None])
        except SelError as error:
            raise self.subject.of_param(name, param, str(error)) from error

    def _local(self, name: str, reader: str | None) -> str | None:
        """The param of this scope that a name means; its own name means to a param what is beyond, if that exists."""
        own: str = self.beyond.own(name)
        if own not in self.params or (own == reader and own == name and self.beyond.knows(name)):
            return None
        return own

    def value_of(self, name: str, reader: str | None) -> Any:
        """The plain value of a name, for a param that reads it.

        Raises:
            SelError: there is none. NeedsParam: not yet.
        """
        own = self._local(name, reader)
        if own is None:
            return self.beyond.value(name)
        if own not in self.done:
            if not is_literal(self.params[own]):
                raise NeedsParam(own)
            self.done[own] = self.params[own]
        return self.done[own].plain

    def is_known(self, name: str, reader: str | None) -> bool:
        return self._local(name, reader) is not None or self.beyond.knows(name)

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
        except Misfit as misfit:
            place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in misfit.path)
            raise self.subject.of_param(f"{path}{place}", param, f"the value {misfit}") from None
        except SelError as error:
            raise self.subject.of_param(path, param, str(error)) from error
        return Param(param.type, value, param.mode, source=param.source)

    def _expression(self, source: str, reader: str | None) -> Any:
        for name in names_of(source):
            if not self.is_known(name, reader):
                self.beyond.value(name)  # says why not
        value = self.expressions.value(source, _Names(self, reader))
        if value is None:
            raise SelRuntimeError("it has no value; an expression of a param ends in one that is not null")
        return value

    def _literal(self, value: Any, reader: str | None) -> Any:
        """A literal with the values of its references in their places."""
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
                raise SelRuntimeError(f"{reference.spelling} in {shown(text)} has no value: it is null")
            return value

        return interpolate(text, value_of)

    def _refuse_cycle(self, way: list[str], again: str) -> NoReturn:
        cycle = [*way, again]
        if len(cycle) > _SPELLED_MAX:
            half = _SPELLED_MAX // 2
            cycle = [*cycle[:half], f"... {len(cycle) - 2 * half} more ...", *cycle[-half:]]
        spelled = " -> ".join(cycle)
        problem = f"it needs its own value: {spelled}; give one of these another value"
        raise self.subject.of_param(again, self.params[again], problem)


class _Names(Mapping[str, object]):
    """The names that an expression can read, as SEL asks for them."""

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
