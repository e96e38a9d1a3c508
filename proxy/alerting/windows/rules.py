"""The rules over windows: what each is called, of what it is, and which hold where none are said.

It knows figures only as names: how one comes about is `facts`' and `watches`'.
"""

from collections.abc import Mapping
from enum import StrEnum
from math import inf
from typing import Final

from msgspec import Struct

MINUTE, HOUR = 60.0, 3600.0  # seconds


class WindowAlert(StrEnum):
    """The rules over windows that there are."""

    ERROR_RATE = "error_rate"  # percent of a variant's requests that fail
    LATENCY_P95 = "latency_p95"  # milliseconds that 95 of 100 of its replies stay within
    TTFT_P95 = "ttft_p95"  # the same, to the first token of its streams
    SHORT_RATE = "short_rate"  # percent of its replies that are short
    FORMAT_FAILURES = "format_failures"  # percent of those with a form that have not got it
    REFUSALS = "refusals"  # percent of its replies that decline
    TOKENS_PER_MINUTE = "tokens_per_minute"  # of a route
    COST_PER_HOUR = "cost_per_hour"  # of a route, in US dollars
    NO_TRAFFIC = "no_traffic"  # seconds since a route's last request
    WORSE_THAN_BASELINE = "worse_than_baseline"  # so many times, surely


class Rule(Struct, frozen=True, kw_only=True):
    """One rule: what is above `threshold` over a window, for a while, by enough requests, fires.

    Of `no_traffic` there is no threshold but the window itself.
    """

    name: WindowAlert
    threshold: float
    window_seconds: float = 5 * MINUTE
    for_seconds: float = MINUTE  # so long must it be broken to fire, and kept to resolve
    min_requests: int = 20  # within the window; fewer never fire


Rules = tuple[Rule, ...]

SHARES: Final = frozenset(  # percent of exchanges
    {
        *(WindowAlert.ERROR_RATE, WindowAlert.SHORT_RATE),
        *(WindowAlert.FORMAT_FAILURES, WindowAlert.REFUSALS),
    }
)
TIMES: Final = frozenset({WindowAlert.LATENCY_P95, WindowAlert.TTFT_P95})
AMOUNTS: Final[Mapping[WindowAlert, float]] = {  # in so many seconds
    WindowAlert.TOKENS_PER_MINUTE: MINUTE,
    WindowAlert.COST_PER_HOUR: HOUR,
}
OF_VARIANTS: Final = SHARES | TIMES  # others are of a route as a whole, or of two variants
COMPARED: Final[Mapping[WindowAlert, str]] = {  # of candidate and baseline, as they are called
    WindowAlert.ERROR_RATE: "error rate",
    WindowAlert.LATENCY_P95: "p95 latency",
    WindowAlert.SHORT_RATE: "short rate",
}
USUAL: Final[Mapping[WindowAlert, Rule]] = {  # what is not said of a rule is as here
    rule.name: rule
    for rule in (
        Rule(name=WindowAlert.ERROR_RATE, threshold=5.0),
        Rule(name=WindowAlert.LATENCY_P95, threshold=5000.0),
        Rule(name=WindowAlert.TTFT_P95, threshold=2000.0),
        Rule(name=WindowAlert.SHORT_RATE, threshold=20.0),
        Rule(name=WindowAlert.FORMAT_FAILURES, threshold=20.0),
        Rule(name=WindowAlert.REFUSALS, threshold=20.0),
        Rule(name=WindowAlert.TOKENS_PER_MINUTE, threshold=inf, min_requests=1),
        Rule(
            name=WindowAlert.COST_PER_HOUR,
            threshold=inf,
            window_seconds=15 * MINUTE,
            min_requests=1,
        ),
        Rule(
            name=WindowAlert.NO_TRAFFIC,
            threshold=0.0,
            window_seconds=15 * MINUTE,
            for_seconds=0.0,
        ),
        Rule(
            name=WindowAlert.WORSE_THAN_BASELINE,
            threshold=2.0,
            window_seconds=15 * MINUTE,
            min_requests=50,
        ),
    )
}
DEFAULTS: Final[Rules] = (  # that hold where nobody says anything
    USUAL[WindowAlert.ERROR_RATE],
    USUAL[WindowAlert.WORSE_THAN_BASELINE],
)
UNITS: Final[Mapping[WindowAlert, str]] = {
    **dict.fromkeys(SHARES, "%"),
    **dict.fromkeys(TIMES, "ms"),
    WindowAlert.TOKENS_PER_MINUTE: "tokens a minute",
    WindowAlert.COST_PER_HOUR: "USD an hour",
    WindowAlert.NO_TRAFFIC: "s",
    WindowAlert.WORSE_THAN_BASELINE: "times",
}
