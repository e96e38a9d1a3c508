"""What hosts tell of themselves says how far a version came."""

from typing import Any

import pytest

from proxy.rollout.spread import Host, State, reach, state, why_late


def host(name: str = "b", **told: Any) -> Host:
    said: dict[str, Any] = {"version": 7, "workers": 2, "in_force": 2, **told}
    return Host(name=name, started_at=0.0, release="1.0", **said)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, State.IN_FORCE),
        ({"version": 8, "in_force": 0}, State.IN_FORCE),
        ({"workers": 0, "in_force": 0}, State.IN_FORCE),
        ({"version": 6}, State.BEHIND),
        ({"in_force": 1}, State.BEHIND),
        ({"unseen": 9.0}, State.IN_FORCE),
        ({"unseen": 11.0}, State.SILENT),
    ],
)
def test_a_host_has_a_version_in_force_is_behind_or_says_nothing(
    told: dict[str, Any], expected: State
) -> None:
    assert state(host(**told), 7) is expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, ""),
        ({"version": 6}, "version 6 is in force there"),
        ({"version": 6, "trouble": "it does not fit"}, "it does not fit"),
        ({"unseen": 12.4}, "not seen for 12 s; version 7 was in force there"),
        ({"unseen": 300.0}, "not seen for 5 m; version 7 was in force there"),
        ({"unseen": 7300.0}, "not seen for 2 h; version 7 was in force there"),
        ({"unseen": 90_000.0}, "not seen for 1 d; version 7 was in force there"),
    ],
)
def test_why_a_host_is_late_is_said(told: dict[str, Any], expected: str) -> None:
    assert why_late(host(**told), 7) == expected


def test_how_far_a_version_came_counts_this_host_and_names_those_that_are_late() -> None:
    found = reach([host("b"), host("c", version=6), host("d", unseen=60.0)], 7, 40.0)
    assert (found.hosts, found.of, found.milliseconds) == (2, 4, 40.0)
    assert [each.name for each in found.late] == ["c", "d"]
    assert reach([], 7, 0.0).of == 1
