"""The gate: what holds for every request, whatever it asks for.

A page in a browser can't reach administration by a name of its own (DNS rebinding): the Host
must be an IP address, localhost, or a configured name. Every answer has the security headers.
A path is taken apart before it is decoded, so that `%2F` in a name is no slash of the path. Who
calls is decided behind it, by the route that the path leads to.
"""

import contextlib
import ipaddress
from collections.abc import Iterable
from urllib.parse import unquote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from proxy.controlplane.admin.entrance.refusals import refusal

CSP = "content-security-policy"
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
SECURITY_HEADERS = {
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
SLASH = "%2F"  # a slash within a name, in the path that routes are matched with


class Gate:
    """ASGI middleware: refuses foreign Hosts, and puts the security headers on every answer."""

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        self._names = {"localhost", *(name.lower() for name in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 400."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers.setdefault(CSP, POLICY)
            await send(message)

        hosts = [value for name, value in scope["headers"] if name == b"host"]
        known = len(hosts) == 1 and self._knows(hosts[0].decode("latin-1"))
        app = self._app if known else refusal(400, "This Host is not known here.")
        await app({**scope, "path": path(scope["raw_path"])}, receive, send_guarded)

    def _knows(self, value: str) -> bool:
        name, _, port = value.lower().rpartition(":")
        if not port.isdigit() or (":" in name and not name.endswith("]")):
            name = value.lower()
        if name in self._names:
            return True
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
            return True
        return False


def path(raw: bytes) -> str:
    """Return a path decoded part by part; slashes within a part stay as they were written."""
    parts = raw.partition(b"?")[0].decode("latin-1").split("/")
    return "/".join(unquote(part).replace("/", SLASH) for part in parts)


def name(part: str) -> str:
    """Return the name that a part of such a path says."""
    return part.replace(SLASH, "/")
