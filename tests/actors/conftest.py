"""One suite, every runtime: an actor does not know which one it runs on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from maestro_flow.actors.inline import InlineRuntime
from maestro_flow.actors.pooled import PooledRuntime
from maestro_flow.actors.runtime import Runtime
from maestro_flow.actors.threaded import ThreadedRuntime
from maestro_flow.clock import SystemClock


@pytest.fixture(params=["pooled", "inline", "threaded"])
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    made: Runtime
    match request.param:
        case "pooled":
            made = PooledRuntime(SystemClock())
        case "threaded":
            made = ThreadedRuntime(SystemClock())
        case _:
            made = InlineRuntime(seed=1)
    yield made
    made.close()
