from datetime import UTC, datetime, timedelta

import pytest

from proxy.cli.drawing.moments import ago, local

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-5, "just now"),
        (0.9, "just now"),
        (1, "1 second ago"),
        (119, "1 minute ago"),
        (7200, "2 hours ago"),
        (86_400 * 3, "3 days ago"),
    ],
)
def test_how_long_ago_is_told_in_the_largest_unit(seconds: float, told: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == told


def test_a_time_is_that_of_this_place() -> None:
    assert local(NOW) == f"{NOW.astimezone():%Y-%m-%d %H:%M:%S}"
