"""Parses text as a DateTime by a pattern: as strict, and as lenient, as Joda's parser."""

from __future__ import annotations

import re

from maestro_flow.errors import SelRuntimeError
from maestro_flow.sel.dates.calendar import DAY_MS, FIELDS, HOUR_MS, MONTHS, WEEKDAYS, civil_of, verify
from maestro_flow.sel.dates.pattern import Item, pattern_items
from maestro_flow.sel.dates.values import UTC, DateTime, Zone
from maestro_flow.sel.dates.zones import at_local, checked, zone_for_id
from maestro_flow.sel.numbers import quoted

__all__ = ["parse_date"]

_OFFSET = re.compile(r"Z|([+-])(\d\d)(?:(:?)(\d\d)(?:\3(\d\d)(?:[.,]?(\d{1,3}))?)?)?", re.ASCII)
_ZONE_ID = re.compile(r"[A-Za-z0-9_/+:-]+", re.ASCII)
_DIGITS_MAX = {"e": 1, "D": 3}
"""The most digits of a number, where it is not two."""
_ORDER = ("y", "x", "Y", "C", "M", "w", "D", "d", "e", "a", "H", "k", "K", "h", "m", "s", "S")
"""Larger fields are set first; those that count days after those that count months and weeks."""
_FIELD_OF = {
    "y": "year", "x": "weekyear", "M": "monthOfYear", "w": "weekOfWeekyear", "D": "dayOfYear", "d": "dayOfMonth",
    "e": "dayOfWeek", "H": "hourOfDay", "m": "minuteOfHour", "s": "secondOfMinute",
}  # fmt: skip
_DEFAULT_YEAR = 2000
"""The year of text with a month or a day but no year: it has a 29 February."""


class _Parser:
    """The state of parsing one text by the items of a pattern."""

    def __init__(self, text: str, pattern: str, now_ms: int) -> None:
        self.text, self.pattern, self.now_ms = text, pattern, now_ms
        self.at = 0
        self.numbers: dict[str, int] = {}
        self.is_bc = False
        self.offset: int | None = None
        self.zone: Zone | None = None

    def fail(self) -> SelRuntimeError:
        where = f" at {quoted(self.text[self.at :])}" if self.at else ""
        return SelRuntimeError(f"invalid format: {quoted(self.text)} does not match {quoted(self.pattern)}{where}")

    def run(self) -> None:
        for item in pattern_items(self.pattern):
            if item.text:
                self.literal(item.text)
            elif item.letter in {"Y", "y", "x"}:
                self.year(item)
            elif item.letter == "S":
                self.fraction(item.count)
            elif item.is_numeric:
                most = item.count if item.letter == "C" else _DIGITS_MAX.get(item.letter, 2)
                self.numbers[item.letter] = self.number(most, signed=False)
            elif item.letter:
                self.word(item)
        if self.at != len(self.text):
            raise self.fail()

    def literal(self, text: str) -> None:
        if self.text[self.at : self.at + len(text)].lower() != text.lower():
            raise self.fail()
        self.at += len(text)

    def number(self, digits_max: int, *, signed: bool) -> int:
        found = re.compile(rf"{'[+-]?' if signed else ''}[0-9]{{1,{digits_max}}}").match(self.text, self.at)
        if found is None:
            raise self.fail()
        self.at = found.end()
        return int(found[0])

    def year(self, item: Item) -> None:
        signed = item.letter != "Y"
        if item.count != 2:
            self.numbers[item.letter] = self.number(item.count if item.digits_follow else 9, signed=signed)
            return
        start = self.at
        if item.digits_follow:
            found = re.compile("[0-9]{2}").match(self.text, self.at)
            if found is None:
                raise self.fail()
            self.at = found.end()
            value = int(found[0])
        else:
            value = self.number(9, signed=True)
        if self.at - start == 2 and self.text[start : self.at].isdigit():
            pivot = civil_of(self.now_ms)[0] - 30
            first = pivot - 50
            value = first + (value - first) % 100
        self.numbers[item.letter] = value

    def fraction(self, digits_max: int) -> None:
        found = re.compile(f"[0-9]{{1,{digits_max}}}").match(self.text, self.at)
        if found is None:
            raise self.fail()
        self.at = found.end()
        self.numbers["S"] = int(found[0][:3].ljust(3, "0"))

    def word(self, item: Item) -> None:
        match item.letter:
            case "M":
                self.numbers["M"] = self.one_of(MONTHS) + 1
            case "E":
                self.numbers["e"] = self.one_of(WEEKDAYS) + 1
            case "a":
                self.numbers["a"] = self.one_of(("AM", "PM"))
            case "G":
                self.is_bc = self.one_of(("BC", "AD", "BCE", "CE")) in {0, 2}
            case "Z" if item.count >= 3:
                self.zone_id()
            case "Z":
                self.zone_offset()
            case _:
                raise SelRuntimeError("the name of a zone (z) cannot be parsed: use Z, an offset, or ZZZ, an id")

    def one_of(self, names: tuple[str, ...]) -> int:
        """The index of the name at this position, whole or its first three letters; the longest match wins."""
        rest = self.text[self.at : self.at + 12].lower()
        for index, name in sorted(enumerate(names), key=lambda pair: -len(pair[1])):
            if rest.startswith(name.lower()):
                self.at += len(name)
                return index
        for index, name in enumerate(names):
            if rest.startswith(name[:3].lower()):
                self.at += 3
                return index
        raise self.fail()

    def zone_id(self) -> None:
        found = _ZONE_ID.match(self.text, self.at)
        if found is None:
            raise self.fail()
        self.zone, self.at = zone_for_id(found[0]), found.end()

    def zone_offset(self) -> None:
        found = _OFFSET.match(self.text, self.at)
        if found is None:
            raise self.fail()
        self.at = found.end()
        sign, hours, _, minutes, seconds, millis = found.groups()
        total = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
        self.offset = (total * 1000 + int((millis or "").ljust(3, "0"))) * (-1 if sign == "-" else 1)

    def local(self) -> int:
        """The fields that were found, set on 1970-01-01 one after another."""
        numbers = dict(self.numbers)
        if not numbers.keys() & {"y", "x", "Y", "C"} and numbers.keys() & {"M", "d", "w", "D", "e"}:
            numbers["y"] = _DEFAULT_YEAR
        if "Y" in numbers:
            year = numbers.pop("Y")
            verify("yearOfEra", year, 1, 292_000_000)
            numbers["y"] = 1 - year if self.is_bc else year
        if "C" in numbers:
            year = numbers.get("y", civil_of(0)[0])
            numbers["y"] = numbers.pop("C") * 100 + year % 100
        local = 0
        # With a weekday twice, as in Joda: the date may have moved to another year.
        for letter in _ORDER * 2 if "e" in numbers else _ORDER:
            if letter in numbers:
                local = self.set(local, letter, numbers[letter])
        return local

    def set(self, local: int, letter: str, value: int) -> int:
        if name := _FIELD_OF.get(letter):
            field = FIELDS[name]
            verify(name, value, *field.range(local))
            return field.set(local, value)
        day, hour, rest = local - local % DAY_MS, local % DAY_MS // HOUR_MS, local % HOUR_MS
        match letter:
            case "a":
                hour = hour % 12 + 12 * value
            case "k":
                verify("clockhourOfDay", value, 1, 24)
                hour = value % 24
            case "K":
                verify("hourOfHalfday", value, 0, 11)
                hour = hour - hour % 12 + value
            case "h":
                verify("clockhourOfHalfday", value, 1, 12)
                hour = hour - hour % 12 + value % 12
            case _:
                return local - local % 1000 + value
        return day + hour * HOUR_MS + rest


def parse_date(text: str, pattern: str, zone: Zone | None, now_ms: int) -> DateTime:
    """An instant in ``zone``, or in UTC if it is None. ``now_ms`` decides the century of a two-digit year.

    Raises:
        SelRuntimeError: the text does not match the pattern, or the time does not exist.
    """
    parser = _Parser(text, pattern, now_ms)
    parser.run()
    local, seen_in = parser.local(), zone or UTC
    if parser.offset is not None:
        return checked(local - parser.offset, seen_in)
    parsed = at_local(local, parser.zone or seen_in, strict=True)
    return checked(parsed.millis, seen_in)
