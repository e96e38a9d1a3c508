"""The rules over windows as they are written; the usual figures are `alerting`'s own."""

from typing import Annotated, Final

from proxy.alerting.windows import USUAL, WindowAlert
from proxy.config import fields
from proxy.config.schema.part import CAN_BE_OFF, Part

USUALLY = {name.value: rule for name, rule in USUAL.items()}
ANY = USUAL[WindowAlert.ERROR_RATE]


class Window(Part):
    """How long a rule looks back, and what it takes to fire."""

    window_seconds: fields.Seconds = ANY.window_seconds
    """Over how many seconds the figure is."""
    for_seconds: fields.Pause = ANY.for_seconds
    """For how many seconds the rule must be broken before it fires, and kept before it is
    resolved."""
    min_requests: fields.Some = ANY.min_requests
    """Fires on so many requests in the window at least."""


class ErrorRate(Window):
    """The alert on errors."""

    percent: fields.Percent = USUALLY["error_rate"].threshold
    """Fires when more of a variant's requests than this fail, in percent. Clients that leave and
    requests that are refused do not count; one that fell back failed on the variant that was to
    serve it."""


class LatencyP95(Window):
    """The alert on slow variants."""

    latency_ms: fields.Milliseconds = USUALLY["latency_p95"].threshold
    """Fires when 5 of 100 of a variant's replies take longer than this, in milliseconds."""


class TtftP95(Window):
    """The alert on variants that begin to answer late."""

    ttft_ms: fields.Milliseconds = USUALLY["ttft_p95"].threshold
    """Fires when 5 of 100 of a variant's streams begin later than this, in milliseconds."""


class ShortRate(Window):
    """The alert on many short replies."""

    percent: fields.Percent = USUALLY["short_rate"].threshold
    """Fires when more of a variant's replies than this give the signal `short`, in percent."""


class FormatFailures(Window):
    """The alert on replies that have not the form that was asked for."""

    percent: fields.Percent = USUALLY["format_failures"].threshold
    """Fires when more than this are broken of a variant's replies that were held against a form,
    in percent."""


class Refusals(Window):
    """The alert on many refusals."""

    percent: fields.Percent = USUALLY["refusals"].threshold
    """Fires when more of a variant's replies than this give the signal `refusal`, in percent."""


class TokensPerMinute(Window):
    """The alert on a route that uses many tokens."""

    tokens: fields.Some
    """Fires when a route's requests, shadows included, use more tokens than this a minute."""
    min_requests: fields.Some = USUALLY["tokens_per_minute"].min_requests
    """Fires on so many requests in the window at least."""


class CostPerHour(Window):
    """The alert on a route that costs much."""

    usd: fields.Dollars
    """Fires when a route's requests, shadows included, cost more US dollars than this an hour."""
    window_seconds: fields.Seconds = USUALLY["cost_per_hour"].window_seconds
    """Over how many seconds the figure is."""
    min_requests: fields.Some = USUALLY["cost_per_hour"].min_requests
    """Fires on so many requests in the window at least."""


class NoTraffic(Window):
    """The alert on a route that nobody asks any more."""

    window_seconds: fields.Seconds = USUALLY["no_traffic"].window_seconds
    """Fires when no request has come for so many seconds."""
    for_seconds: fields.Pause = USUALLY["no_traffic"].for_seconds
    """For how many seconds more there must be none, and for how many there must be some before it
    is resolved."""
    min_requests: fields.Some = USUALLY["no_traffic"].min_requests
    """Fires where so many had come at least in as many seconds before."""


class WorseThanBaseline(Window):
    """The alert on a candidate that does worse than its route's baseline."""

    factor: fields.Factor = USUALLY["worse_than_baseline"].threshold
    """Fires when a variant's error rate, p95 latency or short rate is surely more than so many
    times the baseline's, which is the route's first variant."""
    window_seconds: fields.Seconds = USUALLY["worse_than_baseline"].window_seconds
    """Over how many seconds the figures are."""
    min_requests: fields.Some = USUALLY["worse_than_baseline"].min_requests
    """Fires on so many requests in the window at least, on either side."""


class WindowAlerts(Part):
    """The alerts on what many exchanges come to."""

    error_rate: Annotated[ErrorRate | None, *CAN_BE_OFF] = None
    """The alert on errors, or `off`."""
    latency_p95: Annotated[LatencyP95 | None, *CAN_BE_OFF] = None
    """The alert on slow variants, or `off`."""
    ttft_p95: Annotated[TtftP95 | None, *CAN_BE_OFF] = None
    """The alert on variants that begin to answer late, or `off`."""
    short_rate: Annotated[ShortRate | None, *CAN_BE_OFF] = None
    """The alert on many short replies, or `off`."""
    format_failures: Annotated[FormatFailures | None, *CAN_BE_OFF] = None
    """The alert on replies that have not the form that was asked for, or `off`."""
    refusals: Annotated[Refusals | None, *CAN_BE_OFF] = None
    """The alert on many refusals, or `off`."""
    tokens_per_minute: Annotated[TokensPerMinute | None, *CAN_BE_OFF] = None
    """The alert on a route that uses many tokens, or `off`."""
    cost_per_hour: Annotated[CostPerHour | None, *CAN_BE_OFF] = None
    """The alert on a route that costs much, or `off`."""
    no_traffic: Annotated[NoTraffic | None, *CAN_BE_OFF] = None
    """The alert on a route that nobody asks any more, or `off`."""
    worse_than_baseline: Annotated[WorseThanBaseline | None, *CAN_BE_OFF] = None
    """The alert on a candidate that does worse than its route's baseline, or `off`."""


THRESHOLDS: Final = {  # the member that says a rule's threshold; of no_traffic there is none
    **dict.fromkeys(("error_rate", "short_rate", "format_failures", "refusals"), "percent"),
    "latency_p95": "latency_ms",
    "ttft_p95": "ttft_ms",
    "tokens_per_minute": "tokens",
    "cost_per_hour": "usd",
    "worse_than_baseline": "factor",
}
NAMES: Final = tuple(WindowAlerts.model_fields)
