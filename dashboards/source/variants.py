"""Variants side by side: base against fine-tune, in speed, errors, tokens, cost and quality.

Lines are of the variants with most requests; the tables have all, so that fifty can be read.
"""

from dashboards.source.board import Board, route, variant
from dashboards.source.board import quantile as of_choice
from dashboards.source.overview import FAILING, SHORT, SLOW
from dashboards.source.panels import RED, YELLOW, Column, Line, lines, rows
from dashboards.source.promql import (
    CHARS,
    COMPLETED,
    FAILED,
    JUDGED,
    LATENCY,
    NAMED,
    PER_TOKEN,
    REQUESTS,
    ROUTE,
    TOKENS,
    TOP,
    TTFT,
    VARIANT,
    VARIANTS,
    Over,
    busiest,
    increase,
    mean,
    of,
    quantile,
    rate,
    ratio,
    total,
)

NAMES = "{{route}} / {{variant}}"
BANDS = (10, 50, 100, 200, 400, 1600)  # characters; each is a bound of the histogram's buckets
FIRST = ((1.0, YELLOW), (2.5, RED))  # seconds
FEW = f" Lines of the {TOP} variants with most requests; choose variants to see others."


def variants() -> Board:
    """Return the board that puts variants side by side."""
    said = (
        "Base and fine-tune side by side: speed, errors, tokens, cost, and what replies look like."
    )
    board = Board("turnout-variants", "turnout / Variants", said, route(), variant(), of_choice())
    board.add(_summary())
    board.row("Requests and failures", *_requests())
    board.row("Speed", *_speed())
    board.row("Tokens and cost", *_tokens())
    board.row("Replies", _lengths(), *_replies())
    board.row("Shadows, which no client sees", _shadows())
    return board


def ours(metric: str, *matchers: str) -> str:
    """Return the series of a metric that the chosen routes' chosen variants have."""
    return of(metric, ROUTE, NAMED, VARIANT, *matchers)


def failed(over: Over) -> str:
    """Return the share of requests that failed, by variant."""
    return ratio(over(ours(REQUESTS, FAILED)), over(ours(REQUESTS, JUDGED)), *VARIANTS)


def signalled(over: Over, signal: str) -> str:
    """Return the share of completed requests whose replies gave a signal, by variant."""
    gave = over(ours("turnout_quality_signals_total", f'signal="{signal}"'))
    return ratio(gave, over(ours(REQUESTS, COMPLETED)), *VARIANTS)


def broken(over: Over) -> str:
    """Return the share of replies that had not the form asked for, of those looked at."""
    checks = "turnout_format_checks_total"
    looked_at = over(ours(checks, 'result=~"kept|broken"'))
    return ratio(over(ours(checks, 'result="broken"')), looked_at, *VARIANTS)


def latency(over: Over, share: float | str) -> str:
    """Return a quantile of the latency of requests that completed, by variant."""
    return quantile(share, over(ours(f"{LATENCY}_bucket", 'error_type=""')), *VARIANTS)


def first_token(over: Over, share: float | str) -> str:
    """Return a quantile of the time to the first token, by variant."""
    return quantile(share, over(ours(f"{TTFT}_bucket")), *VARIANTS)


def _summary() -> object:
    cost, requests = ours("turnout_cost_usd_total"), increase(ours(REQUESTS))
    per_1000 = f"1000 * {total(increase(cost), *VARIANTS)} / ({total(requests, *VARIANTS)} > 0)"
    output = ours(f"{TOKENS}_sum", 'gen_ai_token_type="output"')
    columns = (
        Column("Split", f"max by (route, variant) ({ours('turnout_split_share')})", "percentunit"),
        Column("Requests", total(requests, *VARIANTS), "locale", decimals=0),
        Column("Failed", failed(increase), "percentunit", FAILING),
        Column("Fell back", _fallen_back(), "percentunit", FAILING),
        Column("Latency p50", latency(increase, 0.5), "s", SLOW),
        Column("Latency p95", latency(increase, 0.95), "s", SLOW),
        Column("TTFT p95", first_token(increase, 0.95), "s", FIRST),
        Column("Output tokens", total(increase(output), *VARIANTS), "locale", decimals=0),
        Column("$ per 1,000", per_1000, "currencyUSD"),
        Column("Short", signalled(increase, "short"), "percentunit", SHORT),
        Column("Refusals", signalled(increase, "refusal"), "percentunit", SHORT),
        Column("Form broken", broken(increase), "percentunit", FAILING),
    )
    said = (
        "Every chosen variant over the time shown; a click on a title sorts. Failed: by an"
        " upstream or turnout, clients that left aside. Fell back: of the requests that were to"
        " have it, those that another variant served in its place. Short, Refusals: of completed"
        " requests. Form broken: of replies whose form was looked at. `turnout compare` says"
        " which differences hold."
    )
    return rows("Side by side", said, VARIANTS, columns, height=10)


def _fallen_back() -> str:
    fallen, due = ours("turnout_fallbacks_total"), ours("turnout_assignments_total")
    return ratio(increase(fallen), increase(due), *VARIANTS)


def _requests() -> list[object]:
    served = ours(REQUESTS)
    among = f"on (route) group_left () ({total(rate(of(REQUESTS, ROUTE)), 'route')} > 0)"
    version = f"max({of('turnout_table_version')})"
    return [
        _each("Requests", "Requests a second.", "reqps", total(rate(served), *VARIANTS)),
        _each(
            "Share of the route's requests",
            "What the split gave out in fact; the Split column has what it is to be.",
            "percentunit",
            f"{total(rate(served), *VARIANTS)} / {among}",
        ),
        _each(
            "Failed",
            "Share of requests that an upstream or turnout failed; who left did not fail.",
            "percentunit",
            failed(rate),
        ),
        lines(
            "Version of the routing",
            "A step is a change: a split, a rollback, a new file. Marks on all panels show when.",
            "none",
            Line(version, "version"),
            nothing="no turnout",
        ),
    ]


def _speed() -> list[object]:
    per_token = quantile("$quantile", rate(ours(f"{PER_TOKEN}_bucket")), *VARIANTS)
    said = " The quantile is chosen above."
    return [
        _each(
            "Latency",
            "From a request's head to its reply's last byte, where it completed." + said,
            "s",
            latency(rate, "$quantile"),
            span=8,
        ),
        _each(
            "Time to first token",
            "From a request's head to the first output of a stream that completed." + said,
            "s",
            first_token(rate, "$quantile"),
            span=8,
        ),
        _each(
            "Time per output token",
            "Time per token after the first, of streams that completed." + said,
            "s",
            per_token,
            span=8,
        ),
    ]


def _tokens() -> list[object]:
    tokens = {kind: f'gen_ai_token_type="{kind}"' for kind in ("input", "output")}
    dollars = total(rate(ours("turnout_cost_usd_total")), *VARIANTS)
    said = {"input": "Tokens of a prompt, on average.", "output": "Tokens of a reply, on average."}
    return [
        *(
            _each(
                f"{kind.capitalize()} tokens per request",
                said[kind],
                "short",
                mean(rate, TOKENS, ROUTE, VARIANT, matcher),
                span=8,
            )
            for kind, matcher in tokens.items()
        ),
        _each(
            "Cost per hour",
            "At the present pace, as far as prices are known.",
            "currencyUSD",
            f"3600 * {dollars}",
            span=8,
            nothing="no prices",
        ),
    ]


def _lengths() -> object:
    count = f"({total(increase(ours(f'{CHARS}_count')), *VARIANTS)} > 0)"
    at_most = [
        total(increase(ours(f"{CHARS}_bucket", f'le="{each:.1f}"')), *VARIANTS) for each in BANDS
    ]
    titles = [f"to {BANDS[0]}", *(f"to {each:,}" for each in BANDS[1:]), f"over {BANDS[-1]:,}"]
    below = [None, *at_most]
    shares = [
        f"({upper} - {lower}) / {count}" if lower else f"{upper} / {count}"
        for lower, upper in zip(below, [*at_most, count], strict=True)
    ]
    middle = quantile(0.5, increase(ours(f"{CHARS}_bucket")), *VARIANTS)
    bands = (
        Column(title, share, "percentunit", shaded=True, decimals=1)
        for title, share in zip(titles, shares, strict=True)
    )
    return rows(
        "How long replies are",
        "Share of each variant's replies by their number of characters, and the median. A"
        " fine-tune that answers shorter than its base shows as a shift to the left.",
        VARIANTS,
        (*bands, Column("median", middle, "locale", decimals=0)),
        height=9,
        nothing="no replies of text",
    )


def _replies() -> list[object]:
    of_completed = " Share of requests that completed."
    return [
        _each(
            "Short replies",
            "Replies under the threshold, 10 characters unless set otherwise." + of_completed,
            "percentunit",
            signalled(rate, "short"),
            span=8,
        ),
        _each(
            "Refusals",
            "Replies that decline, in the protocol or in words." + of_completed,
            "percentunit",
            signalled(rate, "refusal"),
            span=8,
        ),
        _each(
            "Form broken",
            "Replies that have not the form that was asked for. Share of those looked at.",
            "percentunit",
            broken(rate),
            span=8,
            nothing="no form was asked for",
        ),
    ]


def _shadows() -> object:
    seen, kind = "turnout_shadow_requests_total", "turnout_shadow_quality_signals_total"
    late = quantile(0.95, increase(ours("turnout_shadow_duration_seconds_bucket")), *VARIANTS)
    bad = ratio(increase(ours(seen, FAILED)), increase(ours(seen, JUDGED)), *VARIANTS)
    said = increase(ours(kind, 'signal="short"'))
    columns = (
        Column(
            "Sent",
            total(increase(ours("turnout_shadow_sent_total")), *VARIANTS),
            "locale",
            decimals=0,
        ),
        Column("Gave way", _given_way(), "percentunit", SHORT),
        Column("Failed", bad, "percentunit", FAILING),
        Column("Latency p95", late, "s", SLOW),
        Column(
            "Short", ratio(said, increase(ours(seen, COMPLETED)), *VARIANTS), "percentunit", SHORT
        ),
        Column(
            "Cost",
            total(increase(ours("turnout_shadow_cost_usd_total")), *VARIANTS),
            "currencyUSD",
        ),
    )
    text = "Requests repeated to a variant, unseen by clients. Gave way: dropped, of those due."
    return rows("Shadows", text, VARIANTS, columns, height=5, nothing="no shadows")


def _given_way() -> str:
    dropped, due = ours("turnout_shadow_dropped_total"), ours("turnout_shadow_expected_total")
    return ratio(increase(dropped), increase(due), *VARIANTS)


def _each(
    title: str,
    said: str,
    unit: str,
    expression: str,
    *,
    span: int = 12,
    nothing: str = "no requests",
) -> object:
    """Return a panel with a line for each variant."""
    line = Line(busiest(expression), NAMES)
    return lines(title, said + FEW, unit, line, span=span, nothing=nothing, beside=span > 8)
