"""Methods of STRING and of its class."""

from __future__ import annotations

from maestro_flow.errors import SelRuntimeError, SelTypeError
from maestro_flow.sel.frame import Frame, to_characters, to_units
from maestro_flow.sel.functions.classes import CLASSES
from maestro_flow.sel.functions.formatting import formatted
from maestro_flow.sel.functions.table import Arguments, Function, Table, int_argument, string_argument
from maestro_flow.sel.numbers import BLANKS
from maestro_flow.sel.regex.use import replace_all, split
from maestro_flow.sel.text import text_of
from maestro_flow.sel.values import Array, Kind, Unset, Value

__all__ = ["STRINGS"]

_ESCAPES = dict(zip(map(ord, '\\\t\b\n\r\f"'), (r"\\", r"\t", r"\b", r"\n", r"\r", r"\f", r"\""), strict=True))


def own(receiver: Value) -> str:
    """The string that a method is called on."""
    if type(receiver) is not str:
        raise SelRuntimeError("the string is null")
    return receiver


def _substring(frame: Frame, receiver: Value, given: Arguments) -> str:
    text = own(receiver)
    start, end = int_argument(given[0]), int_argument(given[1]) if len(given) == 2 else len(text)
    if not 0 <= start <= end <= len(text):
        raise SelRuntimeError(f"substring: begin {start}, end {end}, length {len(text)}")
    return frame.string(text[start:end])


def _compare_to(frame: Frame, receiver: Value, given: Arguments) -> int:
    """The difference of the first units that differ, otherwise of the lengths."""
    left, right = own(receiver), string_argument(given[0])
    frame.spend(min(len(left), len(right)))
    for one, other in zip(left, right, strict=False):
        if one != other:
            return ord(one) - ord(other)
    return len(left) - len(right)


def _replace(frame: Frame, receiver: Value, given: Arguments) -> str:
    text, old, new = own(receiver), string_argument(given[0]), string_argument(given[1])
    frame.scan(len(text))
    count = text.count(old)
    frame.reserve(len(text) + count * (len(new) - len(old)))
    return text.replace(old, new)


def _format(frame: Frame, _receiver: Value, given: Arguments) -> str:
    if not given:
        raise SelTypeError("String.format needs a format")
    return formatted(frame, string_argument(given[0]), given[1:])


def _join(frame: Frame, _receiver: Value, given: Arguments) -> str:
    if not given:
        raise SelTypeError("String.join needs a delimiter")
    delimiter, parts = string_argument(given[0]), given[1:]
    if len(parts) == 1 and isinstance(parts[0], Array):
        if parts[0].kind not in {Kind.STRING_ARRAY, None}:
            raise SelTypeError(f"String.join takes strings, not a {parts[0].kind}")
        parts = parts[0].items
    texts = ["null" if isinstance(part, Unset) else string_argument(part) for part in parts]
    frame.reserve(sum(map(len, texts)) + len(delimiter) * max(0, len(texts) - 1))
    return delimiter.join(texts)


def _escape(frame: Frame, receiver: Value, given: Arguments) -> str:
    text = string_argument(given[0]) if given else own(receiver)
    return frame.string(text.translate(_ESCAPES))


def _last_index(text: str, wanted: str) -> int:
    """``rfind``, implemented with ``find``, because ``rfind`` takes quadratic time."""
    at = text[::-1].find(wanted[::-1])
    return at if at < 0 else len(text) - len(wanted) - at


def _cased(frame: Frame, text: str) -> str:
    if not text.isascii():
        frame.spend(len(text))
    return frame.string(to_units(text))


def _array(frame: Frame, texts: list[str]) -> Array:
    return frame.array(list(texts), Kind.STRING_ARRAY)


_ANYWHERE: dict[tuple[str, int], Function] = {
    **{("format", count): _format for count in range(256)},
    **{("join", count): _join for count in range(256)},
    ("escape", 1): _escape,
}
"""What can be called on the class as well as on any string: only the arguments matter."""

_METHODS: dict[tuple[str, int], Function] = {
    ("compareTo", 1): _compare_to,
    ("contains", 1): lambda _, text, given: string_argument(given[0]) in own(text),
    ("endsWith", 1): lambda _, text, given: own(text).endswith(string_argument(given[0])),
    ("equals", 1): lambda _, text, given: own(text) == given[0],
    ("escape", 0): _escape,
    ("isEmpty", 0): lambda _, text, __: not own(text),
    ("lastIndexOf", 1): lambda _, text, given: _last_index(own(text), string_argument(given[0])),
    ("length", 0): lambda _, text, __: len(own(text)),
    ("replace", 2): _replace,
    ("replaceAll", 2): lambda frame, text, given: replace_all(
        frame, own(text), string_argument(given[0]), string_argument(given[1])
    ),
    ("split", 1): lambda frame, text, given: _array(frame, split(frame, own(text), string_argument(given[0]), 0)),
    ("split", 2): lambda frame, text, given: _array(
        frame, split(frame, own(text), string_argument(given[0]), int_argument(given[1]))
    ),
    ("startsWith", 1): lambda _, text, given: own(text).startswith(string_argument(given[0])),
    ("substring", 1): _substring,
    ("substring", 2): _substring,
    ("toLowerCase", 0): lambda frame, text, __: _cased(frame, to_characters(own(text)).lower()),
    ("toUpperCase", 0): lambda frame, text, __: _cased(frame, to_characters(own(text)).upper()),
    ("trim", 0): lambda frame, text, __: frame.string(own(text).strip(BLANKS)),
}

STRINGS = Table.joined(
    [
        Table.of(Kind.STRING, {**_ANYWHERE, **_METHODS}),
        Table.of(
            CLASSES["String"],
            {
                **_ANYWHERE,
                ("new", 0): lambda _, __, ___: "",
                ("new", 1): lambda _, __, given: str(given[0]) if type(given[0]) is int else string_argument(given[0]),
                ("valueOf", 1): lambda frame, _, given: frame.string(text_of(frame, given[0])),
            },
        ),
    ]
)
