"""What a module offers: ``__all__`` exists for real, is sorted, and the package's own list stays short."""

from __future__ import annotations

import importlib

import pytest

from tests.tidy.sources import modules

PUBLIC_NAMES_MAX = 30


def export_order(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, each by the alphabet: the order that ruff's RUF022 makes."""
    if name.isupper():
        return 0, name
    return (1, name) if name[:1].isupper() else (2, name)


def exports(module: str) -> list[str]:
    return list(getattr(importlib.import_module(module), "__all__", []))


@pytest.mark.parametrize("module", modules())
def test_every_exported_name_exists_and_the_list_is_sorted(module: str) -> None:
    names = exports(module)
    imported = importlib.import_module(module)
    assert [name for name in names if not hasattr(imported, name)] == []
    assert names == sorted(set(names), key=export_order)


def test_the_public_interface_is_small() -> None:
    assert 0 < len(exports("maestro_flow")) <= PUBLIC_NAMES_MAX
