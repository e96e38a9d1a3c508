"""A route with a shadow, and asking it: what several tests of shadows need."""

from typing import Any

from proxy.channel import ShadowReport
from proxy.config.settings import DataPlane
from proxy.exchange import Observation
from proxy.routing import Route
from proxy.routing.table import Shadow
from tests.support.data_plane import Turnout, settings_of, upstream, variant
from tests.support.scripted_upstream import Steps, json_reply

CHAT = "/v1/chat/completions"


def reply(model: str, text: str = "Your parcel is on its way.") -> Steps:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16}
    return json_reply(
        {"object": "chat.completion", "model": model, "choices": [choice], "usage": usage}
    )


def ask(**more: object) -> dict[str, object]:
    return {"model": "support", "messages": [{"role": "user", "content": "Where is it?"}], **more}


def shadowed(
    base: int,
    tuned: int,
    *,
    percent: float = 100.0,
    timeout: float = 5.0,
    concurrency: int = 16,
    one: dict[str, Any] | None = None,
    two: dict[str, Any] | None = None,
    route: dict[str, Any] | None = None,
    **changes: Any,
) -> DataPlane:
    """Return a route that port `base` serves, and that variant `ft`, on port `tuned`, follows."""
    shadow = Shadow(variant="ft", percent=percent, timeout=timeout, concurrency=concurrency)
    given: dict[str, Any] = {"weights": (1.0, 0.0), "shadow": shadow, **(route or {})}
    variants = (variant("base", "one", "gpt-base"), variant("ft", "two", "ft-model"))
    return settings_of(
        Route(name="support", variants=variants, **given),
        upstreams=[
            upstream("one", base, **(one or {})),
            upstream("two", tuned, **(two or {})),
        ],
        **changes,
    )


def report(turnout: Turnout) -> ShadowReport:
    """Return the only account of shadows."""
    (only,) = turnout.service.shadows.report()
    return only


async def pair(turnout: Turnout, body: dict[str, object] | None = None) -> list[Observation]:
    """Ask once; return the client's observation and its shadow's."""
    await turnout.post(CHAT, body or ask())
    first, second = await turnout.observed(), await turnout.observed()
    assert second.shadow_of == first.request_id
    return [first, second]
