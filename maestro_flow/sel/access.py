"""What expressions do with variables, members, items and calls. Each function returns a closure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from maestro_flow.errors import SelRuntimeError, SelTypeError
from maestro_flow.sel.dates.values import UTC
from maestro_flow.sel.frame import Frame
from maestro_flow.sel.functions.all import FUNCTIONS
from maestro_flow.sel.functions.classes import CLASSES, array_kind, type_kind
from maestro_flow.sel.functions.params import param_named
from maestro_flow.sel.functions.table import Function
from maestro_flow.sel.operators import assign
from maestro_flow.sel.values import ELEMENT_KINDS, Array, ClassName, Kind, SelMap, Unset, Value, Variable, kind_of

__all__ = ["Evaluate", "Suffix", "array_of", "assign_element", "assign_variable", "call", "initial_value", "item",
           "member", "new_array", "new_object", "place_of", "read"]  # fmt: skip

Evaluate: TypeAlias = Callable[[Frame], Value]
"""A compiled expression."""
Suffix: TypeAlias = Callable[[Frame, Value], Value]
"""A compiled ``.name``, ``[index]`` or ``.name(...)``, called with the value it is applied to."""

CALL_VISITS = 10
"""A call takes about as long as visiting this many nodes."""
_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
CONSTANTS: dict[tuple[ClassName, str], Value] = {
    (CLASSES["DateTimeZone"], "UTC"): UTC,
    **{(CLASSES["DateTimeConstants"], name): number for number, name in enumerate(_DAYS, start=1)},
}
_INITIAL: dict[Kind, Value] = {Kind.LONG: 0, Kind.DOUBLE: 0.0, Kind.BOOLEAN: False}


def initial_value(kind: Kind) -> Value:
    """The value of a variable that is declared without one."""
    if kind in ELEMENT_KINDS:
        return Array([], kind)
    return _INITIAL[kind] if kind in _INITIAL else Unset(kind)


def read(name: str) -> Evaluate:
    """A name: a local variable, else a class, else a parameter, else null."""
    known = CLASSES.get(name)

    def evaluate(frame: Frame) -> Value:
        variable = frame.variables.get(name)
        if variable is not None:
            return variable.value
        if known is not None:
            return known
        variable = frame.variable(name)
        return None if variable is None else variable.value

    return evaluate


def place_of(name: str, value: Evaluate) -> Evaluate:
    """The variable itself, if there is one: what ``put`` keeps."""

    def evaluate(frame: Frame) -> Value:
        found = value(frame)
        return frame.variables.get(name, found)

    return evaluate


def call(name: str, arguments: list[Evaluate]) -> Suffix:
    by_kind = FUNCTIONS.get((name, len(arguments)), {})

    def step(frame: Frame, receiver: Value) -> Value:
        given = [argument(frame) for argument in arguments]
        function = function_for(by_kind, receiver)
        if function is None:
            raise SelTypeError(f"{owner_name(receiver)} has no {name} with {len(given)} arguments")
        frame.spend(CALL_VISITS)
        if type(receiver) is str:
            frame.scan(len(receiver))
        return function(frame, receiver, given)

    return step


def function_for(by_kind: dict[Kind | ClassName, Function], receiver: Value) -> Function | None:
    return by_kind.get(receiver if isinstance(receiver, ClassName) else kind_of(receiver))


def owner_name(receiver: Value) -> str:
    return f"the class {receiver.name}" if isinstance(receiver, ClassName) else kind_of(receiver)


def new_object(name: str, arguments: list[Evaluate]) -> Evaluate:
    construct = call("new", arguments)

    def evaluate(frame: Frame) -> Value:
        type_kind(name)
        return construct(frame, CLASSES[name])

    return evaluate


def member(name: str) -> Suffix:
    def step(frame: Frame, receiver: Value) -> Value:
        if isinstance(receiver, Array) and name == "length":
            return len(receiver.items)
        if receiver is CLASSES["params"]:
            return param_named(frame, name)
        constant = CONSTANTS.get((receiver, name)) if isinstance(receiver, ClassName) else None
        if constant is None:
            raise SelTypeError(f"{owner_name(receiver)} has no field {name}")
        return constant

    return step


def item(index: Evaluate) -> Suffix:
    """``array[long]``, ``params['name']`` and ``map['key']``."""

    def step(frame: Frame, receiver: Value) -> Value:
        at = index(frame)
        if isinstance(receiver, Array) and type(at) is int:
            return receiver.items[checked_index(receiver, at)]
        if type(at) is str:
            if receiver is CLASSES["params"]:
                return param_named(frame, at)
            if isinstance(receiver, SelMap):
                return receiver.get(at) if at in receiver.entries else None
        raise SelTypeError(f"{owner_name(receiver)}[{kind_of(at)}] is not supported")

    return step


def checked_index(array: Array, at: int) -> int:
    if not 0 <= at < len(array.items):
        raise SelRuntimeError(f"index {at} is out of bounds for length {len(array.items)}")
    return at


def new_array(name: str, size: Evaluate) -> Evaluate:
    def evaluate(frame: Frame) -> Value:
        element = type_kind(name)
        kind, count = array_kind(element), size(frame)
        if type(count) is not int:
            raise SelTypeError(f"the size of an array must be a LONG, not {kind_of(count)}")
        if count < 0:
            raise SelRuntimeError(f"the size of an array is negative: {count}")
        frame.reserve_array(count)
        return Array([initial_value(element)] * count, kind)

    return evaluate


def array_of(name: str, items: list[Evaluate]) -> Evaluate:
    def evaluate(frame: Frame) -> Value:
        element = type_kind(name)
        kind = array_kind(element)
        frame.reserve_array(len(items))
        values = [item(frame) for item in items]
        for value in values:
            if kind_of(value) is not element:
                raise SelTypeError(f"a {kind_of(value)} in an array of {element}")
        return Array(values, kind)

    return evaluate


def assign_variable(name: str, operator: str, value: Evaluate) -> Evaluate:
    def evaluate(frame: Frame) -> Value:
        new = value(frame)
        variable = frame.variables.get(name)
        if variable is None:
            if name in CLASSES:
                raise SelTypeError(f"{name} is a class and cannot be assigned to")
            variable = frame.variable(name)
        if variable is None:
            if operator != "=" or new is None or isinstance(new, ClassName):
                raise SelTypeError(f"{name} {operator} {kind_of(new)}: there is no variable {name}")
            frame.variables[name] = Variable(new)
        else:
            new = variable.value = assigned(frame, operator, variable.value, new)
        return new

    return evaluate


def assigned(frame: Frame, operator: str, old: Value, new: Value) -> Value:
    """``assign``, also for arrays whose type is still unknown."""
    if isinstance(old, Array) and isinstance(new, Array) and None in {old.kind, new.kind} and operator == "=":
        new.kind = new.kind or old.kind
        return new
    return assign(frame, operator, old, new)


def assign_element(name: str, index: Evaluate, operator: str, value: Evaluate) -> Evaluate:
    def evaluate(frame: Frame) -> Value:
        at, new = index(frame), value(frame)
        variable = frame.variables.get(name) or (None if name in CLASSES else frame.variable(name))
        array = variable.value if variable is not None else None
        if not isinstance(array, Array) or type(at) is not int:
            raise SelTypeError(f"{name}[{kind_of(at)}] is not an element of an array")
        at = checked_index(array, at)
        array.items[at] = assign(frame, operator, array.items[at], new)
        return array.items[at]

    return evaluate
