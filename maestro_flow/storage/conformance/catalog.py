"""Definitions and their versions."""

from __future__ import annotations

from maestro_flow.clock import ManualClock
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.protocol import Storage, StoredDefinition

__all__ = ["Catalog"]


class Catalog(Concern):
    """Versions are numbered from 1 without gaps, and never change (PROTOCOL 28)."""

    def test_each_new_body_is_the_next_version(self, store: Storage) -> None:
        """PROTOCOL 28: versions outlive the runs that need them."""
        assert [store.push("w", body) for body in (b"1", b"2", b"3")] == [1, 2, 3]

    def test_the_latest_body_again_is_the_latest_version(self, store: Storage) -> None:
        """PROTOCOL 6: a push may be repeated."""
        assert [store.push("w", body) for body in (b"1", b"2", b"2")] == [1, 2, 2]

    def test_an_earlier_body_again_is_a_new_version(self, store: Storage) -> None:
        """PROTOCOL 28: reverting is a change too."""
        assert [store.push("w", body) for body in (b"1", b"2", b"1")] == [1, 2, 3]

    def test_workflows_are_numbered_independently(self, store: Storage) -> None:
        """PROTOCOL 28."""
        assert [store.push(name, b"1") for name in ("v", "w")] == [1, 1]

    def test_a_definition_is_found_by_version_or_as_the_latest(self, clock: ManualClock, store: Storage) -> None:
        """PROTOCOL 28."""
        store.push("w", '{"1":"ü"}'.encode())
        pushed_at = clock.time()
        clock.advance(60)
        store.push("w", b"{}")
        first = StoredDefinition("w", 1, '{"1":"ü"}'.encode(), pushed_at)
        assert store.definition("w", 1) == first
        assert store.definition("w") == store.definition("w", 2) == StoredDefinition("w", 2, b"{}", pushed_at + 60)

    def test_what_was_never_pushed_is_not_found(self, store: Storage) -> None:
        """PROTOCOL 28."""
        store.push("w", b"{}")
        assert [store.definition("w", version) for version in (-1, 0, 2)] == [None] * 3
        assert store.definition("v") is None
