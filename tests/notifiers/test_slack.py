"""Slack, as far as it can be had: a receiver that refuses what Slack's own documents rule out.

No real Slack can be reached from a test. What is checked are the rules of its reference of blocks
and of its markup for text, as they were in November 2026.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from proxy.alerting import Notice, State
from proxy.alerting.noticing import trial
from proxy.config.settings import Slack
from proxy.notifiers.delivery import Trouble
from proxy.notifiers.posting import client
from proxy.notifiers.slack import SlackCarrier, message
from tests.support.noticed import NOW, slow, window
from tests.support.receiver import Answer, Receiver, receiver

TEXT_CHARS, FIELD_CHARS, FIELDS, ELEMENTS, BLOCKS = 3000, 2000, 10, 10, 50
# What may stand in angle brackets: a link with its text, or a date with its fallback.
MARKUP = re.compile(r"<https?://[^<>|\s]+\|[^<>|]+>|<!date\^\d+\^[^<>|]+\|[^<>|]+>")
ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")


def check_text(text: dict[str, Any], chars: int) -> None:
    assert text.keys() == {"type", "text"}
    assert text["type"] == "mrkdwn"
    assert 0 < len(text["text"]) <= chars
    plain = MARKUP.sub("", text["text"])
    assert not set("<>") & set(plain), plain
    assert not ENTITY.search(text["text"])


def check(told: dict[str, Any]) -> None:
    """Refuse what Slack would."""
    assert told.keys() == {"text", "blocks"}
    assert told["text"]
    assert not set("<>") & set(told["text"])
    assert 0 < len(told["blocks"]) <= BLOCKS
    for block in told["blocks"]:
        if block["type"] == "section":
            assert block.keys() <= {"type", "text", "fields"}
            check_text(block["text"], TEXT_CHARS)
            assert len(block.get("fields", [])) <= FIELDS
            for field in block.get("fields", []):
                check_text(field, FIELD_CHARS)
        else:
            assert block.keys() == {"type", "elements"}
            assert block["type"] == "context"
            assert 0 < len(block["elements"]) <= ELEMENTS
            for element in block["elements"]:
                check_text(element, TEXT_CHARS)


@asynccontextmanager
async def slack(*answers: Answer) -> AsyncIterator[tuple[SlackCarrier, Receiver]]:
    async with receiver(*answers) as chat, client("turnout/test") as http:
        yield SlackCarrier(Slack(url=chat.url), http, host="gpu-7"), chat


async def told(notice: Notice) -> dict[str, Any]:
    """Return what Slack is told."""
    async with slack() as (carrier, chat):
        await carrier.tell(notice)
    (post,) = chat.posts
    check(post)
    found: dict[str, Any] = post
    return found


async def test_a_message_reads_well_in_the_channel_and_in_a_pop_up() -> None:
    said = await told(window(value=7.5))
    assert said["text"] == "turnout: 7.5 % of the requests to support failed within 5 minutes"
    section, context = said["blocks"]
    assert section["text"]["text"] == (
        ":red_circle: *Firing: error_rate on support*\n"
        "7.5 % of the requests to support failed within 5 minutes"
    )
    assert [field["text"] for field in section["fields"]] == [
        "*Value*\n7.5 percent",
        "*Threshold*\n5 percent",
        "*Requests*\n240",
        "*Since*\n<!date^1794999880^{date_short_pretty} {time_secs}|2026-11-18 11:04:40 UTC>",
        "*Latest*\n<!date^1795000000^{date_short_pretty} {time_secs}|2026-11-18 11:06:40 UTC>",
    ]
    assert [element["text"] for element in context["elements"]] == [
        "Runbook: docs/runbooks/error_rate.md",
        "Requests: `req-7`, `req-8`",
        "turnout on gpu-7",
    ]


async def test_what_is_over_is_seen_to_be_over() -> None:
    said = await told(window(State.RESOLVED))
    assert said["blocks"][0]["text"]["text"].startswith(
        ":large_green_circle: *Resolved: error_rate on support*"
    )
    assert said["blocks"][0]["fields"][-1]["text"].startswith("*Until*")


async def test_a_single_exchange_is_told_with_its_request() -> None:
    said = await told(slow())
    assert "slow reply on support / base" in said["text"]
    assert said["blocks"][1]["elements"][1]["text"] == "Requests: `req-1`"


async def test_a_test_is_seen_to_be_one() -> None:
    section, context = (await told(trial("ann", NOW)))["blocks"]
    assert section["text"]["text"] == ":wave: *Test*\na test that ann asked for; nothing is wrong"
    assert "fields" not in section
    assert context["elements"][0]["text"] == "Runbook: docs/alerts.md"


async def test_nothing_that_is_told_is_taken_for_a_link_or_a_mention() -> None:
    evil = "<!channel> & <https://evil.example|click> <@U1>"
    said = await told(window(sentence=evil, request_ids=(evil,)))
    escaped = "&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt; &lt;@U1&gt;"
    assert said["blocks"][0]["text"]["text"].endswith(escaped)


def test_a_runbook_that_is_a_link_can_be_clicked_on() -> None:
    for runbook, link in (
        ("https://example.com/a.md", "<https://example.com/a.md|Runbook>"),
        ("https://example.com/a|b>&c", "<https://example.com/a%7Cb%3E&amp;c|Runbook>"),
    ):
        said = message(Notice(**{**fields(window()), "runbook": runbook}), "gpu-7")
        check(said)
        assert said["blocks"][1]["elements"][0]["text"] == link


def fields(notice: Notice) -> dict[str, Any]:
    return {name: getattr(notice, name) for name in notice.__struct_fields__}


async def test_what_is_too_long_is_cut_before_slack_refuses_it() -> None:
    said = await told(window(sentence="x" * 10_000))
    assert len(said["blocks"][0]["text"]["text"]) <= TEXT_CHARS


@pytest.mark.parametrize(
    ("answer", "reason", "final", "after"),
    [
        ((429, "retry-after: 30\r\n", b"rate_limited"), "status 429: rate_limited", False, 30.0),
        ((500, "", b"server_error"), "status 500: server_error", False, 0.0),
        ((404, "", b"no_service"), "status 404: no_service", True, 0.0),
        ((403, "", b"action_prohibited"), "status 403: action_prohibited", True, 0.0),
    ],
)
async def test_what_slack_answers_says_whether_to_try_again_and_when(
    answer: Answer,
    reason: str,
    final: bool,  # noqa: FBT001  # a case's
    after: float,
) -> None:
    async with slack(answer) as (carrier, _):
        with pytest.raises(Trouble) as caught:
            await carrier.tell(slow())
    found = caught.value
    assert (found.reason, found.final, found.after) == (reason, final, after)
