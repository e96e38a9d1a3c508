"""Days and months of UTC, held against the standard library's calendar."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from proxy.pricing.periods import day_of, month_of

EPOCH = date(1970, 1, 1)


@given(st.dates(date(1970, 1, 1), date(9999, 11, 30)))
def test_a_month_is_that_of_the_calendar(day: date) -> None:
    first = day.replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    assert month_of((day - EPOCH).days) == ((first - EPOCH).days, (after - EPOCH).days)


def test_every_day_of_four_centuries_is_in_its_month() -> None:
    for number in range(146_097):
        first, after = month_of(number)
        assert first <= number < after
        assert month_of(after - 1) == (first, after)


def test_a_day_begins_at_midnight_utc() -> None:
    midnight = datetime(2026, 11, 22, tzinfo=UTC).timestamp()
    assert day_of(midnight) == day_of(midnight + 86_399.9) == day_of(midnight - 0.1) + 1
