"""The store and the reference implementation give the same answers to any calls."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from maestro_flow.clock import ManualClock
from maestro_flow.storage.conformance.base import Concern, Opener
from maestro_flow.storage.conformance.conversation import Setting
from maestro_flow.storage.conformance.conversation_verbs import Conversation

__all__ = ["EXAMPLES_VARIABLE", "ModelEquivalence"]

EXAMPLES_VARIABLE = "MAESTRO_CONFORMANCE_EXAMPLES"
"""Number of conversations, each with a fresh store; more find more."""

SHRINK_VARIABLE = "MAESTRO_CONFORMANCE_SHRINK"
"""Set it to shrink a failing conversation, which takes minutes."""

_EXAMPLES = 12
_STEPS = 100


class ModelEquivalence(Concern):
    """The memory store is the model of all others (PROTOCOL 1 to 8, 13, 16 to 19)."""

    def test_a_random_conversation_with_two_handles_matches_the_model(self, opener: Opener, clock: ManualClock) -> None:
        """PROTOCOL 3 to 8, 13, 16 to 19: all verbs, in any order, with lost answers, repetitions and wrong arguments.

        The conversations are the same in every run.
        """
        setting = Setting(opener, clock, shared=self.shared, durable=self.durable)

        class Here(Conversation):
            def __init__(self) -> None:
                super().__init__(setting)

        run_state_machine_as_test(
            Here,
            settings=settings(
                phases=[Phase.generate, *([Phase.shrink] if SHRINK_VARIABLE in os.environ else [])],
                max_examples=int(os.environ.get(EXAMPLES_VARIABLE, _EXAMPLES)),
                stateful_step_count=_STEPS,
                derandomize=True,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
