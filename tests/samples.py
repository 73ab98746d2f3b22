"""Netflix's sample definitions, which are read from beside the clone and never copied into it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "samples"


def sample(name: str) -> Path:
    """The path of a sample. Where there are none, a person's test is skipped and CI's fails."""
    path = SAMPLES / name
    if not path.exists():
        missing = f"no sample {name} beside this clone, in {SAMPLES}"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return path
