"""A random workflow, with all that a definition can say to the core; most of its params fit, and some do not."""

from __future__ import annotations

from random import Random

from maestro_flow.model.definition import (
    Backoff,
    FailureMode,
    RetryPolicy,
    RunRule,
    RunStrategy,
    Tag,
    TypedStep,
    WorkflowDefinition,
)
from maestro_flow.model.params import Param, ParamMode, ParamType

__all__ = ["definition"]

STEPS_MAX = 8


def definition(random: Random) -> WorkflowDefinition:
    """A workflow in which most params fit, and some do not."""
    ids = [f"s{number}" for number in range(random.randint(1, STEPS_MAX))]
    params = {"r0": Param(ParamType.LONG, random.randint(1, 3))}
    for number in range(1, random.randint(1, 4)):
        params[f"r{number}"] = _param(random, [*params], [])
    steps = []
    for at, step_id in enumerate(ids):
        own: dict[str, Param] = {"x": Param(ParamType.LONG, at)}
        for name in ("y", "z"):
            if random.random() < 0.4:
                own[name] = _param(random, [*params, *own], ids[:at])
        steps.append(
            TypedStep(
                step_id,
                "Test",
                params=own,
                successors={to: _condition(random, ids[: at + 1]) for to in ids[at + 1 :] if random.random() < 0.35},
                retry_policy=_retry_policy(random),
                failure_mode=random.choice([*FailureMode, FailureMode.FAIL_AFTER_RUNNING]),
                timeout_s=random.choice([*[None] * 8, 60, "${r0}", "1${x}", "${x}", "nonsense ${r0}"]),
                tags=tuple(Tag(name, permit=random.randint(1, 2)) for name in "ab" if random.random() < 0.2),
            )
        )
    rule = random.choice([RunStrategy(), RunStrategy(RunRule.SEQUENTIAL, 1), RunStrategy(RunRule.LAST_ONLY, 1)])
    return WorkflowDefinition(
        "wf",
        tuple(steps),
        params=params,
        timeout_s=random.choice([None, None, 100, "${r0}h"]),
        run_strategy=rule,
        step_concurrency=random.choice([None, None, None, 2]),
        instance_step_concurrency=random.choice([None, None, 1, 3]),
    )


def _param(random: Random, names: list[str], before: list[str]) -> Param:
    name = random.choice(names[-1:] if random.random() < 0.1 else ["r0", *(["x"] if "x" in names else [])])
    other = random.choice(before) if before else name
    mode = random.choice([ParamMode.MUTABLE, *ParamMode])
    made = [
        Param(ParamType.LONG, expression=f"{name} + 1;", mode=mode),
        Param(ParamType.STRING, f"${{{name}}} and $$", mode=mode),
        Param(ParamType.MAP, {"in": Param(ParamType.STRING, f"${name}")}, mode=mode),
        Param(ParamType.LONG, expression=f"{other}__x * 2;" if before else "7;", mode=mode),
        Param(ParamType.STRING, f"${{{other}}}", mode=mode),
        Param(ParamType.LONG, expression="params.nextUniqueId();", mode=mode),
        Param(ParamType.BOOLEAN, expression=f"{name} > 1;", mode=mode),
    ]
    bad = [
        Param(ParamType.LONG, expression="1 / 0;"),
        Param(ParamType.LONG, expression="x2 + r9;"),
        Param(ParamType.LONG, "${z}"),
        Param(ParamType.LONG, expression="int i = 0; while (true) { i += 1; } i;"),
    ]
    return random.choice(bad) if random.random() < 0.03 else random.choice(made)


def _condition(random: Random, ids: list[str]) -> bool | str:
    step_id = random.choice(ids)
    if random.random() < 0.05:
        return random.choice(["1;", "unknown == 1;", "1 / 0 > 0;"])
    values: list[bool | str] = [True, True, True, False]
    return random.choice([*values, "r0 > 1", f"{step_id}__x >= 0", "x < 100;", f"{ids[-1]} != 'no'"])


def _retry_policy(random: Random) -> RetryPolicy:
    limits: list[int | str] = [0, 1, "${r0}", "${x}"]
    waits: list[float | str] = [0, 5, "${r0}"]
    return RetryPolicy(
        random.choice(limits) if random.random() < 0.9 else "${nothing}",
        random.choice([0, 1]),
        random.choice([0, 1]),
        error=Backoff(random.choice(waits), 2, 60),
        platform=Backoff(5, 1, 5),
        timeout=Backoff(0, 1, 0),
    )
