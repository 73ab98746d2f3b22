"""The classes that expressions know by name."""

from __future__ import annotations

from maestro_flow.errors import SelTypeError
from maestro_flow.sel.values import ELEMENT_KINDS, ClassName, Kind

__all__ = ["CLASSES", "TYPES", "array_kind", "type_kind"]

TYPES = {
    **dict.fromkeys(("int", "long", "Integer", "Long"), Kind.LONG),
    **dict.fromkeys(("float", "double", "Float", "Double"), Kind.DOUBLE),
    **dict.fromkeys(("boolean", "Boolean"), Kind.BOOLEAN),
    "String": Kind.STRING,
    **dict.fromkeys(("Map", "HashMap", "LinkedHashMap"), Kind.MAP),
    "DateTime": Kind.DATETIME,
    "DateTimeZone": Kind.DATETIME_ZONE,
    **dict.fromkeys(("DateTimeFormatter", "DateTimeFormat"), Kind.DATETIME_FORMATTER),
    "Property": Kind.DATETIME_PROPERTY,
    "Days": Kind.DATETIME_DAYS,
    "UUID": Kind.UUID,
}
"""Names that a declaration or ``new`` may use."""

_BY_KIND = {kind: ClassName(kind.value) for kind in TYPES.values()}
CLASSES = {
    **{name: _BY_KIND[kind] for name, kind in TYPES.items() if name[0].isupper()},
    **{name: ClassName(name) for name in ("Math", "Util", "System", "Arrays", "DateTimeConstants", "params")},
}
"""Names of classes, unless a local variable has the name; ``Long`` and ``Integer`` are the same class."""


def type_kind(name: str, *, is_array: bool = False) -> Kind:
    """The type that a name stands for in a declaration.

    Raises:
        SelTypeError: there is no such type, or no array of it.
    """
    kind = TYPES.get(name)
    if kind is None:
        raise SelTypeError(f"there is no class {name!r} in SEL")
    return array_kind(kind) if is_array else kind


def array_kind(element: Kind) -> Kind:
    for kind, of in ELEMENT_KINDS.items():
        if of is element:
            return kind
    raise SelTypeError(f"there is no array of {element}")
