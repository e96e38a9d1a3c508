"""The webhook: notices posted as JSON to an address of one's own, signed where there is a secret.

Signatures are those of Standard Webhooks 1.0 (standardwebhooks.com): HMAC-SHA256 over id, time
and body, so that a receiver can tell who sent a post, and that it is not an old one sent again.
"""

import base64
import hmac
from collections.abc import Callable

import httpx2

from proxy.alerting.notice import Notice
from proxy.config.settings import Webhook
from proxy.notifiers.payload import payload
from proxy.notifiers.posting import host_of, post

ENCODED = "whsec_"  # what a secret in base64 begins with; others are taken as they are


class WebhookCarrier:
    """Posts to `settings.url`; `wall` is seconds since the epoch."""

    refresh_seconds = None

    def __init__(
        self,
        settings: Webhook,
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
        body = payload(notice, self._host)
        headers = {"webhook-id": notice.id, "webhook-timestamp": str(int(self._wall()))}
        if self._settings.secret is not None:
            headers["webhook-signature"] = signature(self._settings.secret, headers, body)
        await post(self._http, self._settings.url, body, headers | self._settings.headers)


def signature(secret: str, headers: dict[str, str], body: bytes) -> str:
    """Return what a post of `body` with these headers is signed with."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    if secret.startswith(ENCODED):
        key = base64.b64decode(secret.removeprefix(ENCODED))
    else:
        key = secret.encode()
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
