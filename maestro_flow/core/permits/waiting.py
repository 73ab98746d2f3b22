"""The requesters that wait for permits, ordered so that the next one is found without looking at the others.

Those with the same tags and limits are in one line: only its first can be next. A line whose first requester finds no
free permit of some tag is parked at that tag, and looked at again only when one is free. So the cost of a release
depends on how many requesters it lets through, not on how many wait, and nothing that could be granted stays parked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush, heapreplace
from typing import TypeAlias

from attrs import define, field

__all__ = ["Waiting"]

_Tag: TypeAlias = tuple[str, int]
"""A tag and the limit that a definition gives it."""
_Tags: TypeAlias = tuple[_Tag, ...]
_Heap: TypeAlias = list[tuple[int, _Tags]]
"""Lines by the number of their first requester, or of one before it that has left: corrected when it comes up."""


@define
class Waiting:
    """See the module. ``has_free_permit(tag, limit)`` says whether one more may hold the tag under that limit."""

    has_free_permit: Callable[[str, int], bool]
    _lines: dict[_Tags, deque[tuple[int, str]]] = field(factory=dict, init=False)
    """(number, requester) in order; each line is in ``_loose`` or in one heap of ``_parked``."""
    _gone: set[int] = field(factory=set, init=False)
    """Numbers that have left from the middle of a line."""
    _loose: _Heap = field(factory=list, init=False)
    _parked: dict[_Tag, _Heap] = field(factory=dict, init=False)
    _limits: dict[str, set[int]] = field(factory=dict, init=False)
    """Limits under which lines are parked, by tag."""
    _open: set[_Tag] = field(factory=set, init=False)
    """Tags where lines are parked and a permit may be free."""

    def join(self, number: int, requester: str, permits: dict[str, int]) -> None:
        """A requester waits; numbers only increase."""
        tags = tuple(sorted(permits.items()))
        line = self._lines.get(tags)
        if line is None:
            line = self._lines[tags] = deque()
            heappush(self._loose, (number, tags))
        line.append((number, requester))

    def leave(self, number: int, permits: dict[str, int]) -> None:
        """A requester waits no longer: it has its permits, or gave up."""
        line = self._lines[tuple(sorted(permits.items()))]
        if line[0][0] == number:
            line.popleft()
            while line and line[0][0] in self._gone:
                self._gone.remove(line.popleft()[0])
        else:
            self._gone.add(number)

    def look_again(self, tag: str) -> None:
        """A permit of the tag may be free: one was released, or the limit has changed."""
        self._open.update((tag, limit) for limit in self._limits.get(tag, ()))

    def first(self) -> str | None:
        """The requester with the lowest number of those whose tags all have a free permit."""
        while heap := self._next_heap():
            number, tags = heap[0]
            line = self._lines[tags]
            if not line:
                heappop(heap)
                del self._lines[tags]
            elif line[0][0] != number:
                heapreplace(heap, (line[0][0], tags))
            else:
                full = next((tag for tag in tags if not self.has_free_permit(*tag)), None)
                if full is None:
                    return line[0][1]
                heappop(heap)
                self._park(number, tags, full)
        return None

    def _park(self, number: int, tags: _Tags, full: _Tag) -> None:
        heappush(self._parked.setdefault(full, []), (number, tags))
        self._limits.setdefault(full[0], set()).add(full[1])

    def _next_heap(self) -> _Heap | None:
        """Of the heaps that may have a requester to grant, the one with the lowest number."""
        best = self._loose
        for place in list(self._open):
            heap = self._parked.get(place)
            if not heap:
                self._open.remove(place)
                self._parked.pop(place, None)
                self._limits[place[0]].discard(place[1])
            elif not self.has_free_permit(*place):
                self._open.remove(place)
            elif not best or heap[0] < best[0]:
                best = heap
        return best or None
