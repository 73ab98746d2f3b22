"""Settings: keywords, the environment, defaults; and what is refused, by name."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_flow.engine.settings import Settings
from maestro_flow.errors import SettingsError


def test_a_keyword_goes_before_the_environment_and_that_before_the_default() -> None:
    environment = {"MAESTRO_FLOW_LEASE_S": "3.5", "MAESTRO_FLOW_BATCH_MAX": "7", "MAESTRO_FLOW_STORE": "memory://"}
    settings = Settings.of({"batch_max": 9}, environment)
    assert (settings.lease_s, settings.batch_max, settings.scan_s) == (3.5, 9, 1.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lease_s", float("nan")),
        ("lease_s", "10"),
        ("lease_s", None),
        ("lease_s", True),
        ("lease_s", 0),
        ("executor_threads", 2.5),
        ("executor_threads", True),
        ("executor_threads", 0),
        ("runtime", "greenlets"),
        ("runtime", 1),
    ],
)
def test_an_illegal_value_is_refused_by_the_name_of_its_setting(name: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.of({name: value}, {})


def test_an_illegal_text_in_the_environment_names_the_variable() -> None:
    with pytest.raises(SettingsError, match="MAESTRO_FLOW_LEASE_S='soon': expected a number"):
        Settings.of({}, {"MAESTRO_FLOW_LEASE_S": "soon"})


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(SettingsError, match="leese_s"):
        Settings.of({"leese_s": 1}, {})


def test_a_scan_comes_at_least_four_times_a_lease() -> None:
    assert Settings.of({"lease_s": 1.0}, {}).scan_interval_s == 0.25
    assert Settings.of({}, {}).scan_interval_s == 1.0
