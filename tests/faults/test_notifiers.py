"""Who is told of alerts by a whole turnout: all of them, and one that was down once it is back."""

import asyncio
import hmac
import json
import sys
from asyncio.subprocess import PIPE
from base64 import b64encode
from pathlib import Path

from tests.support.mail_server import mail_server
from tests.support.patience import eventually
from tests.support.programs import free_port
from tests.support.raw_traffic import ask
from tests.support.receiver import Receiver, receiver
from tests.support.scripted_upstream import json_reply, scripted_upstream
from tests.support.served import Served, served

SECRET = "sixteen letters, or more"
CONFIG = """\
upstreams: {{u: {{base_url: 'http://127.0.0.1:{port}/v1'}}}}
routes: {{support: {{variants: {{base: {{upstream: u, model: m}}}}}}}}
alerts:
  notify:
    fold_seconds: 0.5
    runbooks: https://example.com/books
    webhook: {{url: 'http://127.0.0.1:{hook}/', secret: '${{HOOK_SECRET}}'}}
    slack: {{url: 'file:slack-url'}}
    alertmanager: {{url: 'http://127.0.0.1:{manager}'}}
"""
MAIL = """\
    email:
      {{server: 127.0.0.1, port: {mail}, security: none, from: t@example.com, to: me@example.com}}
"""
MESSAGE = {"role": "assistant", "content": "Too short"}
CHOICE = {"index": 0, "message": MESSAGE, "finish_reason": "stop"}
SHORT = json_reply({"object": "chat.completion", "choices": [CHOICE]})


async def notify(turnout: Served) -> tuple[int | None, dict[str, str | None]]:
    """Run `turnout notify`; return its exit code, and why each notifier did not take the test."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "proxy", "notify", "--json"),
        cwd=turnout.log.parent,
        stdout=PIPE,
    )
    said, _ = await process.communicate()
    tried = json.loads(said)["notifiers"]
    return process.returncode, {each["notifier"]: each["reason"] for each in tried}


async def told_of(slack: Receiver) -> int:
    """Return how many requests Slack was told of."""
    return sum(post["blocks"][1]["elements"][1]["text"].count("`") // 2 for post in slack.posts)


async def test_all_are_told_and_one_that_was_down_is_told_once_it_is_back(tmp_path: Path) -> None:
    hook_port = free_port()
    async with (
        scripted_upstream() as upstream,
        receiver() as slack,
        receiver() as manager,
        mail_server() as mail,
    ):
        upstream.by_default = SHORT
        (tmp_path / "slack-url").write_text(f"{slack.url}\n")
        manager_port = manager.url.split(":")[2].split("/")[0]
        config = CONFIG.format(port=upstream.port, hook=hook_port, manager=manager_port)
        async with served(tmp_path, config, environment={"HOOK_SECRET": SECRET}) as turnout:

            async def waiting() -> float:
                return (await turnout.metrics()).total("turnout_notifications_waiting")

            await ask(turnout.port)
            await slack.next()
            await manager.next()
            assert await eventually(waiting, bool) == 1
            for _ in range(4):
                await ask(turnout.port)
            await eventually(lambda: told_of(slack), lambda requests: requests == 5)
            assert await waiting() == 1, "repeats wait with the first"
            async with receiver(port=hook_port) as hook:
                await hook.next()
                assert await eventually(waiting, lambda count: not count) == 0
                file = tmp_path / "turnout.yaml"
                file.write_text(file.read_text() + MAIL.format(mail=mail.port))
                await eventually(lambda: notify(turnout), lambda seen: len(seen[1]) == 4)
            code, reasons = await notify(turnout)
            said = turnout.lines()
    (told,) = [post for post in hook.posts if post["alert"] == "short"]
    assert (told["count"], len(told["request_ids"])) == (5, 5)
    assert told["runbook"] == "https://example.com/books/short.md"
    head = hook.heads[0]
    signed = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + hook.bodies[0]
    digest = hmac.digest(SECRET.encode(), signed, "sha256")
    assert head["webhook-signature"] == "v1," + b64encode(digest).decode()
    assert ":red_circle: *Firing: short on support / base*" in slack.bodies[0].decode()
    assert manager.posts[0][0]["labels"]["alertname"] == "TurnoutShort"
    assert manager.heads[0][""] == "POST /api/v2/alerts HTTP/1.1"
    assert mail.mails[-1]["subject"] == "[turnout] Test"
    assert (code, reasons) == (
        1,
        {"webhook": "ConnectError", "slack": None, "alertmanager": None, "email": None},
    )
    events = [line["event"] for line in said if line.get("notifier") == "webhook"]
    assert events == ["notifier fails", "notifier works again"]
