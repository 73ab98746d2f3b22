"""Methods of arrays and maps, ``Arrays`` and ``UUID``."""

from __future__ import annotations

from uuid import UUID

from maestro_flow.errors import SelRuntimeError, SelTypeError
from maestro_flow.sel.frame import Frame
from maestro_flow.sel.functions.classes import CLASSES
from maestro_flow.sel.functions.table import Arguments, Table, string_argument
from maestro_flow.sel.operators import equal
from maestro_flow.sel.values import ELEMENT_KINDS, Array, Kind, SelMap, Uuid, Value

__all__ = ["CONTAINERS"]


def map_of(value: Value) -> SelMap:
    if not isinstance(value, SelMap):
        raise SelRuntimeError("the map is null")
    return value


def _array_contains(frame: Frame, receiver: Value, given: Arguments) -> bool:
    if not isinstance(receiver, Array):
        raise SelTypeError("an array is expected here")
    frame.spend(3 * len(receiver.items))
    return any(equal(frame, item, given[0]) for item in receiver.items)


def _size(_frame: Frame, receiver: Value, _: Arguments) -> int:
    return len(receiver.entries) if isinstance(receiver, SelMap) else 0


def _get(_frame: Frame, receiver: Value, given: Arguments) -> Value:
    entries, key = map_of(receiver), string_argument(given[0])
    return entries.get(key) if key in entries.entries else None


def _get_or_default(_frame: Frame, receiver: Value, given: Arguments) -> Value:
    entries, key = map_of(receiver), string_argument(given[0])
    return entries.get(key) if key in entries.entries else given[1]


def _contains_key(_frame: Frame, receiver: Value, given: Arguments) -> bool:
    key = string_argument(given[0])
    return isinstance(receiver, SelMap) and key in receiver.entries


def _put(frame: Frame, receiver: Value, given: Arguments) -> Value:
    """The previous value, or null. A variable is stored as itself, so later assignments to it change the map too."""
    entries, key = map_of(receiver), string_argument(given[0])
    before = entries.get(key) if key in entries.entries else None
    frame.put(entries, key, given[1])
    return before


def _random_uuid(frame: Frame, _receiver: Value, _: Arguments) -> Uuid:
    return Uuid(UUID(int=frame.environment.random.getrandbits(128)))


def _uuid_text(_frame: Frame, receiver: Value, _: Arguments) -> str:
    return str(receiver.value) if isinstance(receiver, Uuid) else "null"


CONTAINERS = Table.joined(
    [
        *(Table.of(kind, {("contains", 1): _array_contains}) for kind in ELEMENT_KINDS),
        Table.of(
            Kind.MAP,
            {
                ("size", 0): _size,
                ("get", 1): _get,
                ("getOrDefault", 2): _get_or_default,
                ("containsKey", 1): _contains_key,
                ("put", 2): _put,
            },
        ),
        Table.of(CLASSES["Map"], {("new", 0): lambda _, __, ___: SelMap()}),
        Table.of(CLASSES["Arrays"], {("asList", 1): lambda _, __, given: given[0]}),
        Table.of(CLASSES["UUID"], {("randomUUID", 0): _random_uuid}),
        Table.of(Kind.UUID, {("randomUUID", 0): _random_uuid, ("toString", 0): _uuid_text}),
    ]
)
