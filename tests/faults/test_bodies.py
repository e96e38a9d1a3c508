"""Bodies, end to end: an openai client's words on record where its route says so, masked, cut."""

import json
from pathlib import Path
from typing import Any

import openai

from tests.support.patience import eventually
from tests.support.scripted_upstream import (
    chat_events,
    json_reply,
    scripted_upstream,
    stream_reply,
)
from tests.support.served import Served, served

CONFIG = """\
upstreams: {{u: {{base_url: 'http://127.0.0.1:{port}/v1', retries: 0}}}}
routes:
  support:
    variants: {{base: {{upstream: u, model: m, overrides: {{temperature: 0}}}}}}
    store: {{bodies: on, max_kb: 1, redact: ['sk-\\w+']}}
  half: {{variants: {{base: {{upstream: u}}}}, store: {{bodies: on, sample: 0.5}}}}
  silent: {{variants: {{base: {{upstream: u}}}}}}
previews: {{chars: 0, redact: ['\\d{{6}}']}}
"""
ASKED = "my key is sk-canary1, my pin 123456, Grüße"


async def kept(turnout: Served, request_id: str) -> dict[str, Any] | None:
    """Return the bodies of a request; None: none are kept."""

    async def known() -> int:
        return (await turnout.admin(f"/api/v1/exchanges/{request_id}")).status_code

    await eventually(known, lambda status: status == 200)
    answer = await turnout.admin(f"/api/v1/exchanges/{request_id}/body")
    assert answer.status_code in (200, 404)
    found: dict[str, Any] = answer.json()
    return found if answer.status_code == 200 else None


async def test_what_clients_say_is_kept_where_their_route_says_so_and_as_it_says(
    tmp_path: Path,
) -> None:
    async with scripted_upstream() as upstream:
        config = CONFIG.format(port=upstream.port)
        async with served(tmp_path, config) as turnout:
            url = f"http://127.0.0.1:{turnout.port}/v1"
            async with openai.AsyncOpenAI(base_url=url, api_key="sk-canary2") as client:

                async def ask(route: str, words: str, **more: Any) -> str:
                    raw = await client.chat.completions.with_raw_response.create(
                        model=route, messages=[{"role": "user", "content": words}], **more
                    )
                    if more:
                        async for _ in raw.parse():
                            pass
                    request_id: str = raw.headers["x-turnout-request-id"]
                    return request_id

                message = {"role": "assistant", "content": "It is sk-canary3."}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                upstream.by_default = json_reply(
                    {"object": "chat.completion", "choices": [choice]}
                )
                plain = await ask("support", ASKED)
                long = await ask("support", "x" * 5000)
                silent = await ask("silent", ASKED)
                halves = [await ask("half", "hi") for _ in range(20)]
                upstream.by_default = stream_reply(*chat_events("It is s", "k-can", "ary4."))
                streamed = await ask("support", ASKED, stream=True)

            found = await kept(turnout, plain)
            assert found is not None
            request = json.loads(found["request"]["text"])
            said = "my key is [redacted], my pin [redacted], Grüße"
            assert request["messages"][0]["content"] == said
            assert "temperature" not in request, "as the client sent it"
            reply = json.loads(found["reply"]["text"])
            assert reply["choices"][0]["message"]["content"] == "It is [redacted]."
            found = await kept(turnout, streamed)
            assert found is not None
            reply = json.loads(found["reply"]["text"])
            assert reply["object"] == "chat.completion"
            assert reply["choices"][0]["message"]["content"] == "It is [redacted]."
            found = await kept(turnout, long)
            assert found is not None
            assert (len(found["request"]["text"]), found["request"]["whole"]) == (1024, False)
            assert found["request"]["bytes"] > 5000
            assert await kept(turnout, silent) is None
            sampled = [await kept(turnout, each) is not None for each in halves]
            assert set(sampled) == {True, False}, "one run in 500,000 is all of one kind"

            metrics = await turnout.metrics()
            written = metrics.total("turnout_store_bodies_total", result="written")
            assert written == 3 + sum(sampled)
            assert metrics.total("turnout_store_bodies_total", result="dropped") == 0
            assert (
                await turnout.administer("DELETE", f"/api/v1/exchanges/{plain}/body")
            ).status_code == 200
            assert await kept(turnout, plain) is None
            assert await turnout.end() == 0
        files = {path.name: path.read_bytes() for path in turnout.data.iterdir() if path.is_file()}
        assert [name for name, text in files.items() if b"canary" in text] == []
        assert b"canary" not in turnout.log.read_bytes()
