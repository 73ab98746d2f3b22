"""A definition from a file: JSON or YAML."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from maestro_flow.dsl.json_text import read_json
from maestro_flow.dsl.limits import FILE_BYTES_MAX
from maestro_flow.dsl.parse import Loaded, parse_definition
from maestro_flow.errors import DefinitionError

__all__ = ["load_definition"]


def load_definition(path: str | Path, *, known_types: Collection[str] | None = None) -> Loaded:
    """Read a file: ``.json``, ``.yaml`` or ``.yml``; with any other suffix, JSON is tried first, then YAML.

    ``known_types`` are the step types to accept; None accepts any name.

    Raises:
        DefinitionError: with the file, the location in it, and what was expected there. No other error is raised,
            whatever the file contains.
    """
    path = Path(path)
    try:
        document = _read(_read_text(path), path.suffix.lower())
    except DefinitionError as error:
        raise error.at(str(path)) from None
    return parse_definition(document, str(path), known_types=known_types)


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        reason = getattr(error, "strerror", None) or error
        raise DefinitionError(f"the file cannot be read: {reason}") from None
    if len(data) > FILE_BYTES_MAX:
        raise DefinitionError(f"the file is larger than {FILE_BYTES_MAX:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DefinitionError("the file is not valid UTF-8", path=f"line {line}") from None


def _read(text: str, suffix: str) -> Any:
    if suffix == ".json":
        return read_json(text)
    if suffix not in {".yaml", ".yml"}:
        try:
            return read_json(text)
        except DefinitionError:
            if text.lstrip().startswith("{"):  # meant to be JSON: that error says more than YAML's
                raise
    from maestro_flow.dsl.yaml_text import read_yaml  # noqa: PLC0415 - costs 15 ms, which JSON need not pay

    return read_yaml(text)
