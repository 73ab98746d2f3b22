"""``params``: the params, and the functions that the host provides."""

from __future__ import annotations

from functools import partial

from maestro_flow.errors import SelTypeError
from maestro_flow.sel.frame import Frame
from maestro_flow.sel.functions.classes import CLASSES
from maestro_flow.sel.functions.table import Arguments, Table, string_argument
from maestro_flow.sel.values import Array, Value

__all__ = ["PARAMS", "PARAM_FUNCTIONS", "param_named"]

PARAM_FUNCTIONS = (
    ("getExecutionEnvironment", 0),
    ("getFromForeach", 3),
    ("getFromInstance", 1),
    ("getFromSignal", 1),
    ("getFromSignal", 2),
    ("getFromSignalDependency", 2),
    ("getFromSignalOrDefault", 3),
    ("getFromStep", 1),
    ("getFromStep", 2),
    ("getFromSubworkflow", 3),
    ("nextUniqueId", 0),
)
"""Functions of the host with their number of arguments; all arguments are strings."""


def param_named(frame: Frame, name: str) -> Value:
    """A param, a fresh copy each time; null if it does not exist."""
    return frame.param(name) if frame.has_param(name) else None


def _ask(function: str, frame: Frame, _receiver: Value, given: Arguments) -> Value:
    answer = frame.call_host(function, tuple(string_argument(value) for value in given))
    if function == "getFromForeach" and not isinstance(answer, Array):
        raise SelTypeError("params.getFromForeach must return an array, but the host returned something else")
    return answer


PARAMS = Table.of(
    CLASSES["params"],
    {
        ("get", 1): lambda frame, _, given: param_named(frame, string_argument(given[0])),
        ("containsKey", 1): lambda frame, _, given: frame.has_param(string_argument(given[0])),
        **{(name, count): partial(_ask, name) for name, count in PARAM_FUNCTIONS},
    },
)
