"""Alertmanager: notices as alerts of its API (v2), so that grouping and paging are its own.

It forgets an alert at its `endsAt`. What fires is therefore told afresh each minute with an end
a few minutes ahead; if turnout dies, Alertmanager takes it for resolved, as with Prometheus.
"""

from collections.abc import Callable
from typing import Any

import httpx2
import msgspec

from proxy.alerting.notice import Notice, State
from proxy.config.settings import Alertmanager
from proxy.notifiers.payload import moment
from proxy.notifiers.posting import host_of, post
from proxy.notifiers.wording import alertname, figures, severity

API = "/api/v2/alerts"
REFRESH_SECONDS = 60.0
LASTS_SECONDS = 4 * REFRESH_SECONDS  # as Prometheus: three in a row may get lost


class AlertmanagerCarrier:
    """Posts to the Alertmanager at `settings.url`; `wall` is seconds since the epoch."""

    refresh_seconds = REFRESH_SECONDS

    def __init__(
        self,
        settings: Alertmanager,
        http: httpx2.AsyncClient,
        *,
        host: str,
        wall: Callable[[], float],
    ) -> None:
        self.where = host_of(settings.url)
        self._settings = settings
        self._http = http
        self._host = host
        self._wall = wall

    async def tell(self, notice: Notice) -> None:
        """Have it taken. Trouble: it was not."""
        body = msgspec.json.encode([alert(notice, self._host, self._wall())])
        await post(self._http, self._settings.url + API, body, self._settings.headers)


def alert(notice: Notice, host: str, now: float) -> dict[str, Any]:
    """Return the alert, as Alertmanager takes it at `now`.

    It refuses what ends before it began, so a clock that was set back moves the beginning.
    """
    if notice.state is State.RESOLVED:
        ends = now
    else:
        ends = now + LASTS_SECONDS if notice.ends_at is None else notice.ends_at
    return {
        "labels": labels(notice, host),
        "annotations": annotations(notice),
        "startsAt": moment(min(notice.first_at, now)),
        "endsAt": moment(ends),
    }


def labels(notice: Notice, host: str) -> dict[str, str]:
    """Return what tells this alert from others, the same from its beginning to its end."""
    said = {
        "alertname": alertname(notice),
        "severity": severity(notice),
        "host": host,
        "route": notice.route,
        "variant": notice.variant,
        "about": notice.about,
    }
    return {name: value for name, value in said.items() if value}


def annotations(notice: Notice) -> dict[str, str]:
    """Return what a person needs to know of it."""
    said = {
        "summary": notice.sentence,
        "runbook_url": notice.runbook,
        **{name.lower(): said for name, said in figures(notice)},
        "request_ids": ", ".join(notice.request_ids),
    }
    return {name: value for name, value in said.items() if value}
