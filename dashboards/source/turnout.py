"""turnout itself: what it adds to a request, its processes, queues and store, and what it lost."""

from dashboards.source.board import Board
from dashboards.source.panels import RED, YELLOW, Line, lines, number
from dashboards.source.promql import increase, of, per_minute, quantile, rate, total, zero

GREEN = "green"
LOST = {  # what of it reached nobody, and why
    "observations: control was behind": ("turnout_observations_dropped_total",),
    "observations: their worker died": ("turnout_observations_lost_total",),
    "observations: not stored": ("turnout_store_dropped_total",),
    "bodies: not stored": ("turnout_store_bodies_total", 'result="dropped"'),
    "log lines": ("turnout_log_lines_dropped_total",),
    "spans": ("turnout_spans_total", 'result!="exported"'),
    "token counts": ("turnout_token_counts_skipped_total",),
    "connections, at the door": ("turnout_connections_shed_total",),
}
QUEUES = {
    "turnout_store_queue": "for the store",
    "turnout_observations_waiting": "for tokens, forms or bodies",
    "turnout_notifications_waiting": "for notifiers",
}


def turnout() -> Board:
    """Return the board of turnout's own state."""
    said = "turnout itself: overhead, workers, queues, drops, memory, store and notifications."
    board = Board("turnout-self", "turnout / Itself", said)
    board.add(*_now())
    board.row("Requests in turnout", *_requests())
    board.row("Processes", *_processes())
    board.row("Queues and losses", *_losses())
    board.row("Store, notifications, configuration", *_around())
    return board


def _now() -> list[object]:
    youngest = of("turnout_process_start_time_seconds", 'process="supervisor"')
    behind = of("turnout_hosts", 'state!="in_force"')
    return [
        number(
            "Release",
            "The version of turnout's code; several where hosts differ.",
            f"count by (version) ({of('turnout_build_info')})",
            "none",
            fine="text",
            legend="{{version}}",
            nothing="no turnout",
        ),
        number(
            "Up for",
            "Since the supervisor that started last did so.",
            f"time() - max({youngest})",
            "s",
            fine="text",
            nothing="not known here",
        ),
        number(
            "Workers",
            "Workers that are connected to control, of all hosts.",
            zero(f"count({of('turnout_connections')})"),
            "none",
            steps=((1, GREEN),),
            fine=RED,
        ),
        number(
            "Restarts",
            "Times that control or a worker was started again after it ended by itself.",
            zero(total(increase(of("turnout_worker_restarts_total")))),
            "none",
            steps=((0.5, YELLOW), (2.5, RED)),
            decimals=0,
        ),
        number(
            "Hosts behind or silent",
            "Hosts that are not on the newest version of the routing, as any of them sees it.",
            zero(f"max({total(behind, 'instance')})"),
            "none",
            steps=((1, RED),),
        ),
        number(
            "Off its file",
            "turnouts that do not run on what their file says; `turnout status` says why.",
            zero(total(of("turnout_config_degraded"))),
            "none",
            steps=((1, RED),),
        ),
    ]


def _requests() -> list[object]:
    overhead = rate(of("turnout_overhead_seconds_bucket"))
    return [
        lines(
            "Overhead",
            "Time that turnout itself added to requests: neither upstream's nor the client's.",
            "s",
            *(Line(quantile(q, overhead), f"p{int(100 * q)}") for q in (0.5, 0.95, 0.99)),
            span=8,
        ),
        lines(
            "In flight",
            "Exchanges that workers are busy with, by host and worker.",
            "none",
            Line(of("turnout_in_flight"), "{{instance}} {{worker}}"),
            span=8,
            stacked=True,
            nothing="no workers",
        ),
        lines(
            "Client connections",
            "Connections that workers hold open, by host and worker.",
            "none",
            Line(of("turnout_connections"), "{{instance}} {{worker}}"),
            span=8,
            stacked=True,
            nothing="no workers",
        ),
    ]


def _processes() -> list[object]:
    memory = of("turnout_process_resident_memory_bytes")
    cpu = of("turnout_process_cpu_seconds_total")
    restarts = of("turnout_worker_restarts_total")
    return [
        lines(
            "Memory",
            "What processes hold, by kind; workers are added up. It should be level.",
            "bytes",
            Line(total(memory, "process"), "{{process}}"),
            span=8,
            stacked=True,
            nothing="not known here",
        ),
        lines(
            "CPU",
            "Cores that processes use, by kind; a worker can use one.",
            "none",
            Line(total(rate(cpu), "process"), "{{process}}"),
            span=8,
            stacked=True,
            nothing="not known here",
        ),
        lines(
            "Restarts per minute",
            "Processes started again after they ended by themselves, by kind.",
            "none",
            Line(total(per_minute(restarts), "process"), "{{process}}"),
            span=8,
            bars=True,
            stacked=True,
            nothing="no turnout",
        ),
    ]


def _losses() -> list[object]:
    return [
        lines(
            "Queues",
            "What waits in control; it never holds up a request, and what is too much is dropped.",
            "none",
            *(Line(total(of(name)), said) for name, said in QUEUES.items()),
            nothing="no turnout",
        ),
        lines(
            "Lost",
            "What turnout gave up a second so that requests need not wait, each counted.",
            "cps",
            *(Line(total(rate(of(*lost))), said) for said, lost in LOST.items()),
            nothing="no turnout",
        ),
    ]


def _around() -> list[object]:
    told = of("turnout_notifications_total")
    return [
        lines(
            "Stored",
            "Observations written a second, and whether the store takes them (1) or not (0).",
            "none",
            Line(total(rate(of("turnout_store_written_total"))), "written a second"),
            Line(f"min({of('turnout_store_up')})", "up"),
            span=8,
            nothing="nothing is stored",
        ),
        lines(
            "Notifications per minute",
            "Alerts told, by notifier and result; superseded ones gave way to newer word.",
            "none",
            Line(total(per_minute(told), "notifier", "result"), "{{notifier}} {{result}}"),
            span=8,
            bars=True,
            stacked=True,
            nothing="nobody was told anything",
        ),
        lines(
            "Readings of the configuration, per minute",
            "By result: published, unchanged, outdated (ignored), rejected (look at the log).",
            "none",
            Line(total(per_minute(of("turnout_config_reloads_total")), "result"), "{{result}}"),
            span=8,
            bars=True,
            stacked=True,
            nothing="never read again",
        ),
    ]
