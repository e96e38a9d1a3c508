"""Views: exchanges as they were kept, as the models that are shown."""

from typing import Any

from msgspec import structs

from proxy.controlplane.admin import models
from proxy.controlplane.admin.views import moment
from proxy.store.observations import Body, Kept, KeptBodies


def line(kept: Kept) -> models.ExchangeRecord:
    """Return an exchange as it is shown."""
    seen = kept.observation
    said: dict[str, Any] = structs.asdict(seen) | structs.asdict(seen.usage)
    said |= {"number": kept.number, "started_at": moment(seen.started_at)}
    said |= {"alerts": list(seen.alerts), "signals": list(seen.signals)}
    return models.ExchangeRecord.model_validate(said)


def sizes(kept: KeptBodies) -> models.BodySizes:
    """Return what is said of bodies to whoever may not read them."""
    return models.BodySizes(
        request_bytes=kept.request.bytes,
        request_whole=kept.request.whole,
        reply_bytes=kept.reply.bytes,
        reply_whole=kept.reply.whole,
    )


def bodies(request_id: str, kept: KeptBodies) -> models.Bodies:
    """Return bodies as they are shown."""
    return models.Bodies(
        request_id=request_id, request=_body(kept.request), reply=_body(kept.reply)
    )


def _body(kept: Body) -> models.Body:
    return models.Body(text=kept.text, bytes=kept.bytes, whole=kept.whole)
