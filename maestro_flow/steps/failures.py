"""What went wrong, as text that can be stored: whatever an exception is like, its description is clean and short."""

from __future__ import annotations

import traceback

from maestro_flow.model.events import StepError

__all__ = ["cut", "describe", "tidied"]

_TYPE_CHARS_MAX = 256
_MESSAGE_CHARS_MAX = 2048
_TRACEBACK_CHARS_MAX = 8192


def describe(error: BaseException) -> StepError:
    """An exception as text; also one whose ``str`` raises, or whose traceback cannot be had."""
    try:
        message = str(error)
    except Exception as broken:  # noqa: BLE001 - an exception's own __str__ is user code
        message = f"(its text cannot be had: {type(broken).__name__})"
    try:
        lines = "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001 - so is that of the exceptions that it was raised from
        lines = ""
    return tidied(StepError(type(error).__name__, message, lines))


def tidied(error: StepError) -> StepError:
    """The same error with texts that can be written; of a long traceback the end is kept, which says most."""
    trace = str(error.traceback)[-_TRACEBACK_CHARS_MAX:]
    return StepError(
        cut(error.type, _TYPE_CHARS_MAX), cut(error.message, _MESSAGE_CHARS_MAX), cut(trace, _TRACEBACK_CHARS_MAX)
    )


def cut(text: object, chars_max: int) -> str:
    """Text of at most so many characters, without lone surrogates, which JSON cannot hold."""
    return str(text)[:chars_max].encode("utf-8", "replace").decode()
