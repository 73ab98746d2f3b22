"""Settings: which values are legal, what follows from them; and what is refused, by name."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_flow.config.settings import Settings
from maestro_flow.errors import SettingsError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lease_s", float("nan")),
        ("lease_s", float("inf")),
        ("lease_s", 10**400),
        ("lease_s", "10"),
        ("lease_s", None),
        ("lease_s", True),
        ("lease_s", 0),
        ("executor_threads", 2.5),
        ("executor_threads", True),
        ("executor_threads", 0),
        ("executor_threads", 10**10),
        ("runtime", "greenlets"),
        ("runtime", 1),
    ],
)
def test_an_illegal_value_is_refused_by_the_name_of_its_setting(name: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=f"setting {name}="):
        Settings(**{name: value})


@pytest.mark.parametrize(("name", "value"), [("lease_s", 1), ("lease_s", 0.1), ("reloads_max", 0), ("scan_s", 10**9)])
def test_what_is_at_the_edge_is_legal(name: str, value: Any) -> None:
    assert getattr(Settings(**{name: value}), name) == value


def test_a_scan_comes_at_least_four_times_a_lease() -> None:
    assert Settings(lease_s=1.0).scan_interval_s == 0.25
    assert Settings().scan_interval_s == 1.0
