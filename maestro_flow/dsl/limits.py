"""Limits on what a definition may contain. All are Maestro's (Constants.java) unless marked as ours."""

from __future__ import annotations

__all__ = [
    "BACKOFF_S_MAX",
    "BUILDER_STEPS_MAX",
    "CONCURRENCY_MAX",
    "DEPTH_MAX",
    "EXPANDED_NODES_MAX",
    "FILE_BYTES_MAX",
    "FILE_STEPS_MAX",
    "ID_CHARS_MAX",
    "NAME_CHARS_MAX",
    "PARALLEL_DEFAULT",
    "PARAMS_CHARS_MAX",
    "RETRIES_MAX",
    "RUN_PARAMS_MAX",
    "TEXT_CHARS_MAX",
    "TIMEOUT_S_MAX",
]

ID_CHARS_MAX = 128
NAME_CHARS_MAX = 256
TEXT_CHARS_MAX = 16_384
"""Characters of a description."""

FILE_BYTES_MAX = 256 * 1024
"""Size of a create request, or of a file."""

FILE_STEPS_MAX = 300
BUILDER_STEPS_MAX = 10_000
"""Steps of a workflow written in Python (ours: there a loop can create them, and nobody has to read them)."""

PARAMS_CHARS_MAX = 750_000
"""Characters of all params of a workflow or of a step, as JSON."""

RUN_PARAMS_MAX = 128
"""Params that a start may set."""

TIMEOUT_S_MAX = 120 * 86_400
RETRIES_MAX = 99
BACKOFF_S_MAX = 86_400

CONCURRENCY_MAX = 1000
"""Runs or steps that may be active at once, wherever a definition limits them; permits of a tag."""

PARALLEL_DEFAULT = 20
"""Runs at once under the run strategy PARALLEL, if a file does not say."""

DEPTH_MAX = 100
"""Nesting depth of lists and objects (ours)."""

EXPANDED_NODES_MAX = 200_000
"""Values in a YAML file with all aliases expanded: stops a file that doubles itself with each line (ours)."""
