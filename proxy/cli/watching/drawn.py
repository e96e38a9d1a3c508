"""Alerts and silences, drawn."""

from collections.abc import Iterator
from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from proxy.cli.drawing.console import Row, clean, table
from proxy.cli.drawing.moments import ago, local
from proxy.controlplane.admin.models import AlertCount, AlertState
from proxy.controlplane.admin.watching import models

STYLES = {"firing": "bold red", "pending": "yellow", "resolved": "green"}
HEADS = ("", "alert", "of", "value", "threshold", "since", "silenced until")


def alerts(found: models.Alerts, now: datetime) -> Iterator[RenderableType]:
    """Draw the alerts there are: a table, then of what fires what to do, and single exchanges'."""
    if not found.alerts:
        yield Text("Nothing fires or is pending.", "green")
    yield from firing(found.alerts, now)
    for each in found.alerts:
        if each.state == "firing":
            yield Text()
            yield Text(clean(each.sentence.removeprefix("turnout: ")), "bold")
            yield Text(f"  runbook: {clean(each.runbook)}")
            if each.request_ids:
                yield Text(f"  requests: {clean(' '.join(each.request_ids))}")
    yield from raised(found.exchanges, found.alert_seconds, now)


def firing(found: list[AlertState], now: datetime) -> Iterator[RenderableType]:
    """Draw alerts, a line each; nothing where there are none."""
    rows: list[Row] = []
    for each in found:
        style = "dim" if each.silence is not None else STYLES[each.state]
        began = each.ended_at or each.fired_at or each.began_at
        until = "" if each.silenced_until is None else local(each.silenced_until)
        rows.append(
            (
                Text(each.state, style),
                Text(each.alert, style),
                clean(of(each.route, each.variant, each.about)),
                "-" if each.value is None else f"{figure(each.value)} {each.unit}",
                figure(each.threshold),
                ago(began, now),
                until,
            )
        )
    yield from table(HEADS, rows)


def raised(found: list[AlertCount], seconds: float, now: datetime) -> Iterator[RenderableType]:
    """Draw the alerts that single requests raised lately."""
    rows: list[Row] = []
    for each in found:
        where = clean(of(each.route, each.variant))
        rows.append((Text(each.alert, "bold red"), where, str(each.count), ago(each.last, now)))
    minutes = f"alerts of the last {seconds / 60:g} minutes"
    if not rows:
        yield Text(f"\n{minutes}: none")
        return
    yield from table((minutes, "of", "times", "last"), rows)


def of(route: str | None, variant: str | None, about: str | None = None) -> str:
    """Return what an alert is of."""
    where = "/".join(filter(None, (route, variant))) or "passed through"
    return where if about is None else f"{where}: {about}"


def figure(value: float) -> str:
    """Return a number with three digits that count, or all of a larger one."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def silences(found: models.Silences) -> Iterator[RenderableType]:
    """Draw the silences that last."""
    if not found.silences:
        yield Text("No silence lasts.", "dim")
        return
    rows: list[Row] = [
        (
            str(each.number),
            clean(what(each)),
            local(each.ends_at),
            clean(each.who),
            clean(each.why),
        )
        for each in found.silences
    ]
    yield from list(table(("", "of", "until", "who", "why"), rows))[1:]


def silenced(found: models.SilenceState) -> Iterator[RenderableType]:
    """Draw a silence that was made."""
    yield Text(f"silence {found.number}: nobody is told of {clean(what(found))}")
    yield Text(f"until {local(found.ends_at)}; before that: turnout silence end {found.number}")


def ended(found: models.SilenceState) -> Iterator[RenderableType]:
    """Draw a silence that was ended."""
    yield Text(f"silence {found.number} of {clean(what(found))} is over")


def what(found: models.SilenceState) -> str:
    """Return what a silence is of."""
    where = "/".join(each or "*" for each in (found.route, found.variant))
    if (found.alert, found.route, found.variant) == (None, None, None):
        return "all alerts"
    return f"{found.alert or 'all alerts'} on {where}" if where != "*/*" else str(found.alert)
