"""The promises of the Storage protocol as tests, for whoever writes a backend.

The test file of a backend is one class and its own quirks::

    class TestMyStore(StorageConformance):            # or DurableConformance, SharedConformance
        @pytest.fixture
        def opener(self, clock: ManualClock) -> Opener:
            return lambda: open_storage("mystore://...", clock)

``opener()`` opens the store of the test, which is empty at first; every call opens the same one again. Time passes by
``clock.advance`` alone: a backend with a server's clock gives a ``clock`` fixture that moves that one. No test sleeps.

Each test names the rule of the write protocol that it is for.
"""

from __future__ import annotations

import pkgutil

import pytest

# Before they are imported, so that a failed assert shows its values in the tests of somebody else's backend too.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)))

from maestro_flow.storage.conformance.base import Opener  # noqa: E402
from maestro_flow.storage.conformance.suite import (  # noqa: E402
    DurableConformance,
    SharedConformance,
    StorageConformance,
)

__all__ = ["DurableConformance", "Opener", "SharedConformance", "StorageConformance"]
