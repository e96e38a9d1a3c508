from datetime import UTC, datetime

import click
import pytest

from proxy.cli.running.times import Duration, Moment


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("800ms", 0.8), ("5s", 5.0), ("1.5m", 90.0), ("24h", 86_400.0), ("7D", 604_800.0)],
)
def test_a_duration_is_a_number_and_its_unit(written: str, seconds: float) -> None:
    assert Duration().convert(written, None, None) == pytest.approx(seconds)


@pytest.mark.parametrize("written", ["5", "", "s", "-5s", "5 weeks", "1e9d", "99999999d"])
def test_what_is_no_duration_is_told(written: str) -> None:
    with pytest.raises(click.BadParameter, match="write it like 800ms, 5s"):
        Duration().convert(written, None, None)


def test_a_moment_is_so_long_ago_or_a_date() -> None:
    ago = Moment().convert("10m", None, None)
    assert 599 < (datetime.now(UTC) - ago).total_seconds() < 660
    said = Moment().convert("2026-11-22T16:40:00+00:00", None, None)
    assert said == datetime(2026, 11, 22, 16, 40, tzinfo=UTC)
    assert Moment().convert("2026-11-22", None, None).tzinfo is not None
    assert Moment().convert(said, None, None) is said


@pytest.mark.parametrize("written", ["yesterday", "2026-13-01", ""])
def test_what_is_no_moment_is_told(written: str) -> None:
    with pytest.raises(click.BadParameter, match="write how long ago"):
        Moment().convert(written, None, None)
