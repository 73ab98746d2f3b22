"""Tables of expressions: what each gives, or how it fails, and where that is written.

Sources: numbers are sections of the reference on Maestro (5.3 its observed behaviours); a name such as SelStringTest is
a test class of the original; "Java" and "Joda" are what those gave when the row was written, on JDK 17 and Joda 2.10;
"ours" is a deliberate difference, listed in docs/reference/sel.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from attrs import field, frozen

from maestro_flow.clock import Environment, ManualClock
from maestro_flow.sel import SelError, evaluate

CLOCK_MS = 1_000_000_000_000
"""What an expression of a table sees as the time: 2001-09-09T01:46:40Z."""
AT_CLOCK = Environment(ManualClock(CLOCK_MS / 1000))


@frozen
class Row:
    source: str
    expression: str
    expected: object
    params: Mapping[str, object] = field(factory=dict)

    def check(self) -> None:
        if isinstance(self.expected, type) and issubclass(self.expected, SelError):
            with pytest.raises(self.expected) as caught:
                self.value()
            assert type(caught.value) is self.expected
            assert "defect" not in str(caught.value)
        else:
            value = self.value()
            assert (type(value), value) == (type(self.expected), self.expected)

    def value(self) -> object:
        return evaluate(self.expression, self.params, environment=AT_CLOCK)


def table(*rows: tuple[str, str, object] | tuple[str, str, object, Mapping[str, object]]) -> Any:
    """A decorator: the test gets each row in turn."""
    made = [Row(*row) for row in rows]
    return pytest.mark.parametrize("row", made, ids=[row.expression[:60] or "nothing" for row in made])
