"""Planted secrets are looked for in everything that turnout says: none may be found.

What the user's own shell has in its environment is the user's: the supervisor and control
inherit it, workers only what says how to run. turnout adds nothing to it, and puts nothing on a
command line.
"""

import asyncio
import gzip
import hashlib
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from tests.support.mail_server import mail_server
from tests.support.patience import eventually
from tests.support.raw_traffic import pipeline, request
from tests.support.scripted_upstream import (
    HANG,
    RESET,
    ScriptedUpstream,
    chat_events,
    cut,
    error_reply,
    json_reply,
    scripted_upstream,
    stream_reply,
)
from tests.support.served import Served, served

IN_SHELL = "canary-upstream-key-from-the-shell"
IN_FILE = "canary-upstream-header-from-a-file"
HOOK_PATH = "canary-webhook-path"
HOOK_HEADER = "canary-webhook-header"
CLIENT_KEY = "canary-client-key"
WRONG_KEY = "canary-wrong-key"
COOKIE = "canary-cookie"
QUERY = "canary-query"
USER = "canary-user"
LATE_PROMPT = "canary-late-prompt"
LATE_REPLY = "canary-late-reply"
MASKED = "canary-4111111111111111"
SYSTEM_PROMPT = "canary-system-prompt"

CONFIG = """\
log: {{format: {form}}}
upstreams:
  u:
    base_url: http://127.0.0.1:{port}/v1
    api_key: ${{CANARY_KEY}}
    headers: {{x-tenant: 'file:tenant'}}
    retries: 0
    timeouts: {{first_byte: 0.5}}
  closed: {{base_url: 'http://127.0.0.1:9/v1', api_key: '${{CANARY_KEY}}', retries: 0}}
routes:
  support: {{variants: {{base: {{upstream: u, model: m}}}}}}
  broken: {{variants: {{base: {{upstream: closed, model: m}}}}}}
default_upstream: u
keys: {{shop: {{sha256: {digest}}}}}
previews: {{redact: ['canary-\\d{{16}}']}}
tracing:
  endpoint: http://127.0.0.1:{hook}/canary-collector-path
  headers: {{authorization: 'Bearer ${{CANARY_HOOK}}'}}
alerts:
  short: {{reply_chars: 100000}}
  notify:
    webhook:
      url: http://127.0.0.1:{hook}/{path}
      headers: {{authorization: 'Bearer ${{CANARY_HOOK}}'}}
      secret: canary-webhook-secret
    slack: {{url: 'http://127.0.0.1:{hook}/canary-slack-path'}}
    alertmanager:
      url: http://127.0.0.1:{hook}/canary-alertmanager-path
      headers: {{authorization: 'Basic canary-alertmanager-header'}}
    email:
      server: 127.0.0.1
      port: {mail}
      user: canary-mail-user
      password: canary-mail-password
      from: turnout@example.com
      to: canary-reader@example.com
"""
PROMPT = f"My card is {MASKED}. " + "Where is my parcel? " * 40 + LATE_PROMPT
MESSAGES = [{"role": "system", "content": SYSTEM_PROMPT}, {"role": "user", "content": PROMPT}]
REPLY = f"Your card is {MASKED}. " + "It left the depot. " * 40 + LATE_REPLY
CHOICE = {"index": 0, "message": {"role": "assistant", "content": REPLY}, "finish_reason": "stop"}
STREAM = stream_reply(*chat_events(*REPLY.split()))


class Client:
    """Asks in all the ways that end differently, and keeps turnout's own answers."""

    def __init__(self, port: int) -> None:
        self._http = httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            timeout=10,
            trust_env=False,
            headers={"authorization": f"Bearer {CLIENT_KEY}", "cookie": COOKIE},
        )
        self.heard = b""

    async def ask(
        self, *, model: str = "support", key: str = CLIENT_KEY, **members: object
    ) -> httpx2.Response:
        """Ask for a chat; the reply's head is turnout's, its body the upstream's."""
        body = {"model": model, "messages": MESSAGES, "user": USER, **members}
        headers = {"authorization": f"Bearer {key}"}
        reply = await self._http.post(f"/v1/chat/completions?{QUERY}", json=body, headers=headers)
        self.keep(reply)
        return reply

    async def refused(self, method: str, path: str) -> None:
        """Ask for what is refused."""
        reply = await self._http.request(method, path, content=LATE_PROMPT.encode())
        self.keep(reply)
        assert reply.status_code >= 400
        self.heard += reply.content

    def keep(self, reply: httpx2.Response) -> None:
        """Keep what turnout said to a client: heads, and the bodies of its own errors."""
        self.heard += repr(reply.headers.raw).encode()
        if reply.status_code >= 400:
            self.heard += reply.content

    async def close(self) -> None:
        await self._http.aclose()


@asynccontextmanager
async def client_of(turnout: Served) -> AsyncIterator[Client]:
    client = Client(turnout.port)
    try:
        yield client
    finally:
        await client.close()


async def all_endings(client: Client, turnout: Served, upstream: ScriptedUpstream) -> int:
    """Let exchanges end in every way that turnout has words for; return how many there were."""
    answer = json_reply({"object": "chat.completion", "choices": [CHOICE]})
    upstream.will(answer, STREAM, error_reply(500), error_reply(401))
    upstream.will([RESET], [RESET], [b"no HTTP\r\n\r\n"])  # twice: a kept connection may be stale
    assert (await client.ask()).status_code == 200
    assert (await client.ask(stream=True)).status_code == 200
    assert (await client.ask()).status_code == 500
    assert (await client.ask()).status_code == 401
    assert (await client.ask()).status_code == 502
    assert (await client.ask()).status_code == 502
    upstream.will([HANG], cut(STREAM, 1500, RESET))
    assert (await client.ask()).status_code == 504
    with pytest.raises(httpx2.RemoteProtocolError):
        await client.ask(stream=True)
    assert (await client.ask(model="broken")).status_code == 502
    assert (await client.ask(key=WRONG_KEY)).status_code == 401
    assert (await client.ask(n=-1, metadata={"a": LATE_PROMPT})).status_code == 400
    await client.refused("POST", f"/v1/chat/completions?{QUERY}")
    await client.refused("GET", f"/elsewhere?{QUERY}")
    malformed = request("/v1/x", b"{}", f"Authorization: Bearer {CLIENT_KEY}", "Host: twice")
    assert await pipeline(turnout.port, [malformed]) == [400]
    return 14


async def kill_a_worker(turnout: Served, upstream: ScriptedUpstream) -> None:
    """Kill a worker while it is at work on a prompt."""
    upstream.by_default = [HANG]
    _, writer = await asyncio.open_connection("127.0.0.1", turnout.port)
    body = b'{"model": "support", "messages": [{"role": "user", "content": "%s"}]}'
    authorization = f"Authorization: Bearer {CLIENT_KEY}"
    seen = len(upstream.requests)
    writer.write(request("/v1/chat/completions", body % LATE_PROMPT.encode(), authorization))

    async def arrived() -> bool:
        return len(upstream.requests) > seen

    await eventually(arrived, bool)
    os.kill(turnout.children("worker")[0], signal.SIGKILL)
    await eventually(turnout.status, lambda status: status["restarts"]["worker"] == 1)
    writer.transport.abort()


def found_in(places: Mapping[str, bytes]) -> list[str]:
    """Return where which canary was found."""
    return [
        f"{name}: {word!r}"
        for name, text in places.items()
        for word in text.split()
        if b"canary" in word.lower()
    ]


def process_files(turnout: Served, name: str) -> dict[str, bytes]:
    """Return a file of /proc of each process."""
    pids = [turnout.pid, *turnout.children("control"), *turnout.children("worker")]
    assert len(pids) == 3
    return {f"/proc/{pid}/{name}": Path(f"/proc/{pid}/{name}").read_bytes() for pid in pids}


async def told_to_admins(turnout: Served) -> dict[str, bytes]:
    """Return what the admin API says, to good questions and to bad ones."""
    api = "/api/v1"
    split = f"{api}/routes/support/split"
    pages = [f"{api}/{name}" for name in ("routing", "versions", "versions/1", "audit")]
    told = {page: (await turnout.admin(page)).content for page in pages}
    key = {"authorization": f"Bearer {WRONG_KEY}"}
    told["refused"] = (await turnout.administer("POST", split, {LATE_PROMPT: 1}, **key)).content
    why = {"weights": {"base": COOKIE}, "why": f"{LATE_PROMPT}\n"}
    told["unfit"] = (await turnout.administer("POST", split, why)).content
    told["notified"] = (await turnout.administer("POST", f"{api}/notify")).content
    assert b"no STARTTLS" in told["notified"], "each of them refuses the test"
    told["read"] = (await turnout.administer("POST", f"{api}/reload")).content
    return told | {"audited": (await turnout.admin(f"{api}/audit")).content}


@pytest.mark.parametrize("form", ["json", "console"])
async def test_no_planted_secret_is_in_anything_that_turnout_says(
    tmp_path: Path, form: str
) -> None:
    (tmp_path / "tenant").write_text(IN_FILE)
    digest = hashlib.sha256(CLIENT_KEY.encode()).hexdigest()
    shell = {"CANARY_KEY": IN_SHELL, "CANARY_HOOK": HOOK_HEADER}
    async with scripted_upstream() as upstream, scripted_upstream() as hook, mail_server() as mail:
        hook.by_default = error_reply(404)
        config = CONFIG.format(
            port=upstream.port,
            hook=hook.port,
            mail=mail.port,
            path=HOOK_PATH,
            digest=digest,
            form=form,
        )
        async with served(tmp_path, config, environment=shell) as turnout:
            async with client_of(turnout) as client:
                sent = await all_endings(client, turnout, upstream)
            posted = await hook.request()
            while HOOK_PATH not in posted.target:
                posted = await hook.request()
            await turnout.accounted(taken=sent)
            await kill_a_worker(turnout, upstream)
            places = {
                "metrics": (await turnout.admin("/metrics")).content,
                "status": (await turnout.admin("/api/v1/status")).content,
                "openapi": (await turnout.admin("/openapi.json")).content,
                "elsewhere": (await turnout.admin(f"/x?{QUERY}")).content,
                **await told_to_admins(turnout),
                **process_files(turnout, "cmdline"),
            }
            environments = process_files(turnout, "environ")
            assert await turnout.end() == 0
        places["stdout"] = turnout.log.read_bytes()
        places["stderr"] = "".join(turnout.said).encode()
        places["answers"] = client.heard
        places["webhook's body"] = posted.body
        spans = [each for each in hook.requests if each.target.endswith("/v1/traces")]
        places["spans"] = b"".join(gzip.decompress(each.body) for each in spans)
        kept = {path.name: path.read_bytes() for path in turnout.data.iterdir() if path.is_file()}
        token = kept.pop("admin.token").strip()
        as_written = (tmp_path / "turnout.yaml").read_bytes()  # the names of secrets only
        assert kept.pop("last-good.yaml") == as_written
        places |= kept
    assert found_in(places) == []
    assert [name for name, text in places.items() if token in text] == []
    # They were there to be found: what they were meant for has them.
    first = upstream.requests[0]
    assert first.header("authorization") == f"Bearer {IN_SHELL}"
    assert first.header("x-tenant") == IN_FILE
    assert LATE_PROMPT in first.body.decode()
    assert (posted.target, posted.header("authorization")) == (
        f"/{HOOK_PATH}",
        f"Bearer {HOOK_HEADER}",
    )
    assert {each.header("authorization") for each in spans} == {f"Bearer {HOOK_HEADER}"}
    assert b"support" in places["spans"]
    assert b"[redacted]" in places["stdout"]
    # The children's environment is the shell's: nothing was added that came from elsewhere.
    mine, *children = environments.values()
    assert all(set(theirs.split(b"\0")) <= set(mine.split(b"\0")) for theirs in children)
