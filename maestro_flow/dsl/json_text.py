"""JSON text to a document, strictly: NaN is refused, and a repeated key is remembered for ``plain`` to refuse."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from maestro_flow.dsl.plain import Repeated
from maestro_flow.errors import DefinitionError

__all__ = ["read_json"]


def read_json(text: str) -> Any:
    """The document in a JSON text.

    Raises:
        DefinitionError: a syntax error, with line and column as its path.
    """
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise DefinitionError(
            f"not valid JSON: {error.msg}", path=f"line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise DefinitionError("not valid JSON: nested too deep") from None
    except ValueError as error:  # a number with thousands of digits, which Python refuses to convert
        raise DefinitionError(f"not valid JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            repeated = Repeated(pairs)
            repeated.key = key
            return repeated
        found[key] = value
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
