"""Moments for people: how long ago, or the local time."""

from datetime import datetime

UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def ago(then: datetime, now: datetime) -> str:
    """Return how long before `now` it was, in the largest unit that fits."""
    seconds = int((now - then).total_seconds())
    for size, unit in UNITS:
        count = seconds // size
        if count > 0:
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"


def local(then: datetime) -> str:
    """Return the local time, to the second."""
    return f"{then.astimezone():%Y-%m-%d %H:%M:%S}"
