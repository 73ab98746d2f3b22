"""The promises of the Storage protocol as tests, for authors of backends.

They need the extra ``maestro-flow[conformance]``. The test file of a backend is one class with its own fixtures::

    class TestMyStore(StorageConformance):
        shared = False  # a capability that the store lacks (see ``Concern``); tests that need it are not collected

        @pytest.fixture
        def opener(self, clock: ManualClock) -> Opener:
            return lambda namespace: open_storage("mystore://...", clock, namespace=namespace)

``opener("tests")`` opens a namespace in a store of this one test. The namespace is empty at first; every call with the
same name opens the same one. Time passes only by ``clock.advance``: a backend that uses a server's clock overrides the
``clock`` fixture with one that moves that clock. No test sleeps.

Each test names the rule of the write protocol (docs/internals/write-protocol.md) that it checks.
"""

from __future__ import annotations

import pkgutil

try:
    import hypothesis as _hypothesis  # noqa: F401 - imported here so that one message names the missing extra
    import pytest
except ImportError as error:
    raise ImportError(
        f"the conformance suite cannot be imported ({error}); try: pip install 'maestro-flow[conformance]'"
    ) from error

# Before they are imported, so that failed asserts show their values in the tests of third-party backends too.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)))

from maestro_flow.storage.conformance.base import Opener  # noqa: E402
from maestro_flow.storage.conformance.suite import StorageConformance  # noqa: E402

__all__ = ["Opener", "StorageConformance"]
