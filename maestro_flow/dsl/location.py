"""Where in a definition something is, for error messages."""

from __future__ import annotations

import re
from collections.abc import Collection

from attrs import frozen

from maestro_flow.core.params.messages import preview
from maestro_flow.errors import DefinitionError

__all__ = ["ROOT", "Location", "listing"]

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_LISTED_MAX = 20


@frozen
class Location:
    """A path in a definition: ``workflow.steps[2].step.type``; "" is the whole."""

    path: str = ""

    def __truediv__(self, key: str) -> Location:
        """The field ``key`` of the object at this location; a key that is not a plain name is quoted in brackets."""
        if not _PLAIN_KEY.fullmatch(key):
            return Location(f"{self.path}[{preview(key)}]")
        return Location(f"{self.path}.{key}" if self.path else key)

    def __getitem__(self, index: int) -> Location:
        """The item ``index`` of the list at this location."""
        return Location(f"{self.path}[{index}]")

    def error(self, problem: str) -> DefinitionError:
        """An error to raise about this location."""
        return DefinitionError(problem, path=self.path)


ROOT = Location()


def listing(names: Collection[str]) -> str:
    """Names for a message, in order: ``a, b, c``; only the first of very many."""
    more = f" and {len(names) - _LISTED_MAX} more" if len(names) > _LISTED_MAX else ""
    return ", ".join(list(names)[:_LISTED_MAX]) + more if names else "none"
