"""Evaluates an expression: parsed and compiled once, and kept in a bounded, thread-safe cache."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from threading import Lock

from attrs import astuple, has

from maestro_flow.clock import Environment
from maestro_flow.errors import SelError, SelLimit, SelRuntimeError, SelTypeError
from maestro_flow.sel import tree
from maestro_flow.sel.access import Evaluate
from maestro_flow.sel.convert import from_python, to_python
from maestro_flow.sel.frame import Frame, ParamFunctions
from maestro_flow.sel.functions.classes import CLASSES
from maestro_flow.sel.limits import SelLimits, Visits
from maestro_flow.sel.parse import parse
from maestro_flow.sel.statements import compile_program

__all__ = ["evaluate", "referenced_names"]

_DEFAULTS = SelLimits()
_SYSTEM = Environment()


class _Cache:
    """The most recently used programs, bounded by their number and by the characters of their sources."""

    PROGRAMS_MAX = 1024
    CHARS_MAX = 500_000

    def __init__(self) -> None:
        self._lock = Lock()
        self._programs: OrderedDict[tuple[str, int], Evaluate] = OrderedDict()
        self._chars = 0

    def get(self, source: str, depth_max: int) -> Evaluate:
        key = source, depth_max
        with self._lock:
            found = self._programs.get(key)
            if found is not None:
                self._programs.move_to_end(key)
                return found
        made = compile_program(parse(source), depth_max)  # two threads may do this at once, which is harmless
        with self._lock:
            if key not in self._programs:
                self._programs[key] = made
                self._chars += len(source)
            while len(self._programs) > self.PROGRAMS_MAX or self._chars > self.CHARS_MAX:
                (oldest, _), _ = self._programs.popitem(last=False)
                self._chars -= len(oldest)
        return made


_cache = _Cache()


def evaluate(
    source: str,
    params: Mapping[str, object] | None = None,
    *,
    functions: ParamFunctions | None = None,
    limits: SelLimits = _DEFAULTS,
    environment: Environment = _SYSTEM,
    visits: Visits | None = None,
) -> object:
    """The value of a SEL expression as a plain Python value; null, or no value at all, is None.

    ``params`` are plain Python values by name, read only when the expression reads them; ``functions`` implements
    ``params.getFromStep(...)`` and the like; ``environment`` provides time and randomness. ``visits`` is shared with
    other evaluations, and limits this one if it is less than ``limits.visits_max``.

    Raises:
        SelError: it has no value; the subclass and the message say why. Nothing else is raised, whatever the source.
    """
    try:
        check_source(source, limits)
        program = _cache.get(source, limits.depth_max)
        given = {} if params is None else params
        frame = Frame(given, functions, limits, environment, from_python)
        if visits is None:
            return to_python(frame, program(frame))
        granted = frame.visits_left = min(limits.visits_max, visits.left)
        try:
            return to_python(frame, program(frame))
        finally:
            visits.left -= granted - max(frame.visits_left, 0)
    except SelError:
        raise
    except RecursionError:
        raise SelLimit("the expression exceeds Python's recursion limit here") from None
    except MemoryError:
        raise SelLimit("there is not enough memory for this expression") from None
    except Exception as error:  # no expression may take down its host, not even through a bug of ours
        raise SelRuntimeError(f"a defect in SEL: {type(error).__name__}: {error}") from error


def referenced_names(source: str, *, limits: SelLimits = _DEFAULTS) -> frozenset[str]:
    """Names that the expression reads before it assigns them: the params that it needs by name.

    As in Maestro, the order in the source counts, not that of the evaluation, and ``params.x`` is not included.

    Raises:
        SelError: the source is not valid SEL, or exceeds a limit.
    """
    check_source(source, limits)
    seen: dict[str, bool] = {}
    for name, is_read in mentions(parse(source)):
        seen.setdefault(name, is_read)
    return frozenset(name for name, is_read in seen.items() if is_read and name not in CLASSES)


def check_source(source: str, limits: SelLimits) -> None:
    if type(source) is not str:
        raise SelTypeError(f"an expression must be a str, not {type(source).__name__}")
    if len(source) > limits.source_chars_max:
        raise SelLimit(f"source_chars_max: more than {limits.source_chars_max:,} characters")


def mentions(program: tree.Program) -> Iterator[tuple[str, bool]]:
    """Each occurrence of a variable's name, in the order of the source, and whether it is read there."""
    waiting: list[object] = [program]
    while waiting:
        node = waiting.pop()
        match node:
            case tree.Name(name=name):
                yield name, True
            case tree.Assignment(name=name, index=index, value=value):
                yield name, False
                waiting += [value, index]
            case tree.Declaration(variables=variables):
                waiting += [part for name, value in reversed(variables) for part in (value, _Declared(name))]
            case _Declared(name=name):
                yield name, False
            case tuple():
                waiting += reversed(node)
            case _ if has(type(node)):
                waiting += reversed(astuple(node, recurse=False))  # type: ignore[arg-type]  # has() has checked
            case _:
                pass


class _Declared:
    __match_args__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name
