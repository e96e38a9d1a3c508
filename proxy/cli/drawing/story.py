"""One exchange, drawn whole: the decision, the way to the reply, where the time went, its shadows.

A time's bar starts where it began and ends where it ended, on one scale for all of them.
"""

import json
from collections.abc import Iterator
from contextlib import suppress

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from proxy.cli.drawing.console import by, clean
from proxy.cli.drawing.exchanges import outcome, tokens, took, variant
from proxy.cli.drawing.moments import local
from proxy.cli.money.drawn import dollars
from proxy.controlplane.admin import models

WIDTH = 40  # columns of the whole time
FULL = "█"


def story(found: models.Story) -> Iterator[RenderableType]:
    """Draw a story."""
    seen = found.exchange
    yield Text.assemble((clean(seen.request_id), "bold"), "  ", outcome(seen))
    yield Text(f"{local(seen.started_at)}  {clean(seen.method)} {clean(seen.endpoint)}", "dim")
    for head, facts in (
        ("decision", decision(found)),
        ("upstream", upstream(seen)),
        ("reply", reply(seen)),
        ("alerts", seen.alerts),
        ("shadows", [beside(each) for each in found.shadows]),
        ("repeats", [beside(found.repeats)] if found.repeats else []),
    ):
        yield from part(head, [clean(fact) for fact in facts])
    yield Text("\ntimes", "bold")
    yield times(seen)
    yield from part("bodies", list(kept(found.bodies)))
    for head, words in (("prompt", seen.prompt_preview), ("reply", seen.response_preview)):
        if words is not None:
            yield Text(f"\n{head}: {clean(words)}", "dim")


def part(head: str, facts: list[str]) -> Iterator[Text]:
    """Draw facts below their head; nothing where there are none."""
    if facts:
        yield Text(f"\n{head}", "bold")
        yield from (Text(f"  {fact}") for fact in facts)


def decision(found: models.Story) -> Iterator[str]:
    """Yield who serves it, and why."""
    seen, version = found.exchange, found.decided_by
    if seen.route is None:
        yield f"no route for '{seen.model_asked}': passed through" if seen.model_asked else "none"
    else:
        yield f"route '{seen.route}', variant {variant(seen)}: {because(seen)}"
    if version is None:
        yield f"version {seen.table_version}"
    else:
        why = f": {version.why}" if version.why else ""
        made = f"{local(version.at)}, {by(version.source, version.who)}{why}"
        yield f"version {version.number} of {made}"
    if seen.key_name is not None:
        yield f"client key '{seen.key_name}'"


def because(seen: models.ExchangeRecord) -> str:
    """Return why the variant was assigned."""
    if seen.shadow_of is not None:
        return "as a shadow, unseen by any client"
    if seen.forced:
        return "its client asked for it by name"
    if seen.pinned:
        return f"its {seen.unit_kind} is pinned to it"
    if seen.unit_missing:
        return "by chance, for the request names no unit"
    if seen.unit_kind in (None, "request"):
        return "by the split, each request by itself"
    return f"by the split, its {seen.unit_kind} in bucket {seen.bucket}"


def upstream(seen: models.ExchangeRecord) -> Iterator[str]:
    """Yield who was asked, and how often; nothing where nobody was."""
    if seen.upstream is None:
        return
    tries = "once" if seen.attempts == 1 else f"{seen.attempts} times"
    yield f"'{seen.upstream}' asked last; sent {tries}"
    if seen.variant_served not in (None, seen.variant_assigned):
        yield f"'{seen.variant_assigned}' failed, '{seen.variant_served}' stood in"
    if seen.model_asked is not None:
        yield f"model asked for '{seen.model_asked}', served by '{seen.model_served or 'unknown'}'"


def reply(seen: models.ExchangeRecord) -> Iterator[str]:
    """Yield what came back."""
    kind = "stream" if seen.stream else "whole"
    words = "" if seen.reply_chars is None else f", {seen.reply_chars} characters"
    yield f"{kind}, {seen.reply_bytes} bytes{words}"
    if seen.tokens_source != "none":
        yield f"{tokens(seen, ' + ')} tokens, counted by {seen.tokens_source}"
    if seen.cost_usd is not None:
        yield f"cost {dollars(seen.cost_usd)} USD"
    if seen.finish_reason is not None:
        yield f"finished: {seen.finish_reason}"
    if seen.signals:
        yield f"signals: {', '.join(seen.signals)}"
    if seen.format_check is not None:
        yield f"the form that was asked for: {seen.format_check}"
    said = {
        "the model or a filter declined": seen.refused,
        f"{seen.tool_calls} tool calls": seen.tool_calls,
        "an error inside the reply": seen.in_band_error,
        f"{seen.malformed_events} events that are no JSON": seen.malformed_events,
    }
    yield from (name for name, so in said.items() if so)


def kept(bodies: models.BodySizes | None) -> Iterator[str]:
    """Yield what is kept of the bodies."""
    if bodies is not None:
        request, reply = f"{bodies.request_bytes} bytes", f"{bodies.reply_bytes} bytes"
        request += "" if bodies.request_whole else ", cut"
        reply += "" if bodies.reply_whole else ", cut"
        yield f"a request of {request}, a reply of {reply}; admins read them with --bodies"


def beside(each: models.ExchangeRecord) -> str:
    """Return one exchange in a line."""
    return f"{each.request_id}  {variant(each)}  {outcome(each).plain}  {took(each.latency_ms)}"


def times(seen: models.ExchangeRecord) -> Table:
    """Draw where the time went."""
    grid = Table.grid(padding=(0, 2))
    for name, begin, end in phases(seen):
        grid.add_row(f"  {name}", Text(took(end - begin), justify="right"), bar(seen, begin, end))
    tpot = [f"  {took(seen.tpot_ms)} for each token"] if seen.tpot_ms is not None else []
    for line in tpot:
        grid.add_row(line)
    return grid


def phases(seen: models.ExchangeRecord) -> Iterator[tuple[str, float, float]]:
    """Yield the phases that are known: each with when it began and ended, in milliseconds."""
    whole = seen.latency_ms
    if seen.ttft_ms is not None and seen.output_ms is not None:
        last = min(whole, seen.ttft_ms + seen.output_ms)
        yield "to the first output", 0.0, seen.ttft_ms
        yield "output", seen.ttft_ms, last
        yield "to the end", last, whole
    yield "turnout's own", 0.0, seen.overhead_ms
    yield "the whole", 0.0, whole


def bar(seen: models.ExchangeRecord, begin: float, end: float) -> Text:
    """Draw a phase on the scale of the whole; however short, it has a mark."""
    whole = seen.latency_ms or 1.0
    first = min(WIDTH - 1, round(begin / whole * WIDTH))
    long = max(1, round(end / whole * WIDTH) - first) if end > begin else 0
    return Text(" " * first + FULL * long, "cyan")


def both(found: models.Bodies) -> Iterator[RenderableType]:
    """Draw the request, then the reply."""
    for head, body in (("request", found.request), ("reply", found.reply)):
        cut = "" if body.whole else ", cut"
        yield Text.assemble((f"\n{head}", "bold"), (f"  {body.bytes} bytes{cut}", "dim"))
        yield Text("\n".join(map(clean, legible(body.text).splitlines())))


def forgotten(found: models.Forgotten) -> Iterator[RenderableType]:
    """Say what is gone."""
    yield Text(f"What was said in {clean(found.request_id)} is forgotten; its facts stay.")


def legible(text: str) -> str:
    """Return JSON laid out in lines; any other text as it is."""
    with suppress(ValueError, RecursionError):
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return text
