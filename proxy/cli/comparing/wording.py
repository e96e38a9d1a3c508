"""Wording: what metrics are called, and how values, differences and findings are said.

Terminal and page say the same. A name that is not known here stands as it is.
"""

from collections.abc import Iterator, Sequence

from proxy.controlplane.admin.comparing.models import Row, Side, Value

LABELS = {
    "error_rate": "errors",
    "latency_p50_ms": "latency p50",
    "latency_p95_ms": "latency p95",
    "ttft_p50_ms": "TTFT p50",
    "ttft_p95_ms": "TTFT p95",
    "prompt_tokens": "prompt tokens",
    "response_tokens": "reply tokens",
    "cost_per_1000_usd": "cost of 1,000",
    "short_rate": "short",
    "empty_rate": "empty",
    "refusal_rate": "refusals",
    "truncated_rate": "broken off",
    "length_rate": "cut by limit",
    "repetition_rate": "repetition",
    "format_broken_rate": "wrong format",
}
FINDINGS = {
    "worse": "worse",
    "better": "better",
    "different": "differs",
    "none_shown": "none shown",
    "too_little": "not enough data",
}


def label(row: Row) -> str:
    """Return what a metric is called."""
    return LABELS.get(row.metric, row.metric)


def shown(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of which at least one variant has a value."""
    return [row for row in rows if {row.baseline.value, row.candidate.value} != {None}]


def found_out(row: Row) -> str:
    """Return what a row comes to, in a word or three."""
    return FINDINGS.get(row.finding, row.finding)


def finding(row: Row) -> str:
    """Return what a row comes to, and where data lack, which."""
    return f"{found_out(row)}: {row.reason}" if row.reason else found_out(row)


def lacking(rows: Sequence[Row]) -> Iterator[str]:
    """Yield each thing that data lack once, with the rows that lack it."""
    lacks: dict[str, list[str]] = {}
    for row in shown(rows):
        if row.reason:
            lacks.setdefault(row.reason, []).append(label(row))
    for reason, labels in lacks.items():
        yield f"Not enough data for {', '.join(labels)}: {reason}."


def value(row: Row, side: Value) -> str:
    """Return a metric's value."""
    return "-" if side.value is None else amount(side.value, row.unit)


def events(side: Value) -> str:
    """Return of how many requests a value is, a rate's with how many it happened to."""
    if side.events is None:
        return f"{side.requests:,} requests"
    return f"{side.events:,} of {side.requests:,}"


def difference(row: Row) -> str:
    """Return the difference, if there is one."""
    return "-" if row.difference is None else amount(row.difference, row.unit, signed=True)


def interval(row: Row) -> str:
    """Return from where to where the true difference may lie, as far as it is known."""
    if row.low is None or row.high is None:
        return "-"
    low, high = (amount(each, row.unit, signed=True) for each in (row.low, row.high))
    bare, _, unit = low.rpartition(" ")
    return f"{bare if bare and unit == high.rpartition(' ')[2] else low} to {high}"


def amount(number: float, unit: str, *, signed: bool = False) -> str:
    """Return a number in its unit; a difference of shares is in percentage points."""
    sign = "+z" if signed else "z"  # z: what rounds to 0 is not below it
    match unit:
        case "share":
            return f"{100 * number:{sign}.2f} {'pp' if signed else '%'}"
        case "ms" if abs(number) >= 10_000:
            return f"{number / 1000:{sign}.1f} s"
        case "ms":
            return f"{number:{sign},.{0 if abs(number) >= 100 else 1}f} ms"
        case "usd":
            return f"{number:{sign},.4f} $"
        case _:
            return f"{number:{sign},.1f}"


def counted(side: Side) -> list[tuple[str, str]]:
    """Return what is told of a variant's requests, each by its name."""
    said = [("requests", f"{side.requests:,}"), ("units", f"{side.units:,}")]
    said += [
        (name.replace("_", " "), f"{count:,}") for name, count in sorted(side.outcomes.items())
    ]
    said += [(f"left out: {name}", f"{count:,}") for name, count in sorted(side.left_out.items())]
    if side.unpriced:
        said.append(("cost unknown", f"{side.unpriced:,}"))
    return said


LEGEND = (
    "The difference is the candidate's less the baseline's; in the interval the true one lies in "
    "95 of 100 cases, and where it holds 0, none is shown. Errors are of completed and failed "
    "requests; those that were rejected (the caller's fault, a limit, a spent budget), or whose "
    "client left, count for nothing. Times, tokens and cost are of completed requests. Look once, "
    "at a time chosen beforehand: whoever looks until something is red will see it."
)
