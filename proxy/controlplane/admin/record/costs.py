"""Costs, shown to readers: what was spent from a day on, and how the budgets stand."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol

from fastapi import Query
from msgspec import structs
from pydantic import AwareDatetime

from proxy.controlplane.admin import models
from proxy.controlplane.admin.entrance.refusals import Refused
from proxy.pricing import day_of
from proxy.store.observations import By, Spent

DAYS = 30  # that are shown where nobody says since when
SECONDS = 86_400
OFF = "No spending is on record: the configuration says `store: off`."
SUMS = ("requests", "unpriced", "cost_usd", "shadow_usd")


class Kept(Protocol):
    """Where spending is on record; it blocks."""

    def spent(self, since: int, by: By) -> Sequence[Spent]:
        """Return what was spent from a day on."""
        ...


class Costing:
    """Answers what readers ask of money; `kept` of None: the store is off."""

    def __init__(self, kept: Kept | None, clock: Callable[[], float]) -> None:
        self._kept = kept
        self._clock = clock

    def cost(
        self,
        since: Annotated[
            AwareDatetime | None, Query(description="From this moment's day on, in UTC.")
        ] = None,
        by: Annotated[By, Query(description="What to add it up by.")] = "variant",
    ) -> models.Costs:
        """Return what was spent, added up by route, variant, key or day."""
        if self._kept is None:
            raise Refused(409, OFF)
        at = self._clock() - DAYS * SECONDS if since is None else since.timestamp()
        day = day_of(at)
        found = [line(each) for each in self._kept.spent(day, by)]
        return models.Costs(since=date_of(day), by=by, spending=found, total=total(found))


def line(found: Spent) -> models.Spending:
    """Return what one group came to."""
    said: dict[str, Any] = structs.asdict(found)
    said["day"] = None if found.day is None else date_of(found.day)
    return models.Spending.model_validate(said)


def total(found: Sequence[models.Spending]) -> models.Spending:
    """Return what all of them came to."""
    sums = {name: sum(getattr(each, name) for each in found) for name in SUMS}
    return models.Spending(day=None, route=None, variant=None, key=None, **sums)


def date_of(day: int) -> Any:
    """Return a day since 1970-01-01 as a date."""
    return datetime.fromtimestamp(day * SECONDS, UTC).date()
