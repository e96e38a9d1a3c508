"""The webhook, over HTTP: what is posted, what it is signed with, and what answers mean."""

import base64
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from proxy.alerting import State
from proxy.config.settings import Webhook
from proxy.notifiers.delivery import Trouble
from proxy.notifiers.posting import client, host_of
from proxy.notifiers.webhook import WebhookCarrier
from tests.support.noticed import NOW, slow, window
from tests.support.receiver import Answer, receiver

PAGE = Path(__file__).parents[2] / "docs/alerts.md"
SECRETS = ("a plain secret, long enough", "whsec_" + base64.b64encode(b"x" * 32).decode())


@asynccontextmanager
async def carrier(url: str, secret: str | None = None) -> AsyncIterator[WebhookCarrier]:
    settings = Webhook(url=url, headers={"authorization": "Bearer hush"}, secret=secret)
    async with client("turnout/test") as http:
        yield WebhookCarrier(settings, http, host="gpu-7", wall=lambda: NOW)


async def trouble(*answers: Answer) -> Trouble:
    async with receiver(*answers) as hook, carrier(hook.url) as webhook:
        with pytest.raises(Trouble) as caught:
            await webhook.tell(slow())
    return caught.value


async def test_an_exchange_is_posted_with_its_facts() -> None:
    async with receiver() as hook, carrier(hook.url) as webhook:
        await webhook.tell(slow())
    (post,) = hook.posts
    exchange = post.pop("exchange")
    assert post == {
        "schema_version": 1,
        "id": "req-1-slow",
        "key": "slow support base -",
        "text": "turnout: slow reply on support / base: 7500 ms (threshold 5000)",
        "alert": "slow",
        "state": "firing",
        "route": "support",
        "variant": "base",
        "about": None,
        "host": "gpu-7",
        "value": 7500.0,
        "threshold": 5000.0,
        "unit": "ms",
        "count": 1,
        "first_at": "2026-11-18T11:06:40Z",
        "last_at": "2026-11-18T11:06:40Z",
        "ends_at": "2026-11-18T11:11:40Z",
        "runbook": "docs/runbooks/slow.md",
        "request_ids": ["req-1"],
    }
    assert exchange["request_id"] == "req-1"
    assert exchange["latency_ms"] == 7500.0
    assert exchange["prompt_preview"] == "Where is my parcel?"
    (head,) = hook.heads
    assert head[""] == "POST /hooks/secret-token HTTP/1.1"
    assert head["content-type"] == "application/json"
    assert head["authorization"] == "Bearer hush"
    assert head["user-agent"] == "turnout/test"
    assert "webhook-signature" not in head


async def test_what_fires_over_a_window_is_posted_and_so_is_its_end() -> None:
    async with receiver() as hook, carrier(hook.url) as webhook:
        await webhook.tell(window())
        await webhook.tell(window(State.RESOLVED))
    first, second = hook.posts
    assert (first["state"], second["state"]) == ("firing", "resolved")
    assert first["key"] == second["key"]
    assert first["id"] != second["id"]
    assert (first["ends_at"], second["ends_at"]) == (None, "2026-11-18T11:06:40Z")
    assert first["exchange"] is None
    assert first["request_ids"] == ["req-7", "req-8"]


async def test_the_page_of_the_alerts_names_exactly_the_fields_there_are() -> None:
    async with receiver() as hook, carrier(hook.url) as webhook:
        await webhook.tell(slow())
    webhooks = PAGE.read_text(encoding="utf-8").split("## The webhook")[1].split("\n## ")[0]
    fields, exchange = webhooks.split("In `exchange`:")
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", fields)) == set(hook.posts[0])
    exchange = exchange.split("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", exchange)) == set(hook.posts[0]["exchange"])


def documented() -> Callable[[str, dict[str, str], bytes], bool]:
    """Return the check of a signature as the page tells people to write it."""
    page = PAGE.read_text(encoding="utf-8")
    (code,) = re.findall(r"(?s)```python\n(.*?)```", page)
    told: dict[str, Any] = {}
    exec(code, told)  # it is what the page says that is tested
    genuine: Callable[[str, dict[str, str], bytes], bool] = told["genuine"]
    return genuine


@pytest.mark.parametrize("secret", SECRETS)
async def test_a_receiver_that_checks_as_the_page_says_knows_a_genuine_post(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiver() as hook, carrier(hook.url, secret) as webhook:
        await webhook.tell(slow())
    genuine, head, body = documented(), hook.heads[0], hook.bodies[0]
    monkeypatch.setattr("time.time", lambda: NOW + 60)
    assert genuine(secret, head, body)
    assert not genuine(secret, head, body + b" ")
    assert not genuine(secret[:-4] + "AAA=", head, body)
    assert not genuine(secret, head | {"webhook-timestamp": str(int(NOW) + 60)}, body)
    assert not genuine(secret, head | {"webhook-id": "another"}, body)
    monkeypatch.setattr("time.time", lambda: NOW + 3600)
    assert not genuine(secret, head, body), "an old one, sent again"


def test_signatures_are_those_of_the_standard() -> None:
    """The example of Standard Webhooks' own specification and libraries."""
    from proxy.notifiers.webhook import signature  # noqa: PLC0415  # the only use

    headers = {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330"}
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    signed = signature(secret, headers, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_worth_trying_again(status: int) -> None:
    found = await trouble(status)
    assert (found.reason, found.final, found.unsure) == (f"status {status}", False, False)


@pytest.mark.parametrize("status", [301, 400, 401, 404, 410])
async def test_what_will_not_pass_is_final(status: int) -> None:
    assert (await trouble(status)).final


async def test_a_receiver_may_say_how_long_to_leave_it_alone() -> None:
    assert (await trouble((429, "retry-after: 17\r\n", b""))).after == 17.0
    assert (await trouble((503, "retry-after: soon\r\n", b""))).after == 0.0


async def test_of_what_a_receiver_says_only_a_plain_word_is_repeated() -> None:
    assert (await trouble((404, "", b"no_service"))).reason == "status 404: no_service"
    assert (await trouble((400, "", b"Bearer hush-1234 is wrong"))).reason == "status 400"


async def test_a_receiver_that_hangs_up_may_have_taken_it() -> None:
    found = await trouble(None)
    assert (found.final, found.unsure) == (False, True)


async def test_where_nobody_listens_nobody_has_taken_it() -> None:
    async with receiver() as hook:
        url = hook.url
    async with carrier(url) as webhook:
        with pytest.raises(Trouble) as caught:
            await webhook.tell(slow())
    found = caught.value
    assert (found.reason, found.final, found.unsure) == ("ConnectError", False, False)
    assert webhook.where == "127.0.0.1"


async def test_an_address_that_is_none_is_no_crash() -> None:
    async with carrier("http://host/\n") as webhook:
        with pytest.raises(Trouble) as caught:
            await webhook.tell(slow())
    assert (caught.value.reason, caught.value.final) == ("InvalidURL", True)
    assert host_of("http://[") == "?"
