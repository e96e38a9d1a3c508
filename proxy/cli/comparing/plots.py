"""Plots: an interval beside 0, and how latencies are spread; as SVG inside a page.

Colours are the page's: each part has a class. What a plot shows is said in words as well.
"""

from collections.abc import Sequence
from html import escape
from math import log10

from proxy.controlplane.admin.comparing.models import Row, Side

WIDTH, HEIGHT = 220, 22  # of an interval, in pixels
WIDE, HIGH = 640, 220  # of the latencies
MARGIN = 40


def range_of(row: Row, said: str) -> str:
    """Return a row's interval on a scale of its own, 0 in the middle; empty: there is none."""
    if row.low is None or row.high is None or row.difference is None:
        return ""
    reach = max(abs(row.low), abs(row.high)) or 1.0

    def place(value: float) -> str:
        return f"{WIDTH / 2 + value / reach * (WIDTH / 2 - 6):.1f}"

    middle = HEIGHT / 2
    return (
        f'<svg class="interval {escape(row.finding)}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{escape(said)}">'
        f'<line class="zero" x1="{WIDTH / 2}" x2="{WIDTH / 2}" y1="0" y2="{HEIGHT}"/>'
        f'<line class="range" x1="{place(row.low)}" x2="{place(row.high)}" '
        f'y1="{middle}" y2="{middle}"/>'
        f'<circle class="value" cx="{place(row.difference)}" cy="{middle}" r="4"/></svg>'
    )


def latencies(sides: Sequence[Side]) -> str:
    """Return the share of requests that stay within each time, on a logarithmic scale."""
    times = [time for side in sides for time in side.latency_ms if time > 0]
    if not times:
        return ""
    low, high = log10(min(times)), log10(max(times))
    ticks = [10.0**power for power in range(int(low) - 1, int(high) + 2)]
    span = (high - low) or 1.0

    def across(time: float) -> float:
        return MARGIN + (log10(max(time, 10**low)) - low) / span * (WIDE - 2 * MARGIN)

    def up(share: float) -> float:
        return HIGH - 30 - share * (HIGH - 50)

    parts = [
        f'<line class="grid" x1="{across(tick):.1f}" x2="{across(tick):.1f}" y1="{up(1):.1f}" '
        f'y2="{up(0):.1f}"/><text x="{across(tick):.1f}" y="{HIGH - 12}" '
        f'text-anchor="middle">{tick:g} ms</text>'
        for tick in ticks
        if low <= log10(tick) <= high
    ]
    parts += [
        f'<line class="grid" x1="{MARGIN}" x2="{WIDE - MARGIN}" y1="{up(share):.1f}" '
        f'y2="{up(share):.1f}"/><text x="{MARGIN - 4}" y="{up(share) + 4:.1f}" '
        f'text-anchor="end">{share:.0%}</text>'
        for share in (0.0, 0.5, 0.95)
    ]
    for place, side in enumerate(sides):
        points = " ".join(
            f"{across(time):.1f},{up(number / 100):.1f}"
            for number, time in enumerate(side.latency_ms, 1)
        )
        parts.append(f'<polyline class="line v{place}" points="{points}"/>')
    said = "Share of completed requests within each latency, by variant"
    return (
        f'<svg class="latencies" viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{said}">'
        f"{''.join(parts)}</svg>"
    )
