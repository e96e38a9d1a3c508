"""Traces: a client's is gone on with, or one is begun, and the upstream is told of our span."""

import random
import re

import pytest
from msgspec.structs import replace

from proxy.config.settings import Limits
from proxy.dataplane.writing.tracing import begin, below, lines
from proxy.exchange import Trace
from proxy.http.head import Head
from tests.support.data_plane import serving
from tests.support.scripted_upstream import ScriptedUpstream, SeenRequest
from tests.support.shadowed import CHAT, ask, pair, shadowed

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


def head(*fields: str) -> Head:
    found = Head()
    text = "".join(f"{field}\r\n" for field in ("Host: t", *fields))
    found.parse(f"POST /v1/chat/completions HTTP/1.1\r\n{text}\r\n".encode(), Limits())
    return found


def bits(count: int) -> int:
    return random.Random(3).getrandbits(count)


@pytest.mark.parametrize(
    ("value", "sampled"),
    [
        (PARENT, True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"cc-{TRACE}-{SPAN}-01", True),
        (f"cc-{TRACE}-{SPAN}-01-what-will-be", True),
    ],
)
def test_a_clients_trace_is_gone_on_with_and_so_is_what_it_said_of_sampling(
    value: str, *, sampled: bool
) -> None:
    found = begin(head(f"TraceParent: {value}"), 0.0, bits)
    assert (found.trace_id, found.parent_id, found.sampled) == (TRACE, SPAN, sampled)
    assert re.fullmatch("[0-9a-f]{16}", found.span_id)
    assert found.span_id != SPAN


@pytest.mark.parametrize(
    "value",
    [
        "",
        "00",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01-more",
        f"cc-{TRACE}-{SPAN}-01x",
        f"00-{TRACE}-{SPAN}-0g",
        f"00-{TRACE}{SPAN}-01",
    ],
)
def test_what_is_no_traceparent_begins_a_new_trace(value: str) -> None:
    found = begin(head(f"traceparent: {value}", "tracestate: a=1"), 1.0, bits)
    assert found.trace_id != TRACE
    assert (found.parent_id, found.sampled) == (None, True)
    assert b"tracestate" not in lines(found, head("tracestate: a=1"))


def test_two_of_them_are_none() -> None:
    assert begin(head(*[f"traceparent: {PARENT}"] * 2), 1.0, bits).parent_id is None


@pytest.mark.parametrize(
    ("share", "least", "most"), [(0.0, 0, 0), (0.25, 200, 300), (1.0, 1000, 1000)]
)
def test_of_new_traces_a_share_is_sampled(share: float, least: int, most: int) -> None:
    dice = random.Random(1)
    found = [begin(head(), share, dice.getrandbits) for _ in range(1000)]
    assert least <= sum(each.sampled for each in found) <= most
    assert len({each.trace_id for each in found}) == 1000


def test_zeros_are_never_an_id() -> None:
    found = begin(head(), 1.0, lambda _: 0)
    assert (int(found.trace_id, 16), int(found.span_id, 16)) == (1, 1)


def test_an_upstream_is_told_of_our_span_with_the_clients_state() -> None:
    trace = Trace(TRACE, "00f067aa0ba902b7", SPAN, sampled=False)
    assert lines(trace, head("tracestate: a=1", "TraceState: b=2")) == (
        f"traceparent: 00-{TRACE}-00f067aa0ba902b7-00\r\ntracestate: a=1,b=2\r\n".encode()
    )


def test_a_shadows_span_is_below_that_of_what_it_repeats() -> None:
    trace = Trace(TRACE, "00f067aa0ba902b7", SPAN)
    found = below(trace, bits)
    assert (found.trace_id, found.parent_id, found.sampled) == (TRACE, "00f067aa0ba902b7", True)


def values(seen: SeenRequest, name: str) -> list[str]:
    return [value for spelt, value in seen.headers if spelt.lower() == name]


@pytest.mark.parametrize("share", [None, 1.0])
async def test_the_span_that_is_on_record_is_what_the_upstream_hears_of(
    base: ScriptedUpstream, tuned: ScriptedUpstream, share: float | None
) -> None:
    plain = shadowed(base.port, tuned.port, percent=0)
    async with serving(replace(plain, trace_share=share)) as turnout:
        for _ in range(2):  # the second time the head is remembered
            await turnout.post(CHAT, ask(), {"traceparent": PARENT, "tracestate": "a=1"})
            seen, record = await base.request(), await turnout.observed()
            assert values(seen, "tracestate") == ["a=1"]
            (told,) = values(seen, "traceparent")
            if share is None:
                assert (told, record.trace) == (PARENT, None)
            else:
                assert record.trace is not None
                assert (record.trace.trace_id, record.trace.parent_id) == (TRACE, SPAN)
                assert told == f"00-{TRACE}-{record.trace.span_id}-01"


async def test_a_shadow_is_a_span_of_the_same_trace(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    settings = replace(shadowed(base.port, tuned.port), trace_share=1.0)
    async with serving(settings) as turnout:
        served, shadow = await pair(turnout, ask())
    assert served.trace is not None
    assert shadow.trace is not None
    assert shadow.trace.trace_id == served.trace.trace_id
    assert shadow.trace.parent_id == served.trace.span_id
    (told,) = values(await tuned.request(), "traceparent")
    assert told == f"00-{served.trace.trace_id}-{shadow.trace.span_id}-01"
