"""What is looked for in replies, and what raises an alert."""

from typing import Annotated

from pydantic import Field, JsonValue

from proxy.config import fields, settings
from proxy.config.schema.notify import Notify
from proxy.config.schema.part import CAN_BE_OFF, Part
from proxy.config.schema.windows import ErrorRate, WindowAlerts, WorseThanBaseline
from proxy.quality import Signal

THRESHOLDS = settings.AlertThresholds()


class Slow(Part):
    """The alert on slow replies."""

    latency_ms: fields.Milliseconds = THRESHOLDS.slow_latency_ms or 5000.0
    """Fires when an exchange took longer than this, in milliseconds."""


class Short(Part):
    """The alert on short replies."""

    reply_chars: fields.Some = THRESHOLDS.short_reply_chars or 10
    """Fires when the reply's text is shorter than this, in characters. Tool calls, refusals,
    embeddings and replies that the client cut are never too short."""


class SingleAlerts(Part):
    """The alerts on single exchanges."""

    slow: Annotated[Slow | None, *CAN_BE_OFF] = None
    """The alert on slow replies, or `off`."""
    short: Annotated[Short | None, *CAN_BE_OFF] = None
    """The alert on short replies, or `off`."""


class RouteAlerts(WindowAlerts, SingleAlerts):
    """The alerts of one route; what is not said here is as `alerts` has it."""


class Alerts(WindowAlerts, SingleAlerts):
    """What raises an alert.

    Where nothing is said, `slow`, `short`, `error_rate` and `worse_than_baseline` are on and the
    others off; `latency_p95: {}` switches one on with its usual figures.
    """

    slow: Annotated[Slow | None, *CAN_BE_OFF] = Slow()
    """The alert on slow replies, or `off`."""
    short: Annotated[Short | None, *CAN_BE_OFF] = Short()
    """The alert on short replies, or `off`."""
    error_rate: Annotated[ErrorRate | None, *CAN_BE_OFF] = ErrorRate()
    """The alert on errors, or `off`."""
    worse_than_baseline: Annotated[WorseThanBaseline | None, *CAN_BE_OFF] = WorseThanBaseline()
    """The alert on a candidate that does worse than its route's baseline, or `off`."""
    notify: Notify = Notify()
    """Who is told of alerts, beside the log and the metrics."""


class Quality(Part):
    """What is looked for in replies."""

    signals: Annotated[list[Signal] | None, Field(min_length=1)] = None
    """The signals to read off each reply; without them, on a route those of all routes, else all
    there are. `short` has the threshold of the alert of that name."""
    check_percent: fields.Percent | None = None
    """How many of the replies for which there is a form are held against it, in percent; without
    it, on a route as many as on all routes, else all."""


class Format(Part):
    """What a reply must be like; all that is said of it holds."""

    json_schema: Annotated[dict[str, JsonValue] | bool | None, fields.SCHEMA] = None
    """A JSON Schema, or the path of a file that is one, from this file's folder; true is any JSON.
    """
    regex: fields.Pattern | None = None
    """A regular expression that matches the whole reply, without the white space around it."""
    max_chars: fields.Some | None = None
    """How many characters it may have."""
