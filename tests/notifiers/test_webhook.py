import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from proxy.alerting import Alert, AlertName, Folding
from proxy.alerting.folding import single
from proxy.config.settings import Webhook
from proxy.notifiers import WebhookNotifier
from proxy.notifiers.payload import payload
from tests.support.observed import observed


class Receiver:
    """A webhook's receiver: answers with the statuses it was given, then with 204."""

    def __init__(self, statuses: Sequence[int | None] = ()) -> None:
        self._statuses = list(statuses)
        self.posts: list[dict[str, Any]] = []
        self.heads: list[str] = []
        self.came = asyncio.Event()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
                self.heads.append(head)
                self.posts.append(json.loads(await reader.readexactly(length)))
                status = self._statuses.pop(0) if self._statuses else 204
                if status is None:  # hang up
                    break
                writer.write(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % status)
                await writer.drain()
                self.came.set()
        except asyncio.IncompleteReadError:
            pass  # the notifier closed its connection
        finally:
            writer.close()

    async def next(self) -> None:
        async with asyncio.timeout(10):
            await self.came.wait()
        self.came.clear()


@asynccontextmanager
async def receiver(*statuses: int | None) -> AsyncIterator[Receiver]:
    receiver = Receiver(statuses)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    receiver.url = f"http://127.0.0.1:{port}/hooks/secret-token"
    async with server:
        yield receiver


class Time:
    """A clock and a sleep that notes how long it would have taken."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


@asynccontextmanager
async def notifying(
    url: str, time: Time, *, fold: float = 60.0, close: float = 10.0, waiting: int = 200
) -> AsyncIterator[WebhookNotifier]:
    notifier = WebhookNotifier(
        Webhook(url=url, headers={"authorization": "Bearer hush"}, fold_seconds=fold),
        agent="turnout/test",
        clock=time.clock,
        dice=lambda: 0.0,
        sleep=time.sleep,
        waiting=waiting,
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(notifier.run())
        yield notifier
        await notifier.close(close)


def alert(at: float = 1_795_000_000.0, variant: str = "base") -> Alert:
    return Alert(
        name=AlertName.SLOW,
        value=7500.0,
        threshold=5000.0,
        at=at,
        observation=observed(variant_served=variant, latency_ms=7500.0),
    )


def test_two_budgets_that_one_exchange_brings_to_a_level_are_told_apart() -> None:
    told = [
        Alert(
            name=AlertName.BUDGET,
            value=85.5,
            threshold=80.0,
            at=1_795_000_000.0,
            observation=observed(),
            about=about,
        )
        for about in ("80% of route support's 100 USD a month", "80% of key app's 9 USD a day")
    ]
    posts = [json.loads(payload(single(each))) for each in told]
    assert posts[0]["text"] == (
        "turnout: 80% of route support's 100 USD a month are spent: 85.50 USD"
    )
    assert posts[0]["about"] == told[0].about
    assert posts[0]["id"] != posts[1]["id"]
    folding = Folding(60.0)
    assert [folding.add(each, 0.0) is not None for each in told] == [True, True]


async def test_an_alert_is_posted_with_the_facts_of_its_request() -> None:
    async with receiver() as hook, notifying(hook.url, Time()) as notifier:
        notifier.alert(alert())
        await hook.next()
    (post,) = hook.posts
    exchange = post.pop("exchange")
    assert post == {
        "schema_version": 1,
        "id": "req-1-slow",
        "text": "turnout: slow reply on support / base: 7500 ms (threshold 5000)",
        "alert": "slow",
        "route": "support",
        "variant": "base",
        "about": None,
        "value": 7500.0,
        "threshold": 5000.0,
        "count": 1,
        "first_at": "2026-11-18T11:06:40Z",
        "last_at": "2026-11-18T11:06:40Z",
    }
    assert exchange["request_id"] == "req-1"
    assert exchange["latency_ms"] == 7500.0
    assert exchange["prompt_preview"] == "Where is my parcel?"
    assert "authorization: Bearer hush" in hook.heads[0]
    assert "user-agent: turnout/test" in hook.heads[0]
    assert notifier.results() == {
        ("webhook", "sent"): 1,
        ("webhook", "failed"): 0,
        ("webhook", "dropped"): 0,
    }


async def test_the_page_of_the_alerts_names_exactly_the_fields_there_are() -> None:
    async with receiver() as hook, notifying(hook.url, Time()) as notifier:
        notifier.alert(alert())
    page = Path(__file__).parents[2].joinpath("docs/alerts.md").read_text(encoding="utf-8")
    webhook, exchange = page.split("## The webhook")[1].split("In `exchange`:")
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", webhook)) == set(hook.posts[0])
    assert set(re.findall(r"`(\w+)`", exchange)) == set(hook.posts[0]["exchange"])


async def test_repeats_within_the_window_become_one_post_with_a_count() -> None:
    time = Time()
    async with receiver() as hook, notifying(hook.url, time, fold=60.0) as notifier:
        notifier.alert(alert())
        await hook.next()
        for second in range(1, 6):
            notifier.alert(alert(at=1_795_000_000.0 + second))
        time.now = 60.0
        notifier.alert(alert(at=1_795_000_060.0))  # wakes it: the first window has ended
        await hook.next()
    assert [post["count"] for post in hook.posts] == [1, 6]
    assert hook.posts[1]["text"].endswith(", 6 times")
    assert hook.posts[1]["last_at"] == "2026-11-18T11:07:40Z"


async def test_a_windows_end_is_told_without_another_alert() -> None:
    loop = asyncio.get_running_loop()
    time = Time()
    time.clock = loop.time  # type: ignore[method-assign]  # real time: the wait itself is shown
    async with receiver() as hook, notifying(hook.url, time, fold=0.05) as notifier:
        notifier.alert(alert())
        notifier.alert(alert())
        await hook.next()
        await hook.next()
    assert [post["count"] for post in hook.posts] == [1, 1]


async def test_closing_tells_the_repeats_that_wait() -> None:
    async with receiver() as hook, notifying(hook.url, Time()) as notifier:
        for _ in range(4):
            notifier.alert(alert())
    assert [post["count"] for post in hook.posts] == [1, 3]


async def test_trouble_is_tried_again_with_growing_pauses() -> None:
    time = Time()
    async with receiver(503, None, 429) as hook, notifying(hook.url, time) as notifier:
        notifier.alert(alert())
    assert len(hook.posts) == 4
    assert len({post["id"] for post in hook.posts}) == 1
    assert time.pauses == [0.25, 0.5, 1.0]  # half of 0.5, 1, 2 where the dice say 0
    assert notifier.sent == 1


async def test_after_five_attempts_it_gives_up_and_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with receiver(*[500] * 5) as hook, notifying(hook.url, Time()) as notifier:
        notifier.alert(alert())
        notifier.alert(alert(variant="ft-v2"))
    assert (notifier.failed, notifier.sent) == (1, 1)
    said = capsys.readouterr().out
    assert "status 500" in said
    assert "secret-token" not in said
    assert "hush" not in said


@pytest.mark.parametrize("status", [301, 400, 401, 404])
async def test_what_trying_again_cannot_mend_is_not_tried_again(status: int) -> None:
    async with receiver(status) as hook, notifying(hook.url, Time()) as notifier:
        notifier.alert(alert())
    assert (len(hook.posts), notifier.failed) == (1, 1)


async def test_an_address_that_nobody_listens_on_fails_quietly(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with receiver() as hook:
        url = hook.url
    time = Time()
    async with notifying(url, time) as notifier:
        notifier.alert(alert())
    assert (notifier.failed, len(time.pauses)) == (1, 4)
    said = capsys.readouterr().out
    assert "ConnectError" in said
    assert "secret-token" not in said


async def test_an_address_that_is_none_fails_quietly() -> None:
    async with notifying("http://[", Time()) as notifier:
        notifier.alert(alert())
    assert notifier.failed == 1


async def test_what_waits_is_bounded_and_what_is_dropped_is_counted() -> None:
    async with receiver() as hook, notifying(hook.url, Time(), waiting=3) as notifier:
        for n in range(10):
            notifier.alert(alert(variant=f"v{n}"))
    assert (notifier.sent, notifier.dropped, len(hook.posts)) == (3, 7, 3)


async def test_closing_takes_no_longer_than_it_may() -> None:
    silent = asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        silent.set()
        await reader.read()  # until the notifier gives up
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with asyncio.timeout(5), notifying(url, Time(), close=0.05) as notifier:
            notifier.alert(alert())
            notifier.alert(alert(variant="ft-v2"))
            await silent.wait()
    assert (notifier.sent, notifier.dropped) == (0, 2)


async def test_closing_what_never_ran_is_no_trouble() -> None:
    time = Time()
    notifier = WebhookNotifier(
        Webhook(url="http://127.0.0.1:9"), agent="", clock=time.clock, dice=lambda: 0.0
    )
    await notifier.close(0.01)


async def test_alerts_go_where_the_webhook_is_now() -> None:
    async with receiver() as old, receiver() as new, notifying(old.url, Time(), fold=0.0) as told:
        told.alert(alert())
        await old.next()
        told.adopt(Webhook(url=new.url, headers={"authorization": "Bearer other"}))
        told.alert(alert(variant="ft-v2"))
        await new.next()
    assert (len(old.posts), len(new.posts)) == (1, 1)
    assert "authorization: Bearer other" in new.heads[0]


async def test_without_a_webhook_nothing_is_posted_nor_counted() -> None:
    async with receiver() as hook, notifying(hook.url, Time()) as told:
        told.adopt(None)
        told.alert(alert())
        assert told.results() == {}
        told.adopt(Webhook(url=hook.url))
        told.alert(alert())
        await hook.next()
    assert len(hook.posts) == 1


async def test_what_waits_when_the_webhook_goes_is_dropped_and_counted() -> None:
    async with receiver() as hook, notifying(hook.url, Time()) as told:
        told.alert(alert())
        told.adopt(None)
    assert hook.posts == []
    assert told.results()["webhook", "dropped"] == 1
