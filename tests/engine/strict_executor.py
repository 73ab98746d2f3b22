"""A pytest plugin: every call and return passes through JSON on its way, as with an executor that is elsewhere.

``pytest -p tests.engine.strict_executor TESTS``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import pytest

from maestro_flow.steps import threads
from maestro_flow.steps.calls import StepCall, StepReturn
from maestro_flow.steps.context import CallProgress
from maestro_flow.steps.executors import CallHandle, CallListener

V = TypeVar("V", StepCall, CallProgress, StepReturn)

crossed = {"StepCall": 0, "CallProgress": 0, "StepReturn": 0}


def through_json(value: V) -> V:
    """The same value, as another process would have it."""
    crossed[type(value).__name__] += 1
    again = msgspec.json.decode(msgspec.json.encode(value), type=type(value))
    assert again == value
    return again


class StrictListener:
    """Gets what a call returned from far away."""

    def __init__(self, listener: CallListener) -> None:
        self.began: Callable[[], float | None] = listener.began
        self._returned, self._progressed = listener.returned, listener.progressed

    def progressed(self, progress: CallProgress) -> None:
        self._progressed(through_json(progress))

    def returned(self, returned: StepReturn) -> None:
        self._returned(through_json(returned))


class StrictExecutor(threads.ThreadExecutor):
    """See the module."""

    def submit(self, call: StepCall, listener: CallListener) -> Any:
        handle: CallHandle = super().submit(through_json(call), StrictListener(listener))
        return handle


@pytest.fixture(autouse=True)
def _strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "ThreadExecutor", StrictExecutor)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    terminalreporter.write_line(f"crossed: {crossed['StepCall']} calls, {crossed['StepReturn']} returns")
