"""Views: exchanges as they were kept, as the models that are shown."""

from typing import Any

from msgspec import structs

from proxy.controlplane.admin import models
from proxy.controlplane.admin.views import moment
from proxy.store.observations import Kept


def line(kept: Kept) -> models.ExchangeRecord:
    """Return an exchange as it is shown."""
    seen = kept.observation
    said: dict[str, Any] = structs.asdict(seen) | structs.asdict(seen.usage)
    said |= {"number": kept.number, "started_at": moment(seen.started_at)}
    said |= {"alerts": list(seen.alerts), "signals": list(seen.signals)}
    return models.ExchangeRecord.model_validate(said)
