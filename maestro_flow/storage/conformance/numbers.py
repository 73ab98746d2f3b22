"""Numbers that people type: those that do not exist, and those that no store can hold."""

from __future__ import annotations

import pytest

from maestro_flow.errors import NotFound, ValueNotStorable
from maestro_flow.model.runs import StartRequest
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.protocol import RunQuery, Storage

__all__ = ["Numbers"]

_LARGE = [2**31, 2**32 + 1, 2**53 + 1, 2**63 - 1, -(2**31) - 1, 1 - 2**63]
_TOO_LARGE = [2**63, 2**64 + 1, -(2**63)]


class Numbers(Concern):
    """A number that does not exist is not found, however large; one of more than 64 bits is refused on every store."""

    @pytest.mark.parametrize("number", _LARGE)
    def test_what_has_no_such_number_is_not_found(self, store: Storage, number: int) -> None:
        """PROTOCOL 18, 28: and no number is confused with another."""
        store.push("w", b"{}")
        store.start([StartRequest("w", "r1", 0)])
        assert store.definition("w", number) is None
        assert store.list_runs(RunQuery(workflow_id="w", instance_id=number)) == []
        with pytest.raises(NotFound, match="version"):
            store.start([StartRequest("w", "r2", 0, version=number)])
        for after in ((number, 1), (1, number)):
            with pytest.raises(NotFound, match=f"w/{after[0]}/{after[1]}"):
                store.start([StartRequest("w", "r2", 0, after=after)])

    @pytest.mark.parametrize("number", _TOO_LARGE)
    def test_a_number_of_more_than_64_bits_is_refused(self, store: Storage, number: int) -> None:
        """PROTOCOL 18, 28: by the model's class, or by the store where there is none."""
        store.push("w", b"{}")
        with pytest.raises(ValueNotStorable, match=str(number)):
            store.definition("w", number)
        with pytest.raises(ValueNotStorable, match=str(number)):
            RunQuery(instance_id=number)
        with pytest.raises(ValueNotStorable, match=str(number)):
            StartRequest("w", "r1", 0, version=number)
        for after in ((number, 1), (1, number)):
            with pytest.raises(ValueNotStorable, match=str(number)):
                StartRequest("w", "r1", 0, after=after)
