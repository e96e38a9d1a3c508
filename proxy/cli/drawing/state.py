"""The state of a turnout, drawn: what is wrong first, then routes, workers, the rest."""

from collections.abc import Iterator
from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from proxy.cli.drawing.bars import split
from proxy.cli.drawing.console import Row, by, clean, table
from proxy.cli.drawing.moments import ago
from proxy.cli.money.drawn import budgets
from proxy.cli.watching.drawn import firing, raised
from proxy.controlplane.admin import models


def state(status: models.Status, now: datetime) -> Iterator[RenderableType]:
    """Draw a state as it was at `now`."""
    yield from headline(status, now)
    yield from troubles(status)
    for route in status.routes:
        yield Text()
        yield from split(route)
    if not status.routes:
        yield Text("\nno routes: everything goes to the default upstream", "dim")
    yield from hosts(status)
    yield from workers(status)
    yield from upstreams(status)
    yield from budgets(status.budgets)
    yield from firing(status.firing, now)
    yield from raised(status.alerts, status.alert_seconds, now)
    yield Text()
    yield reading(status.reading, now)


def headline(status: models.Status, now: datetime) -> Iterator[Text]:
    """Draw which version is in force, since when and why."""
    table, of = status.table, len(status.workers)
    style = "green" if table.workers == of else "bold yellow"
    yield Text.assemble(
        ("turnout", "bold"),
        f" {clean(status.version)}  version ",
        (str(table.version), "bold"),
        " in force on ",
        (f"{table.workers}/{of} workers", style),
    )
    why = f": {clean(table.why)}" if table.why else ""
    yield Text(f"{ago(table.at, now)}, {by(table.source, table.who)}{why}", "dim")


def troubles(status: models.Status) -> Iterator[Text]:
    """Draw why turnout does not run on what its file says, and what is wrong with that."""
    for reason in status.degraded:
        yield Text.assemble(("DEGRADED ", "bold red"), clean(reason))
    for problem in status.reading.problems if status.reading else ():
        yield Text(f"  {clean(problem)}", "red")


def hosts(status: models.Status) -> Iterator[RenderableType]:
    """Draw the hosts that share the store, where there is more than this one."""
    rows: list[Row] = []
    for each in status.hosts:
        name = clean(each.name) + (" (here)" if each.here else "")
        style = {"in_force": "green", "behind": "bold yellow", "silent": "bold red"}[each.state]
        version = Text(str(each.version), "" if each.state == "in_force" else style)
        how = Text(each.state.replace("_", " "), style)
        if each.trouble:
            how.append(f": {clean(each.trouble)}", "default")
        spread = f"{each.in_force}/{each.workers}"
        rows.append((name, version, spread, clean(each.release), how))
    if len(rows) > 1 or any(each.trouble for each in status.hosts):
        yield from table(("host", "version", "workers", "code", "newest version"), rows)


def workers(status: models.Status) -> Iterator[RenderableType]:
    """Draw the workers, with what each is busy with."""
    rows: list[Row] = []
    for each in status.workers:
        behind = each.table_version != status.table.version
        version = Text(f"{each.table_version or 'none'}", "bold yellow" if behind else "")
        counts = str(each.in_flight), str(each.connections)
        rows.append((str(each.number), str(each.pid), version, *counts, clean(each.version)))
    yield from table(("worker", "pid", "version", "in flight", "open", "code"), rows)
    restarts = [f"{kind} {count}" for kind, count in status.restarts.items() if count]
    if restarts:
        yield Text(f"started again: {', '.join(restarts)}", "yellow")


def upstreams(status: models.Status) -> Iterator[RenderableType]:
    """Draw the upstreams, with how well each is."""
    rows: list[Row] = []
    for each in status.upstreams:
        out = f"ejected by {each.ejected_by}/{len(status.workers)} workers"
        health = Text(out, "bold red") if each.ejected_by else Text("well", "green")
        busy = str(each.open - each.idle), str(each.waiting)
        rows.append((clean(each.name), health, *busy, str(each.requests), str(each.retries)))
    yield from table(("upstream", "health", "busy", "waits", "sent", "retries"), rows)


def reading(last: models.LastReading | None, now: datetime) -> Text:
    """Draw the last reading of the configuration file."""
    if last is None:
        return Text("file: not read since the start", "dim")
    text = Text(f"file: read {ago(last.at, now)}: ")
    text.append(last.result, "bold red" if last.result in ("rejected", "outdated") else "green")
    if last.restart_needed:
        names = ", ".join(last.restart_needed)
        text.append(f"; it takes a restart: {clean(names)}", "yellow")
    return text
