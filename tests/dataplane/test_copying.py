"""Bodies that a route keeps go along with the observation; those of other routes never do."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxy.config.settings import BodySettings, DataPlane
from proxy.dataplane.copying import Copies
from proxy.dataplane.copying.copies import EVENTS, MARGIN
from proxy.exchange import Bodies, Outcome
from proxy.routing import Route
from proxy.routing.table import Shadow
from tests.support.data_plane import serving, settings_of, upstream, variant
from tests.support.scripted_upstream import (
    FIN,
    ScriptedUpstream,
    chat_events,
    plain_reply,
    scripted_upstream,
    stream_reply,
)

CHAT = "/v1/chat/completions"
ALL = BodySettings()


@pytest.fixture
async def model() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        yield server


def settings(model: ScriptedUpstream, kept: BodySettings = ALL, **more: Any) -> DataPlane:
    variants = variant("base", "one", temperature=b"0"), variant("ft", "one")
    route = Route(name="support", variants=variants, weights=(1.0, 0.0), **more)
    other = Route(name="sales", variants=variants[:1], weights=(1.0,))
    one = upstream("one", model.port)
    return settings_of(route, other, upstreams=[one], bodies={"support": kept})


def ask(*, stream: bool = False, model: str = "support") -> dict[str, object]:
    messages = [{"role": "user", "content": "Grüß"}]
    return {"model": model, "stream": stream, "messages": messages}


def sent(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


async def test_what_the_client_sent_and_got_goes_along_and_other_routes_keep_nothing(
    model: ScriptedUpstream,
) -> None:
    model.by_default = plain_reply(b'{"choices": []}')
    async with serving(settings(model)) as turnout:
        reply = await turnout.post(CHAT, ask())
        bodies = (await turnout.observed()).bodies
        await turnout.post(CHAT, ask(model="sales"))
        assert (await turnout.observed()).bodies is None
    assert b"temperature" in (await model.request()).body
    assert bodies == Bodies(sent(ask()), reply.content, len(sent(ask())), len(reply.content))


async def test_a_streams_events_go_along_as_they_came_also_where_it_breaks(
    model: ScriptedUpstream,
) -> None:
    events = b"".join(chat_events("Hel", "lo"))
    model.will(stream_reply(*chat_events("Hel", "lo")), [FIN], [FIN])
    async with serving(settings(model)) as turnout:
        await turnout.post(CHAT, ask(stream=True))
        bodies = (await turnout.observed()).bodies
        await turnout.post(CHAT, ask())
        failed = await turnout.observed()
        held = turnout.service._copies.held
    assert bodies is not None
    assert (bodies.reply, bodies.events) == (events, True)
    assert (failed.outcome, held) == (Outcome.UPSTREAM_CUT, 0)
    assert failed.bodies is not None
    assert (failed.bodies.reply, failed.bodies.reply_bytes) == (b"", 0)


async def test_a_shadows_bodies_go_along_with_those_of_the_request_that_it_repeats(
    model: ScriptedUpstream,
) -> None:
    model.by_default = plain_reply(b'{"choices": []}')
    half = BodySettings(sample=0.5)
    shadow = Shadow(variant="ft", percent=100.0)
    async with serving(settings(model, half, shadow=shadow)) as turnout:
        kept = []
        for _ in range(20):
            await turnout.post(CHAT, ask())
            pair = [await turnout.observed(), await turnout.observed()]
            assert pair[0].bodies == pair[1].bodies
            kept.append(pair[0].bodies is not None)
    assert set(kept) == {True, False}, "one run in 500,000 is all of one kind"


def test_the_sample_is_chosen_by_the_requests_id_alone() -> None:
    tenth = BodySettings(sample=0.1)
    ids = [f"req_{number:032x}" for number in range(2000)]
    kept = [name for name in ids if Copies().begin(tenth, name, b"") is not None]
    assert kept == [name for name in ids if Copies().begin(tenth, name, b"x") is not None]
    assert 150 < len(kept) < 250
    assert all(Copies().begin(ALL, name, b"") for name in ids)


def test_what_is_beyond_the_cap_is_counted_only() -> None:
    copy = Copies().begin(BodySettings(max_bytes=1024), "r", b"q" * 10_000)
    assert copy is not None
    passed: list[bytes] = []
    take = copy.beside(passed.append, readable=True, events=False)
    for _ in range(10):
        take(b"r" * 1000)
    bodies = copy.close()
    assert len(passed) == 10
    assert (len(bodies.request), bodies.request_bytes) == (1024 + MARGIN, 10_000)
    assert (len(bodies.reply), bodies.reply_bytes) == (1024 + MARGIN, 10_000)
    again = copy.again()
    again.beside(passed.append, readable=True, events=True)(b"e" * 1_000_000)
    assert len(again.close().reply) == EVENTS * 1024 + MARGIN
    unread = copy.again()
    unread.beside(passed.append, readable=False, events=False)(b"\x1f\x8b")
    assert (unread.close().reply, unread.close().reply_bytes) == (b"", 2)


def test_a_workers_copies_hold_only_so_much_and_one_that_finds_no_room_is_lost() -> None:
    copies = Copies(room=1500)
    one, other = (copies.begin(ALL, name, b"") for name in "ab")
    assert one is not None
    assert other is not None
    passed: list[bytes] = []
    ours, theirs = (
        copy.beside(passed.append, readable=True, events=False) for copy in (one, other)
    )
    ours(b"1" * 1000)
    theirs(b"2" * 400)
    theirs(b"2" * 400)
    theirs(b"2" * 100)
    assert (len(passed), copies.held) == (4, 1000)
    assert (other.close().lost, one.close().lost, copies.held) == (True, False, 0)


def test_a_reply_that_is_begun_anew_is_kept_anew() -> None:
    copies = Copies()
    copy = copies.begin(ALL, "r", b"")
    assert copy is not None
    passed: list[bytes] = []
    copy.beside(passed.append, readable=True, events=True)(b"first")
    copy.beside(passed.append, readable=True, events=False)(b"second")
    bodies = copy.close()
    assert (bodies.reply, bodies.reply_bytes, bodies.events) == (b"second", 6, False)
    assert copies.held == 0
