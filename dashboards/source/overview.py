"""Overview: is it well? What clients get, over all routes, and which variant to look at."""

from dashboards.source.board import Board, route
from dashboards.source.panels import RED, YELLOW, Column, Line, gauges, lines, number, rows
from dashboards.source.promql import (
    COMPLETED,
    FAILED,
    JUDGED,
    LATENCY,
    NAMED,
    REQUESTS,
    ROUTE,
    TTFT,
    VARIANTS,
    increase,
    of,
    per_minute,
    quantile,
    rate,
    ratio,
    total,
    zero,
)

FAILING = ((0.01, YELLOW), (0.05, RED))
SLOW = ((2.5, YELLOW), (5.0, RED))  # seconds; 5 is where the alert `slow` begins
SHORT = ((0.02, YELLOW), (0.1, RED))


def overview() -> Board:
    """Return the board that answers whether all is well."""
    said = "Is it well? What clients get from turnout, and which variant to look at."
    board = Board("turnout-overview", "turnout / Overview", said, route())
    board.add(*_now())
    board.row("What clients get", *_clients())
    board.row("What it costs, and what was told", *_costs())
    board.row("Which variant", _variants())
    return board


def _now() -> list[object]:
    requests, judged = of(REQUESTS, ROUTE), of(REQUESTS, ROUTE, JUDGED)
    ejected = f"(max by (upstream) ({of('turnout_upstream_ejected')}) > 0)"
    return [
        number(
            "turnouts at work",
            "How many turnouts answer Prometheus; 0: none of these jobs does.",
            zero(f"count({of('turnout_build_info')})"),
            "none",
            steps=((1, "green"),),
            fine=RED,
        ),
        number(
            "Requests",
            "Requests that ended in the time shown, whatever their end.",
            zero(total(increase(requests))),
            "locale",
            fine="text",
            decimals=0,
        ),
        number(
            "Failed",
            "Share of requests that an upstream or turnout failed. Clients that left and requests"
            " that were turned away are in neither part. Yellow from 1 %, red from 5 %.",
            ratio(increase(of(REQUESTS, ROUTE, FAILED)), increase(judged)),
            "percentunit",
            steps=FAILING,
        ),
        number(
            "Latency, p95",
            "95 of 100 requests took at most so long. Red from 5 s, as the alert `slow` is.",
            quantile(0.95, increase(of(f"{LATENCY}_bucket", ROUTE, 'error_type=""'))),
            "s",
            steps=SLOW,
        ),
        number(
            "Upstreams out",
            "Upstreams that some worker leaves alone after failures in a row; see Upstreams.",
            zero(f"count({ejected})"),
            "none",
            steps=((1, RED),),
        ),
        number(
            "Alerts firing",
            "Alerts over windows that fire, also silenced ones; `turnout alerts` says which.",
            zero(total(of("turnout_alerts_firing", ROUTE))),
            "none",
            steps=((1, RED),),
        ),
    ]


def _clients() -> list[object]:
    ended = of(REQUESTS, ROUTE, 'outcome!="completed"')
    completed = of(f"{LATENCY}_bucket", ROUTE, 'error_type=""')
    first = of(f"{TTFT}_bucket", ROUTE)
    return [
        lines(
            "Requests",
            "Requests a second by route; `other` is what was no route's.",
            "reqps",
            Line(total(rate(of(REQUESTS, ROUTE)), "route"), "{{route}}"),
            beside=True,
        ),
        lines(
            "How requests end, unless well",
            "Requests a second that did not complete, by outcome. `client_gone` and `rejected` are"
            " no failures: the client left, or was turned away.",
            "reqps",
            Line(total(rate(ended), "outcome"), "{{outcome}}"),
            stacked=True,
            nothing="every request completed",
        ),
        lines(
            "Latency",
            "From a request's head to its reply's last byte, of those that completed.",
            "s",
            *(Line(quantile(q, rate(completed)), f"p{int(100 * q)}") for q in (0.5, 0.95, 0.99)),
        ),
        lines(
            "Time to first token",
            "From a request's head to the first output of a stream that completed.",
            "s",
            *(Line(quantile(q, rate(first)), f"p{int(100 * q)}") for q in (0.5, 0.95, 0.99)),
            nothing="no streams",
        ),
    ]


def _costs() -> list[object]:
    tokens = of("gen_ai_client_token_usage_sum", ROUTE, 'gen_ai_token_type=~"input|output"')
    dollars = of("turnout_cost_usd_total", ROUTE)
    alerts = of("turnout_alerts_total", ROUTE)
    return [
        lines(
            "Tokens",
            "Tokens a second, of prompts (input) and replies (output).",
            "short",
            Line(total(rate(tokens), "gen_ai_token_type"), "{{gen_ai_token_type}}"),
            span=6,
        ),
        lines(
            "Cost per hour",
            "What requests cost by route, at the present pace, as far as prices are known.",
            "currencyUSD",
            Line(f"3600 * {total(rate(dollars), 'route')}", "{{route}}"),
            span=6,
            nothing="no prices",
        ),
        gauges(
            "Budgets",
            "What is spent of each budget in its running day or month; at 100 % requests may be"
            " refused. Yellow from 80 %, red from 100 %.",
            "percentunit",
            Line(
                f"max by (scope, name) ({of('turnout_budget_used_ratio')})", "{{scope}} {{name}}"
            ),
            ((0.8, YELLOW), (1.0, RED)),
            span=6,
            nothing="no budgets",
        ),
        lines(
            "Alerts per minute",
            "Alerts that turnout raised, by name: each of a single request, and those over windows"
            " as they began to fire.",
            "short",
            Line(total(per_minute(alerts), "alert"), "{{alert}}"),
            span=6,
            nothing="no alerts",
            bars=True,
            stacked=True,
        ),
    ]


def _variants() -> object:
    requests, judged = of(REQUESTS, ROUTE, NAMED), of(REQUESTS, ROUTE, JUDGED)
    completed = increase(of(REQUESTS, ROUTE, COMPLETED))
    short = increase(of("turnout_quality_signals_total", ROUTE, 'signal="short"'))
    latency = increase(of(f"{LATENCY}_bucket", ROUTE, 'error_type=""'))
    failed = increase(of(REQUESTS, ROUTE, FAILED))
    columns = (
        Column(
            "Split", f"max by (route, variant) ({of('turnout_split_share', ROUTE)})", "percentunit"
        ),
        Column("Requests", total(increase(requests), *VARIANTS), "locale", decimals=0),
        Column("Failed", ratio(failed, increase(judged), *VARIANTS), "percentunit", FAILING),
        Column("Latency p95", quantile(0.95, latency, *VARIANTS), "s", SLOW),
        Column("Short", ratio(short, completed, *VARIANTS), "percentunit", SHORT),
        Column(
            "Cost", total(increase(of("turnout_cost_usd_total", ROUTE)), *VARIANTS), "currencyUSD"
        ),
    )
    where = "/d/turnout-variants?${__url_time_range}&var-datasource=${datasource}"
    return rows(
        "Variants",
        "Every variant in the time shown. A click on its name leads to it, side by side.",
        VARIANTS,
        columns,
        height=10,
        links={
            "route": f"{where}&var-route=${{__data.fields.Route}}",
            "variant": f"{where}&var-route=${{__data.fields.Route}}"
            "&var-variant=${__data.fields.Variant}",
        },
    )
