"""How many groups a node holds: the arithmetic of a fair share, the same in every node and without a coordinator.

A node claims up to its fair share, and gives groups up only where another one has less than the least share. So shares
differ by two at most when nothing changes, and nothing goes back and forth.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

__all__ = ["better_node", "fair_share", "surplus"]


def fair_share(groups: int, others: Sequence[int]) -> int:
    """How many groups a node may claim up to, when the other nodes hold so many each.

    The least share while another one lacks that; what is left over when groups are divided goes to whoever comes then.
    """
    nodes = len(others) + 1
    least = groups // nodes
    return least if any(count < least for count in others) else -(-groups // nodes)


def surplus(groups: int, held: int, others: Sequence[int]) -> int:
    """How many of the ``held`` groups to give up, when the other nodes hold so many each."""
    least = groups // (len(others) + 1)
    missing = sum(max(0, least - count) for count in others)
    return max(0, min(held - least, missing))


def better_node(lacks: Collection[str], offers: Mapping[str, Collection[str]]) -> str:
    """The node, of those that offer something, that has most of what is lacking here; "" if none has any of it."""
    found = {owner_id: len(set(lacks) & set(offered)) for owner_id, offered in offers.items()}
    best = max(sorted(found), key=lambda owner_id: found[owner_id], default="")
    return best if best and found[best] else ""
