"""All notifiers side by side: who is told, what is counted, and what a test finds out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from proxy.alerting import State
from proxy.config.settings import Alertmanager, Email, Notify, Slack, Webhook
from proxy.notifiers import Notifiers
from tests.support.noticed import NOW, on, slow, window
from tests.support.receiver import receiver


@asynccontextmanager
async def notifying(notify: Notify, close: float = 10.0) -> AsyncIterator[Notifiers]:
    """Run notifiers by real time, with pauses that take none."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    loop = asyncio.get_running_loop()
    found = Notifiers(
        agent="turnout/test",
        host="gpu-7",
        clock=loop.time,
        wall=lambda: NOW,
        dice=lambda: 0.0,
        sleep=sleep,
    )
    found.adopt(notify, ())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(found.run())
        yield found
        await found.close(close)


async def test_each_that_is_configured_is_told_and_counted_and_no_other() -> None:
    async with receiver() as hook, receiver() as chat, receiver() as manager:
        notify = Notify(
            webhook=Webhook(url=hook.url),
            slack=Slack(url=chat.url),
            alertmanager=Alertmanager(url=manager.url),
        )
        async with notifying(notify) as notifiers:
            assert notifiers.there
            notifiers.take(slow())
    assert hook.posts[0]["alert"] == "slow"
    assert "slow" in chat.posts[0]["text"]
    assert manager.posts[0][0]["labels"]["alertname"] == "TurnoutSlow"
    results = notifiers.results()
    assert {name for name, _ in results} == {"webhook", "slack", "alertmanager"}
    assert [results[name, "sent"] for name in ("webhook", "slack", "alertmanager")] == [1, 1, 1]
    assert notifiers.waiting() == {"webhook": 0, "slack": 0, "alertmanager": 0}


async def test_one_that_is_down_delays_no_other() -> None:
    async with receiver() as gone:
        pass
    async with receiver() as chat:
        notify = Notify(webhook=Webhook(url=gone.url), slack=Slack(url=chat.url))
        async with notifying(notify, close=0.05) as notifiers:
            for number in range(5):
                notifiers.take(on(f"r{number}"))
                await chat.next()
    assert len(chat.posts) == 5
    assert notifiers.results()["webhook", "dropped"] == 5, "turnout stopped before it was back"


async def test_who_is_configured_anew_or_otherwise_is_told_what_fires() -> None:
    async with (
        receiver() as hook,
        receiver() as chat,
        notifying(Notify(webhook=Webhook(url=hook.url))) as notifiers,
    ):
        notifiers.take(on("a"))
        await hook.next()
        both = Notify(webhook=Webhook(url=hook.url), slack=Slack(url=chat.url))
        notifiers.adopt(both, [on("a", times=2)])
        await chat.next()
        moved = Notify(webhook=Webhook(url=f"{hook.url}/moved"), slack=both.slack)
        notifiers.adopt(moved, [on("a", times=3)])
        await hook.next()
        notifiers.adopt(Notify(slack=both.slack), [])
        notifiers.take(on("b"))
        await chat.next()
    assert [post["route"] for post in hook.posts] == ["a", "a"]
    assert hook.heads[1][""].split()[1].endswith("/moved")
    assert len(chat.posts) == 2


async def test_the_end_of_what_was_told_before_this_process_began_is_told() -> None:
    async with (
        receiver() as hook,
        notifying(Notify(webhook=Webhook(url=hook.url))) as notifiers,
    ):
        notifiers.heard(on("a"))
        notifiers.take(on("b", State.RESOLVED))
        notifiers.take(on("a", State.RESOLVED))
        await hook.next()
    assert [(post["route"], post["state"]) for post in hook.posts] == [("a", "resolved")]


async def test_with_nobody_configured_nothing_is_counted() -> None:
    async with notifying(Notify()) as notifiers:
        assert not notifiers.there
        notifiers.heard(window())
        notifiers.take(window(State.RESOLVED))
    assert (notifiers.results(), notifiers.waiting()) == ({}, {})


async def test_a_test_says_of_each_whether_it_was_taken_and_why_not() -> None:
    async with receiver() as hook, receiver((404, "", b"no_service")) as chat:
        email = Email(
            server="127.0.0.1",
            port=9,  # discard: nobody listens there
            security="none",
            sender="turnout@example.com",
            to=("oncall@example.com",),
        )
        notify = Notify(webhook=Webhook(url=hook.url), slack=Slack(url=chat.url), email=email)
        async with notifying(notify) as notifiers:
            tried = {each.notifier: each for each in await notifiers.attempt(slow())}
    assert {name: each.trouble for name, each in tried.items()} == {
        "webhook": None,
        "slack": "status 404: no_service",
        "email": "ConnectionRefusedError",
    }
    assert tried["webhook"].where == "127.0.0.1"
    assert not any(notifiers.results().values()), "it is no notice like others"
