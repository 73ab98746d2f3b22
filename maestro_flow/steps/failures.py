"""Errors as text that can be stored: whatever the exception, its description is valid and short."""

from __future__ import annotations

import traceback

from maestro_flow.model.events import StepError

__all__ = ["cut", "describe", "tidied"]

_TYPE_CHARS_MAX = 256
_MESSAGE_CHARS_MAX = 2048
_TRACEBACK_CHARS_MAX = 8192


def describe(error: BaseException) -> StepError:
    """An exception as text, even if its ``str`` raises or its traceback cannot be formatted."""
    try:
        message = str(error)
    except Exception as broken:  # noqa: BLE001 - an exception's own __str__ is user code
        message = f"(no text: its str() raised {type(broken).__name__})"
    try:
        lines = "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001 - so is that of the exceptions that it was raised from
        lines = ""
    return tidied(StepError(type(error).__name__, message, lines))


def tidied(error: StepError) -> StepError:
    """The same error with storable texts; of a long traceback only the end, the most useful part, is kept."""
    trace = str(error.traceback)[-_TRACEBACK_CHARS_MAX:]
    return StepError(
        cut(error.type, _TYPE_CHARS_MAX), cut(error.message, _MESSAGE_CHARS_MAX), cut(trace, _TRACEBACK_CHARS_MAX)
    )


def cut(text: object, chars_max: int) -> str:
    """The text, cut to at most ``chars_max`` characters, without lone surrogates, which JSON cannot represent."""
    return str(text)[:chars_max].encode("utf-8", "replace").decode()
