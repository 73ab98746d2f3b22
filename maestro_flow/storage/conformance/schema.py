"""Which version of the schema a store has."""

from __future__ import annotations

from maestro_flow.storage.conformance.base import Concern, Opener

__all__ = ["Schema"]


class Schema(Concern):
    """What is written is numbered, so that it is told from what an older or a newer program writes (PROTOCOL 27)."""

    def test_the_version_of_what_is_written_is_the_same_for_all_who_have_it_open(self, opener: Opener) -> None:
        """PROTOCOL 27: through two handles, and after both were closed and the store was opened again."""
        first, second = opener(), opener()
        version = first.schema_version
        assert version >= 1
        assert (type(version), second.schema_version) == (int, version)
        first.close()
        second.close()
        again = opener()
        assert again.schema_version == version
        again.close()
