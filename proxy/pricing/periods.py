"""Periods: days and months of UTC, as numbers of days since 1970-01-01."""

SECONDS = 86_400  # of a day; UTC's clock, as computers keep it, has no others
YEARS = 146_097  # days of 400 years, after which the calendar repeats
MARCH = 719_468  # days from 0000-03-01 to 1970-01-01
FIFTH = 153  # days of the five months from March on, and again from August on


def day_of(at: float) -> int:
    """Return the day of a moment, in seconds since the epoch."""
    return int(at // SECONDS)


def month_of(day: int) -> tuple[int, int]:
    """Return the first day of a day's month, and that of the next month.

    A year is taken to begin in March, so that the leap day is its last; then the months' lengths
    follow a rule, (153 m + 2) / 5 days before the m-th.
    """
    cycle = day + MARCH
    inside = cycle % YEARS
    year = (inside - inside // 1460 + inside // 36_524 - inside // (YEARS - 1)) // 365
    of_year = inside - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // FIFTH
    begins = (FIFTH * month + 2) // 5
    first = day - (of_year - begins)
    return first, first + _length(year, month, begins)


def _length(year: int, month: int, begins: int) -> int:
    """Return the days of a month, counted from March as 0, of a year of the cycle."""
    if month < 11:
        return (FIFTH * (month + 1) + 2) // 5 - begins
    february = year + 1  # is in the next year, as others count them
    leap = february % 4 == 0 and (february % 100 != 0 or february % 400 == 0)
    return 29 if leap else 28
