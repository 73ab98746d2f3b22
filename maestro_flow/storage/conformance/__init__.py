"""The promises of the Storage protocol as tests, for whoever writes a backend.

They need the extra ``maestro-flow[conformance]``. The test file of a backend is one class and its own quirks::

    class TestMyStore(StorageConformance):
        shared = False  # what the store lacks (``Concern`` lists it all); what needs that is not collected

        @pytest.fixture
        def opener(self, clock: ManualClock) -> Opener:
            return lambda namespace: open_storage("mystore://...", clock, namespace=namespace)

``opener("tests")`` opens a namespace of the store of this one test, which is empty at first; every call with the same
name opens the same one again. Time passes by ``clock.advance`` alone: a backend with a server's clock gives a ``clock``
fixture that moves that one. No test sleeps.

Each test names the rule of the write protocol that it is for.
"""

from __future__ import annotations

import pkgutil

try:
    import hypothesis as _hypothesis  # noqa: F401 - asked for here, so that what is missing is said once and for all
    import pytest
except ImportError as error:
    raise ImportError(
        f"the conformance suite cannot be imported ({error}); try: pip install 'maestro-flow[conformance]'"
    ) from error

# Before they are imported, so that a failed assert shows its values in the tests of somebody else's backend too.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)))

from maestro_flow.storage.conformance.base import Opener  # noqa: E402
from maestro_flow.storage.conformance.suite import StorageConformance  # noqa: E402

__all__ = ["Opener", "StorageConformance"]
