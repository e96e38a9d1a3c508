"""Upstreams: which are well, how fast, what was tried again, and how full their pools are."""

from dashboards.source.board import Board, upstream
from dashboards.source.board import quantile as of_choice
from dashboards.source.overview import FAILING, SLOW
from dashboards.source.panels import RED, YELLOW, Column, Line, lines, number, rows
from dashboards.source.promql import (
    LATENCY,
    REQUESTS,
    TTFT,
    UPSTREAM,
    Over,
    increase,
    of,
    per_minute,
    quantile,
    rate,
    ratio,
    total,
    zero,
)

NAME = "{{upstream}}"
PROVIDER = 'gen_ai_provider_name=~"$upstream"'  # the same name, under the conventions' label
FAULT = 'error_code=~"provider_.*"'
RETRIED = ((0.02, YELLOW), (0.1, RED))
KEYS = ("upstream",)


def upstreams() -> Board:
    """Return the board of upstreams."""
    said = "Upstreams: health, speed, retries, ejections and pools."
    board = Board("turnout-upstreams", "turnout / Upstreams", said, upstream(), of_choice())
    board.add(*_now(), _summary())
    board.row("Health", *_health())
    board.row("Speed", *_speed())
    board.row("Pools", *_pools())
    return board


def ours(metric: str, *matchers: str) -> str:
    """Return the series of a metric that the chosen upstreams have."""
    return of(f"turnout_upstream_{metric}", UPSTREAM, *matchers)


def _now() -> list[object]:
    out = f"(max by (upstream) ({ours('ejected')}) > 0)"
    return [
        number(
            "Out",
            "Upstreams that some worker leaves alone at present, after failures in a row.",
            zero(f"count({out})"),
            "none",
            steps=((1, RED),),
            span=6,
        ),
        number(
            "Ejections",
            "Times that a worker put an upstream out, in the time shown.",
            zero(total(increase(ours("ejections_total")))),
            "locale",
            steps=((1, YELLOW),),
            span=6,
            decimals=0,
        ),
        number(
            "Tried again",
            "Share of the requests sent that were retries. Yellow from 2 %, red from 10 %.",
            ratio(increase(ours("retries_total")), increase(ours("requests_total"))),
            "percentunit",
            steps=RETRIED,
            span=6,
        ),
        number(
            "Waiting",
            "Exchanges that wait for a connection at present: the pool's limit is reached.",
            zero(total(ours("waiting"))),
            "locale",
            steps=((1, YELLOW), (50, RED)),
            span=6,
            decimals=0,
        ),
    ]


def _summary() -> object:
    sent = increase(ours("requests_total"))
    named = (
        f"label_replace({_latency(increase)}, 'upstream', '$1', 'gen_ai_provider_name', '(.*)')"
    )
    columns = (
        Column("Out on workers", total(ours("ejected"), *KEYS), "none", ((1, RED),)),
        Column("Sent", total(sent, *KEYS), "locale", decimals=0),
        Column(
            "Tried again",
            ratio(increase(ours("retries_total")), sent, *KEYS),
            "percentunit",
            RETRIED,
        ),
        Column("Failed", _failed(), "percentunit", FAILING),
        Column(
            "Not connected",
            total(increase(ours("connect_failures_total")), *KEYS),
            "locale",
            ((1, YELLOW),),
            0,
        ),
        Column(
            "Ejections",
            total(increase(ours("ejections_total")), *KEYS),
            "locale",
            ((1, YELLOW),),
            0,
        ),
        Column("Latency p95", quantile(0.95, named, *KEYS), "s", SLOW),
        Column("Open", total(ours("connections_open"), *KEYS), "none"),
        Column("Idle", total(ours("connections_idle"), *KEYS), "none"),
        Column("Waiting", total(ours("waiting"), *KEYS), "none", ((1, YELLOW),)),
    )
    said = (
        "Every chosen upstream. Sent counts retries and shadows as well. Failed: of clients'"
        " requests that ended there. Out, Open, Idle and Waiting are as of now."
    )
    return rows("Upstreams", said, KEYS, columns)


def _failed() -> str:
    reached = 'upstream!="other"'
    fault = of(REQUESTS, UPSTREAM, reached, FAULT)
    every = of(REQUESTS, UPSTREAM, reached, 'outcome!="client_gone"')
    return ratio(increase(fault), increase(every), *KEYS)


def _latency(over: Over) -> str:
    return over(of(f"{LATENCY}_bucket", PROVIDER, 'error_type=""'))


def _health() -> list[object]:
    faults = of(REQUESTS, UPSTREAM, FAULT)
    return [
        lines(
            "Failures by cause",
            "Clients' requests a second that an upstream failed, by upstream and error code.",
            "reqps",
            Line(total(rate(faults), "upstream", "error_code"), "{{upstream}} {{error_code}}"),
            nothing="no failures",
            beside=True,
        ),
        lines(
            "Out",
            "Workers that leave an upstream alone; after a while one of them sends a trial.",
            "none",
            Line(total(ours("ejected"), *KEYS), NAME),
            nothing="no upstreams",
            beside=True,
        ),
        lines(
            "Tried again",
            "Requests a second that were sent once more, within the retry budget.",
            "reqps",
            Line(total(rate(ours("retries_total")), *KEYS), NAME),
            span=8,
        ),
        lines(
            "Ejections per minute",
            "Times that a worker put an upstream out.",
            "short",
            Line(total(per_minute(ours("ejections_total")), *KEYS), NAME),
            span=8,
            bars=True,
            stacked=True,
        ),
        lines(
            "Not connected, per minute",
            "Connections that could not be opened.",
            "short",
            Line(total(per_minute(ours("connect_failures_total")), *KEYS), NAME),
            span=8,
            bars=True,
            stacked=True,
        ),
    ]


def _speed() -> list[object]:
    first = rate(of(f"{TTFT}_bucket", PROVIDER))
    label = "gen_ai_provider_name"
    said = " The quantile is chosen above."
    return [
        lines(
            "Latency",
            "Of clients' requests that completed there, retries included." + said,
            "s",
            Line(quantile("$quantile", _latency(rate), label), f"{{{{{label}}}}}"),
            beside=True,
        ),
        lines(
            "Time to first token",
            "Of streams that completed there." + said,
            "s",
            Line(quantile("$quantile", first, label), f"{{{{{label}}}}}"),
            nothing="no streams",
            beside=True,
        ),
    ]


def _pools() -> list[object]:
    open_, idle = total(ours("connections_open"), *KEYS), total(ours("connections_idle"), *KEYS)
    return [
        lines(
            "Requests sent",
            "Requests a second that were sent to each upstream, retries and shadows included.",
            "reqps",
            Line(total(rate(ours("requests_total")), *KEYS), NAME),
            span=8,
        ),
        lines(
            "Connections",
            "Connections to each upstream that are busy, and that are kept for the next request.",
            "none",
            Line(f"{open_} - {idle}", "{{upstream}} busy"),
            Line(idle, "{{upstream}} idle"),
            span=8,
            nothing="no upstreams",
        ),
        lines(
            "Waiting",
            "Exchanges that wait for a connection: raise the upstream's limit, or its capacity.",
            "none",
            Line(total(ours("waiting"), *KEYS), NAME),
            span=8,
            nothing="no upstreams",
        ),
    ]
