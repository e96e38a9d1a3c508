"""Alerts and silences, as they are taken and shown."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from proxy.controlplane.admin.models.forms import MOST_WORDS, Answer, Asked, Line, Name
from proxy.controlplane.admin.models.status import AlertCount, AlertState

LONGEST_SECONDS = 31 * 86_400  # of a silence


class Alerts(Answer):
    """The alerts there are."""

    alerts: list[AlertState]
    """Over windows: what fires, what is pending, and what was resolved within an hour."""
    exchanges: list[AlertCount]
    """On single exchanges: those raised within the last `alert_seconds`."""
    alert_seconds: float
    """How far back those are counted, in seconds."""


class NewSilence(Asked):
    """A silence to make. It is of alerts that have all that is said of them."""

    alert: Name | None = None
    """The rule's name; without it, any."""
    route: Name | None = None
    """The route; without it, any."""
    variant: Name | None = None
    """The variant; without it, any, and routes as a whole."""
    everything: bool = False
    """That it is meant to be of all alerts: must be said where nothing else is."""
    seconds: Annotated[float, Field(gt=0, le=LONGEST_SECONDS, allow_inf_nan=False)]
    """For how long, in seconds."""
    why: Annotated[Line, Field(min_length=1, max_length=MOST_WORDS)]
    """Why."""


class SilenceState(Answer):
    """A silence that lasts, or has just been ended."""

    number: int
    """Its number, to end it by."""
    alert: str | None
    """The rule's name; null: any."""
    route: str | None
    """The route; null: any."""
    variant: str | None
    """The variant; null: any."""
    begins_at: AwareDatetime
    """When it began."""
    ends_at: AwareDatetime
    """When it ends by itself."""
    who: str
    """Who made it: the name of a token."""
    why: str
    """Why."""


class Silences(Answer):
    """The silences that last, in the order in which they end."""

    silences: list[SilenceState]
    """They."""
