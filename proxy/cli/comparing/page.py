"""The comparison as one HTML file: nothing is loaded from anywhere, and no script runs.

It follows the reader's light or dark, and says in words whatever a colour or a plot shows.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape

from proxy.cli.comparing.plots import latencies, range_of
from proxy.cli.comparing.wording import (
    LEGEND,
    counted,
    difference,
    events,
    finding,
    interval,
    label,
    shown,
    value,
)
from proxy.cli.drawing.console import clean
from proxy.controlplane.admin.comparing.models import Against, Comparison, Row, Side, Value

STYLE = """
:root{color-scheme:light dark;--bad:#b3261e;--good:#146c2e;--other:#0b57d0;--soft:#5f6368}
@media(prefers-color-scheme:dark){:root{--bad:#ff8a80;--good:#81c995;--other:#8ab4f8;--soft:#9aa0a6}}
body{font:16px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem}
.wide{overflow-x:auto}
table{border-collapse:collapse}
caption{text-align:left;font-weight:600;padding:.5rem 0}
td,th{text-align:left;font-weight:400;border-top:1px solid #8884;padding:.3rem 1rem .3rem 0}
thead th{font-weight:600}
.wide td{white-space:nowrap}.wide td.words{white-space:normal;min-width:10rem}
.number{text-align:right;font-variant-numeric:tabular-nums}
.worse{color:var(--bad);font-weight:600}.better{color:var(--good)}.different{color:var(--other)}
.too_little,.soft{color:var(--soft)}
.note{border-left:4px solid #e8a400;padding-left:.7rem}
svg text{font-size:11px;fill:var(--soft)}
svg .zero,svg .grid{stroke:#8886}
svg .range{stroke:currentColor;stroke-width:2}svg .value{fill:currentColor}
svg .line{fill:none;stroke-width:2}
.latencies{max-width:640px;width:100%}
.v0{stroke:var(--soft);color:var(--soft)}.v1{stroke:var(--other);color:var(--other)}
.v2{stroke:var(--good);color:var(--good)}.v3{stroke:var(--bad);color:var(--bad)}
.v2,.v3,.v4{stroke-dasharray:6 3}
"""


def page(found: Comparison) -> str:
    """Return the page of a comparison."""
    title = f"{text(found.route)}: variants side by side"
    notes = "".join(f'<p class="note">{text(note)}</p>' for note in found.notes)
    sides = [found.baseline, *(each.side for each in found.candidates)]
    body = "".join(_table(found.baseline, each) for each in found.candidates)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>"
        f"<p>Requests from {_moment(found.since)} to {_moment(found.until)}.</p>{notes}"
        f'{_counts(sides)}{body}{_latencies(sides)}<p class="soft">{LEGEND}</p></body></html>\n'
    )


def text(words: str) -> str:
    """Return words that may come from anybody, as HTML."""
    return escape(clean(words))


def _moment(then: datetime) -> str:
    return f"{then.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _table(baseline: Side, against: Against) -> str:
    names = [text(side.variant) for side in (baseline, against.side)]
    heads = "".join(
        f'<th scope="col" class="number">{head}</th>' for head in (*names, "difference")
    )
    return (
        f'<div class="wide"><table><caption>{names[1]} beside {names[0]}</caption>'
        f'<thead><tr><th scope="col"></th>{heads}'
        '<th scope="col">95 % interval</th><th scope="col">less | more</th>'
        '<th scope="col">what it comes to</th></tr></thead><tbody>'
        f"{''.join(_rows(against.rows))}</tbody></table></div>"
    )


def _rows(rows: Sequence[Row]) -> Iterator[str]:
    for row in shown(rows):
        kind = escape(row.finding)
        said = clean(f"{label(row)}: {difference(row)}, {interval(row)}, {finding(row)}")
        yield (
            f'<tr><th scope="row">{text(label(row))}</th>'
            f'<td class="number">{_value(row, row.baseline)}</td>'
            f'<td class="number">{_value(row, row.candidate)}</td>'
            f'<td class="number {kind}">{difference(row)}</td>'
            f'<td class="{kind}">{interval(row)}</td><td class="{kind}">{range_of(row, said)}</td>'
            f'<td class="words {kind}">{text(finding(row))}</td></tr>'
        )


def _value(row: Row, side: Value) -> str:
    return f'{value(row, side)}<br><small class="soft">{events(side)}</small>'


def _counts(sides: Sequence[Side]) -> str:
    said = [dict(counted(side)) for side in sides]
    names = dict.fromkeys(name for each in said for name in each)
    heads = "".join(f'<th scope="col" class="number">{text(side.variant)}</th>' for side in sides)
    rows = "".join(
        f'<tr><th scope="row">{text(name)}</th>'
        + "".join(f'<td class="number">{each.get(name, "0")}</td>' for each in said)
        + "</tr>"
        for name in names
    )
    return (
        '<div class="wide"><table><caption>Requests</caption><thead><tr><th scope="col"></th>'
        f"{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _latencies(sides: Sequence[Side]) -> str:
    drawn = latencies(sides)
    if not drawn:
        return ""
    names = " ".join(
        f'<span class="v{place}">&#9644; {text(side.variant)}</span>'
        for place, side in enumerate(sides)
    )
    return f"<h2>Latency: share of completed requests within each time</h2><p>{names}</p>{drawn}"
