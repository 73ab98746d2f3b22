"""Step types that are installed for a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from maestro_flow.steps import loading

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a distribution into a folder of ``sys.path``: the source of its one module, and its step types."""

    def install(module: str, source: str, **step_types: str) -> None:
        metadata = tmp_path / f"{module}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        entries = (f"{name} = {value}" for name, value in step_types.items())
        (metadata / "entry_points.txt").write_text("\n".join(["[maestro_flow.step_types]", *entries]) + "\n")
        (tmp_path / f"{module}.py").write_text(source)
        loading._installed.cache_clear()

    monkeypatch.syspath_prepend(str(tmp_path))
    loading._installed.cache_clear()
    yield install
    loading._installed.cache_clear()
