"""The schema version of a store."""

from __future__ import annotations

from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.protocol import Storage

__all__ = ["Schema"]


class Schema(Concern):
    """The schema has a version, so that data of an older or newer program is recognised (PROTOCOL 27)."""

    def test_all_handles_see_the_same_schema_version(self, store: Storage, second: Storage) -> None:
        """PROTOCOL 27."""
        assert type(store.schema_version) is int
        assert store.schema_version == second.schema_version >= 1
