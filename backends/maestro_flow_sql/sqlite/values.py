"""A list of values as one parameter, for ``json_each``: one statement for one row or a thousand."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

__all__ = ["as_json"]

_encoder = msgspec.json.Encoder()


def as_json(values: Iterable[object]) -> str:
    """The JSON array of the values."""
    return _encoder.encode(list(values)).decode()
