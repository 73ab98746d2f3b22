"""Which version of the schema a store has."""

from __future__ import annotations

from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.protocol import Storage

__all__ = ["Schema"]


class Schema(Concern):
    """What is written is numbered, so that it is told from what an older or a newer program writes (PROTOCOL 27)."""

    def test_the_version_of_what_is_written_is_the_same_for_all_who_have_it_open(
        self, store: Storage, second: Storage
    ) -> None:
        """PROTOCOL 27."""
        assert type(store.schema_version) is int
        assert store.schema_version == second.schema_version >= 1
