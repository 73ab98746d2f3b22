"""How many groups a node should hold: the arithmetic of a fair share, computed by every node without a coordinator.

A node claims up to its fair share, and gives up groups only while another node has less than the least share. So in
the steady state shares differ by two at most, and groups do not move back and forth.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

__all__ = ["better_node", "fair_share", "surplus"]


def fair_share(groups: int, others: Sequence[int]) -> int:
    """Up to how many groups a node may hold; ``others`` are the counts of the other nodes.

    The least share while another node has less than that; after that, the remainder goes to the first that claims it.
    """
    nodes = len(others) + 1
    least = groups // nodes
    return least if any(count < least for count in others) else -(-groups // nodes)


def surplus(groups: int, held: int, others: Sequence[int]) -> int:
    """How many of the ``held`` groups to give up; ``others`` are the counts of the other nodes."""
    least = groups // (len(others) + 1)
    missing = sum(max(0, least - count) for count in others)
    return max(0, min(held - least, missing))


def better_node(wanted: Collection[str], offers: Mapping[str, Collection[str]]) -> str:
    """The node that offers most of the wanted code; "" if none offers any of it."""
    found = {owner_id: len(set(wanted) & set(offered)) for owner_id, offered in offers.items()}
    best = max(sorted(found), key=lambda owner_id: found[owner_id], default="")
    return best if best and found[best] else ""
