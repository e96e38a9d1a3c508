"""How the figures look to people: a live view, plain lines, and the closing summary.

It knows figures and rich; it measures nothing itself.
"""

import json
import sys
from collections.abc import Mapping

from msgspec import Struct
from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from proxy.demo.figures import Figures, VariantFigures, percentile

HEADINGS = ("requests", "asked", "real", "p50", "p95", "TTFT", "tokens in", "out")


class Stage(Struct, frozen=True, kw_only=True):
    """What is being shown: where turnout listens, its route and the split asked for."""

    url: str
    admin_url: str
    config: str
    route: str
    split: Mapping[str, int]


def things_to_try(stage: Stage) -> list[tuple[str, str]]:
    """Return three things to try in another terminal: what it is, and the command."""
    body = {
        "model": stage.route,
        "stream": True,
        "user": "you",
        "messages": [{"role": "user", "content": "Where is my parcel?"}],
    }
    script = (
        "from openai import OpenAI; "
        f"client = OpenAI(base_url='{stage.url}/v1', api_key='none'); "
        f"print(client.chat.completions.create(model='{stage.route}', user='you', "
        "messages=[{'role': 'user', 'content': 'Hello'}]).choices[0].message.content)"
    )
    forced = list(stage.split)[-1]
    ask = f"curl -s {stage.url}/v1/chat/completions -H 'x-turnout-variant: {forced}'"
    plain = _json(body | {"stream": False})
    look = f"curl -s {stage.admin_url}/metrics | grep ^turnout_requests_total"
    return [
        (
            "ask as an app would; x-turnout-variant says who answered",
            f"curl -siN {stage.url}/v1/chat/completions -d '{_json(body)}'",
        ),
        (
            "the same with the openai client (where it is missing: pip install openai)",
            f'{sys.executable} -c "{script}"',
        ),
        (
            f"send yourself to {forced}, then see who was counted where",
            f"{ask} -d '{plain}'; {look}",
        ),
    ]


def _json(body: Mapping[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"))


def opening(stage: Stage) -> list[str]:
    """Return what is printed before anything happens."""
    lines = [
        f"turnout listens on {stage.url}/v1, its metrics are on {stage.admin_url}/metrics",
        f"its configuration is {stage.config}",
        "both models are simulated; some replies are slow, short or errors, for you to see them",
        "",
        "Three things to try in another terminal:",
    ]
    for number, (what, command) in enumerate(things_to_try(stage), 1):
        lines += [f"  {number}. {what}", f"     {command}"]
    return [*lines, ""]


def live(figures: Figures, stage: Stage) -> RenderableType:
    """Return the live view."""
    return Group(
        _table(figures, stage),
        Panel(_alerts(figures), title="alerts, as turnout raises them", title_align="left"),
        Text("Ctrl-C ends it and leaves nothing behind.", style="dim"),
    )


def _table(figures: Figures, stage: Stage) -> Table:
    # Narrow enough for a terminal of 80 columns: nothing may be cut there.
    table = Table(
        title=f"route {stage.route}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("variant", no_wrap=True)
    for heading in HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("errors", justify="right", no_wrap=True, style="red")
    total = sum(variant.requests for variant in figures.variants.values())
    for name, variant in figures.variants.items():
        table.add_row(
            name,
            str(variant.requests),
            f"{stage.split[name]} %",
            _share(variant.requests, total),
            _duration(percentile(variant.latencies, 0.5)),
            _duration(percentile(variant.latencies, 0.95)),
            _duration(percentile(variant.ttfts, 0.5)),
            str(variant.tokens["input"]),
            str(variant.tokens["output"]),
            str(variant.errors),
        )
    return table


def _alerts(figures: Figures) -> Text:
    counts = ", ".join(f"{name} {count}" for name, count in sorted(figures.alerts.items()))
    text = Text(counts or "none so far", no_wrap=True, overflow="ellipsis")
    for alert in figures.latest_alerts:
        text.append(f"\n{alert_line(alert)}", style="yellow")
    return text


def alert_line(alert: Mapping[str, object]) -> str:
    """Return one alert of the log in a line for people."""
    when = str(alert.get("timestamp"))[11:19]
    unit = "ms" if alert.get("alert") == "slow" else "characters"
    return (
        f"{when} {alert.get('alert')}: {alert.get('value'):.0f} {unit} "
        f"(threshold {alert.get('threshold'):.0f}), variant {alert.get('variant_served')}, "
        f"asked {alert.get('prompt_preview')!r}"
    )


def progress(figures: Figures) -> str:
    """Return the figures in one line, for output that is not a terminal."""
    parts = [_one(name, variant) for name, variant in figures.variants.items()]
    alerts = ", ".join(f"{name} {count}" for name, count in sorted(figures.alerts.items()))
    return f"{'; '.join(parts)}; alerts: {alerts or 'none'}"


def _one(name: str, variant: VariantFigures) -> str:
    p50, p95 = (_duration(percentile(variant.latencies, share)) for share in (0.5, 0.95))
    ttft = _duration(percentile(variant.ttfts, 0.5))
    return f"{name} {variant.requests} requests, p50 {p50}, p95 {p95}, TTFT {ttft}"


def summary(figures: Figures, stage: Stage) -> list[str]:
    """Return what turnout said it saw, at the end."""
    total = sum(variant.requests for variant in figures.variants.values())
    lines = [f"turnout counted {figures.counted.total()} requests on route {stage.route}:"]
    for name, variant in figures.variants.items():
        asked, real = stage.split[name], _share(variant.requests, total)
        tokens = f"{variant.tokens['input']} tokens in, {variant.tokens['output']} out"
        outcomes = ", ".join(f"{name} {count}" for name, count in sorted(variant.outcomes.items()))
        lines.append(f"  {_one(name, variant)}, {tokens}")
        lines.append(f"    split: asked {asked} %, real {real}; outcomes: {outcomes or 'none'}")
    alerts = ", ".join(f"{name} {count}" for name, count in sorted(figures.alerts.items()))
    errors = sum(variant.errors for variant in figures.variants.values())
    return [*lines, f"  alerts: {alerts or 'none'}", f"  errors: {errors}"]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def _duration(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "-"
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1000 else f"{milliseconds:.0f} ms"
