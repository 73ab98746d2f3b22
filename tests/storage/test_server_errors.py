"""What servers say that a test cannot make them say here: a server of Redis 6.2, a database that is damaged.

The texts of Redis 6.2 were seen on 6.2.5; newer servers say the same words in front.
"""

from __future__ import annotations

import psycopg
import pytest
from maestro_flow_redis.errors import storage_error
from maestro_flow_sql.postgres.errors import translated
from redis.exceptions import ResponseError

from maestro_flow.errors import StorageError, StorageUnavailable, StorageUnusable

_RUNNING = "Error running script (call to f_130a): @user_script:12: "


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (f"{_RUNNING}@user_script: 12: -OOM command not allowed when used memory > 'maxmemory'.", StorageUnavailable),
        ("@user_script: 267: -READONLY You can't write against a read only replica.", StorageUnavailable),
        (f"{_RUNNING}@user_script: 12: -WRONGTYPE Operation against a key", StorageError),
    ],
)
def test_what_a_command_of_a_script_was_refused_with_is_found(said: str, kind: type[StorageError]) -> None:
    assert type(storage_error(ResponseError(said), "s")) is kind


@pytest.mark.parametrize("error", [psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted])
def test_calls_to_a_damaged_database_are_not_repeated_forever(error: type[psycopg.Error]) -> None:
    with pytest.raises(StorageUnusable, match="damaged"), translated("s"):
        raise error("invalid page in block 7")
