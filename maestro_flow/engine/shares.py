"""Who holds how many groups: the arithmetic of a fair share, the same in every node and without a coordinator.

A node claims up to its fair share, and gives groups up only where another one has less than the least share. So shares
differ by two at most when nothing changes, and nothing goes back and forth.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["fair_share", "surplus"]


def fair_share(groups: int, nodes: int) -> int:
    """The most that one of so many nodes holds: all shares together are all groups at least."""
    return -(-groups // nodes)


def surplus(groups: int, held: int, others: Sequence[int]) -> int:
    """How many of the ``held`` groups to give up, when the other nodes hold so many each."""
    least = groups // (len(others) + 1)
    missing = sum(max(0, least - count) for count in others)
    return max(0, min(held - least, missing))
