"""PromQL: what the boards ask, in few words.

It knows metrics' labels and Grafana's variables in a query; it knows nothing of panels. Two rules
hold for all: a quantile is taken of buckets added up (`sum by (le, ...)`), never of quantiles, and
a share of nothing is no answer, while nothing of something is 0.
"""

from collections.abc import Callable

Over = Callable[[str], str]

WHICH = 'job=~"$job", namespace=~"$namespace"'  # of several turnouts
ROUTE = 'route=~"$route"'
VARIANT = 'variant=~"$variant"'
UPSTREAM = 'upstream=~"$upstream"'

NAMED = 'route!="other"'  # what is no route's is no variant's

REQUESTS = "turnout_requests_total"
FAILED = 'outcome=~"upstream_.*|proxy_error"'  # who left, and who was turned away, did not fail
JUDGED = 'outcome=~"completed|upstream_.*|proxy_error"'
COMPLETED = 'outcome="completed"'

LATENCY = "gen_ai_server_request_duration_seconds"
TTFT = "gen_ai_server_time_to_first_token_seconds"
PER_TOKEN = "gen_ai_server_time_per_output_token_seconds"  # noqa: S105  # a metric, no password
TOKENS = "gen_ai_client_token_usage"
CHARS = "turnout_reply_chars"

VARIANTS = ("route", "variant")  # a variant is one of its route: others may have its name
TOP = 12  # lines in one panel at most, so that they can be told apart


def of(metric: str, *matchers: str) -> str:
    """Return the series of a metric that the chosen turnouts have, and that match."""
    return f"{metric}{{{', '.join([WHICH, *matchers])}}}"


def rate(series: str) -> str:
    """Return what counters rise by in a second, as of each moment."""
    return f"rate({series}[$__rate_interval])"


def increase(series: str) -> str:
    """Return what counters rose by in the whole time that is shown."""
    return f"increase({series}[$__range])"


def per_minute(series: str) -> str:
    """Return what counters rise by in a minute, as of each moment: for what is rare."""
    return f"60 * {rate(series)}"


def total(expression: str, *by: str) -> str:
    """Return a sum, by some labels or of all."""
    return f"sum by ({', '.join(by)}) ({expression})" if by else f"sum({expression})"


def zero(expression: str) -> str:
    """Return a sum of all that is 0 where there is nothing."""
    return f"({expression}) or vector(0)"


def quantile(share: float | str, buckets: str, *by: str) -> str:
    """Return a quantile of a histogram, `buckets` being its rate or increase; none of nothing."""
    return f"histogram_quantile({share}, {total(buckets, 'le', *by)}) >= 0"


def ratio(part: str, whole: str, *by: str) -> str:
    """Return which share of `whole` is `part`: 0 where there is none, nothing where no whole."""
    among = total(whole, *by)
    return f"({total(part, *by)} or 0 * {among}) / ({among} > 0)"


def mean(over: Over, metric: str, *matchers: str) -> str:
    """Return the mean of a histogram by route and variant; `over` is rate or increase."""
    both = [of(f"{metric}_{part}", *matchers) for part in ("sum", "count")]
    sums, counts = [total(over(each), *VARIANTS) for each in both]
    return f"{sums} / ({counts} > 0)"


def busiest(expression: str) -> str:
    """Return an expression by route and variant for those that had most requests in all the time.

    They are the same at every moment, so that no line begins or ends because of others.
    """
    seen = total(f"increase({of(REQUESTS, ROUTE, NAMED, VARIANT)}[$__range] @ end())", *VARIANTS)
    return f"({expression}) and on (route, variant) topk({TOP}, {seen})"
