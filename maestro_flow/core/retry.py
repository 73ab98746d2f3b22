"""Retry arithmetic: what follows an attempt that failed (Maestro: RetryPolicy.java, StepRuntimeSummary.java)."""

from __future__ import annotations

from maestro_flow.core.steps import StepState
from maestro_flow.model.definition import Backoff, RetryPolicy
from maestro_flow.model.status import StepStatus, Verdict

__all__ = ["after_failure", "wait_s"]


def wait_s(backoff: Backoff, retries: int) -> float:
    """Seconds before the retry that follows ``retries`` earlier ones: ``base * exponent ** retries``, capped."""
    try:
        wait = float(backoff.base_s) * float(backoff.exponent) ** retries
    except OverflowError:
        return float(backoff.limit_s)
    return min(wait, float(backoff.limit_s))


def after_failure(
    verdict: Verdict, step: StepState, policy: RetryPolicy, now: float
) -> tuple[StepStatus, float | None]:
    """The status in which an unsuccessful attempt ends, and when the next attempt is due, if one follows.

    Beyond its retry budget, a user or platform error is FATALLY_FAILED and a timeout TIMED_OUT.
    """
    match verdict:
        case Verdict.USER_ERROR:
            retry, used, limit, backoff = (
                StepStatus.USER_FAILED,
                step.error_retries,
                policy.error_retry_limit,
                policy.error,
            )
        case Verdict.PLATFORM_ERROR:
            retry, used = StepStatus.PLATFORM_FAILED, step.platform_retries
            limit, backoff = policy.platform_retry_limit, policy.platform
        case Verdict.TIMED_OUT:
            retry, used = StepStatus.TIMEOUT_FAILED, step.timeout_retries
            limit, backoff = policy.timeout_retry_limit, policy.timeout
        case Verdict.STOPPED:
            return StepStatus.STOPPED, None
        case Verdict.INTERNAL_ERROR:
            return StepStatus.INTERNALLY_FAILED, None
        case _:
            return StepStatus.FATALLY_FAILED, None
    if used < int(limit):
        return retry, now + wait_s(backoff, used)
    return StepStatus.TIMED_OUT if verdict is Verdict.TIMED_OUT else StepStatus.FATALLY_FAILED, None
