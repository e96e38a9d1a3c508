"""A fine-tune that fails behind a fallback: clients notice nothing, whoever operates it does."""

from pathlib import Path

from tests.support.patience import eventually
from tests.support.raw_traffic import ask
from tests.support.scripted_upstream import (
    error_reply,
    json_reply,
    refusing_port,
    scripted_upstream,
)
from tests.support.served import Line, Served, served

CONFIG = """\
upstreams:
  tuned: {{base_url: 'http://127.0.0.1:{tuned}/v1', retries: 0,
           eject_after: 2, eject_seconds: 0.2}}
  plain: {{base_url: 'http://127.0.0.1:{plain}/v1'}}
routes:
  support:
    variants: {{ft-v2: {{upstream: tuned, model: m}}, base: {{upstream: plain, model: m}}}}
    split: {{ft-v2: 100, base: 0}}
    fallback: [base]
"""
MESSAGE = {"role": "assistant", "content": "It left the depot."}
CHOICE = {"index": 0, "message": MESSAGE, "finish_reason": "stop"}
ANSWER = json_reply({"object": "chat.completion", "choices": [CHOICE], "usage": {}})


async def told(turnout: Served, event: str) -> Line:
    """Return the first line of an event, once it is there."""

    async def lines() -> list[Line]:
        return turnout.lines(event)

    return (await eventually(lines, bool))[0]


async def test_a_fine_tune_that_is_dead_is_logged_and_counted_though_clients_get_replies(
    tmp_path: Path,
) -> None:
    async with scripted_upstream() as plain:
        plain.by_default = ANSWER
        with refusing_port() as port:
            config = CONFIG.format(tuned=port, plain=plain.port)
            async with served(tmp_path, config) as turnout:
                for _ in range(3):
                    await ask(turnout.port)
                unreachable = await told(turnout, "upstream_unreachable")
                ejected = await told(turnout, "upstream_ejected")
                exchanges = await turnout.exchanges(3)
                metrics = await turnout.metrics()
    assert {line["status"] for line in exchanges} == {200}
    assert (unreachable["level"], unreachable["upstream"]) == ("warning", "tuned")
    assert unreachable["error_code"] == "provider_connect_failed"
    assert (ejected["level"], ejected["upstream"], ejected["workers"]) == ("warning", "tuned", 1)
    labels = {"route": "support", "variant": "ft-v2", "served": "base"}
    assert metrics.total("turnout_fallbacks_total", **labels) == 3


async def test_an_upstream_that_is_well_again_is_said_to_be_back(tmp_path: Path) -> None:
    async with scripted_upstream() as plain, scripted_upstream() as tuned:
        plain.by_default = tuned.by_default = ANSWER
        tuned.will(error_reply(500), error_reply(500))
        config = CONFIG.format(tuned=tuned.port, plain=plain.port)
        async with served(tmp_path, config) as turnout:

            async def back() -> list[Line]:
                await ask(turnout.port)
                return turnout.lines("upstream_returned")

            (returned,) = await eventually(back, bool)
            assert len(turnout.lines("upstream_ejected")) == 1
    assert (returned["level"], returned["upstream"]) == ("info", "tuned")
