"""Times as people write them on a command line: `800ms`, `5s`, `24h`, or a moment."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
WRITTEN = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
MOST_SECONDS = 100 * 365 * UNITS["d"]


class Duration(click.ParamType[float]):
    """A length of time, in seconds."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds that `value` says, or fail."""
        seconds = written(str(value))
        if seconds is None:
            self.fail("is no duration; write it like 800ms, 5s, 10m, 24h or 7d", param, ctx)
        return seconds


class Moment(click.ParamType[datetime]):
    """A moment: how long ago, or a date and time; without a zone it is this host's."""

    name = "moment"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the moment that `value` says, or fail."""
        if isinstance(value, datetime):
            return value
        seconds = written(str(value))
        if seconds is not None:
            return datetime.now(UTC) - timedelta(seconds=seconds)
        try:
            return datetime.fromisoformat(str(value)).astimezone()
        except (ValueError, OverflowError):
            self.fail(
                "is no moment; write how long ago, like 15m, 24h or 7d, or a date and time, like "
                "2026-11-22T16:40",
                param,
                ctx,
            )


def written(value: str) -> float | None:
    """Return the seconds of a duration; None: it is none."""
    found = WRITTEN.fullmatch(value.strip().lower())
    if found is None:
        return None
    seconds = float(found[1]) * UNITS[found[2]]
    return seconds if seconds <= MOST_SECONDS else None
