"""The state of one evaluation: variables, what the host provides, and the counters of the limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from maestro_flow.clock import Environment
from maestro_flow.errors import SelError, SelLimit, SelRuntimeError
from maestro_flow.sel.limits import SelLimits
from maestro_flow.sel.values import Array, Kind, SelMap, Value, Variable

__all__ = ["Frame", "ParamFunctions"]

OBJECT_BYTES = 32
CHAR_BYTES = 2
ENTRY_BYTES = 128
CHARS_A_VISIT = 1024
"""Copying or searching this many characters takes about as long as visiting a node."""
HOST_CALL_VISITS = 1000
"""A call of the host may be a query: an evaluation makes at most 10,000 of them."""


class ParamFunctions(Protocol):
    """What the host provides: the functions of ``params`` that read more than params."""

    def call(self, function: str, arguments: tuple[str, ...]) -> object:
        """The value of ``params.function(arguments)`` as a plain Python value.

        ``function`` is one of ``PARAM_FUNCTIONS``, with as many arguments as it takes. An exception ends the
        evaluation with a ``SelRuntimeError``.
        """
        ...  # pragma: no cover - a protocol has no body


class Frame:
    """One evaluation. Not shared between threads."""

    __slots__ = (
        "bytes_left",
        "environment",
        "functions",
        "limits",
        "load",
        "params",
        "result",
        "variables",
        "visits_left",
    )

    def __init__(
        self,
        params: Mapping[str, object],
        functions: ParamFunctions | None,
        limits: SelLimits,
        environment: Environment,
        load: Callable[[Frame, object], Value],
    ) -> None:
        self.params, self.functions, self.limits = params, functions, limits
        self.environment, self.load = environment, load
        self.variables: dict[str, Variable] = {}
        self.visits_left = limits.visits_max
        self.bytes_left = limits.memory_bytes_max
        self.result: Value = None

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return round(self.environment.clock.time() * 1000)

    def variable(self, name: str) -> Variable | None:
        """A local variable, or a param, which becomes a variable when it is first read; otherwise None."""
        found = self.variables.get(name)
        if found is None and self.has_param(name):
            found = self.variables[name] = Variable(self.param(name))
        return found

    def has_param(self, name: str) -> bool:
        return bool(self._ask_host(f"parameter {name!r}", lambda: to_characters(name) in self.params))

    def param(self, name: str) -> Value:
        """A param, copied: nothing that an expression does affects the caller's objects."""
        return self.load(self, self._ask_host(f"parameter {name!r}", lambda: self.params[to_characters(name)]))

    def call_host(self, function: str, arguments: tuple[str, ...]) -> Value:
        functions = self.functions
        if functions is None:
            raise SelRuntimeError(f"params.{function}: only available in a run")
        self.spend(HOST_CALL_VISITS)
        plain = tuple(to_characters(argument) for argument in arguments)
        return self.load(self, self._ask_host(f"params.{function}", lambda: functions.call(function, plain)))

    @staticmethod
    def _ask_host(what: str, ask: Callable[[], object]) -> object:
        try:
            return ask()
        except SelError:
            raise
        except Exception as error:
            raise SelRuntimeError(f"{what}: {type(error).__name__}: {error}") from error

    def spend(self, visits: int) -> None:
        """Count visits of nodes, or work that takes as long.

        Raises:
            SelLimit: more than ``visits_max``.
        """
        self.visits_left -= visits
        if self.visits_left < 0:
            raise SelLimit(f"visits_max: more than {self.limits.visits_max:,} steps of evaluation")

    def allocate(self, count: int) -> None:
        """Count memory, in bytes.

        Raises:
            SelLimit: more than ``memory_bytes_max``.
        """
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise SelLimit(f"memory_bytes_max: more than {self.limits.memory_bytes_max:,} bytes")

    def scan(self, chars: int) -> None:
        """Count the reading of this many characters."""
        self.spend(1 + chars // CHARS_A_VISIT)

    def reserve(self, chars: int) -> None:
        """Check the limits before a string of this many UTF-16 units is created."""
        if chars > self.limits.string_chars_max:
            raise SelLimit(f"string_chars_max: a string of more than {self.limits.string_chars_max:,} characters")
        self.allocate(OBJECT_BYTES + CHAR_BYTES * chars)
        self.scan(chars)

    def string(self, made: str) -> str:
        """Check the limits after a string was created that cannot be much longer than its parts."""
        self.reserve(len(made))
        return made

    def reserve_array(self, items: int) -> None:
        """Check the limits before an array is created."""
        if items > self.limits.array_items_max:
            raise SelLimit(f"array_items_max: an array of more than {self.limits.array_items_max:,} items")
        self.allocate(OBJECT_BYTES * (1 + items))
        self.spend(1 + items)

    def array(self, items: list[Value], kind: Kind | None) -> Array:
        self.reserve_array(len(items))
        return Array(items, kind)

    def put(self, target: SelMap, key: str, value: Value) -> None:
        if key not in target.entries:
            self.allocate(ENTRY_BYTES + CHAR_BYTES * len(key))
        target.entries[key] = value


def to_units(text: str) -> str:
    """A Python string as UTF-16 units."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    raw = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(raw[at] | raw[at + 1] << 8) for at in range(0, len(raw), 2))


def to_characters(units: str) -> str:
    """UTF-16 units as a Python string.

    Raises:
        SelRuntimeError: it contains half of a character beyond U+FFFF, which no file or store can hold.
    """
    if units.isascii() or not any("\ud800" <= unit <= "\udfff" for unit in units):
        return units
    try:
        return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        raise SelRuntimeError("a string was cut inside a character beyond U+FFFF") from None
