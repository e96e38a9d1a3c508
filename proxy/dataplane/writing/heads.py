"""Heads in both directions: which header goes on, which stays, which we add.

Hop-by-hop headers never pass (`http.end_to_end`). Neither do a client's x-turnout-* (ours to
read), nor its X-Forwarded-* and Forwarded (anybody can write them), nor a key that was meant
for turnout itself.
"""

from proxy.config.settings import UpstreamSettings
from proxy.http import Headers, Request, end_to_end

REQUEST_ID = b"x-turnout-request-id"
ROUTE = b"x-turnout-route"
VARIANT = b"x-turnout-variant"

_NEVER_UP = frozenset(
    {
        b"content-length",
        b"expect",
        b"forwarded",
        b"host",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-proto",
        b"x-real-ip",
        REQUEST_ID,
        ROUTE,
        VARIANT,
    }
)
_CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"api-key"})
_METERED = frozenset({b"accept-encoding"})  # a compressed reply can't be metered
_NEVER_DOWN = frozenset({b"content-length", REQUEST_ID, ROUTE, VARIANT})


class HeadWriter:
    """Writes the request heads for one upstream; what never changes is rendered once."""

    __slots__ = ("_credentials", "_drop", "_drop_metered", "_fixed", "_own_key", "_prefix")

    def __init__(self, upstream: UpstreamSettings, *, keys_are_ours: bool) -> None:
        """`keys_are_ours`: clients' credentials are for turnout, and stay here."""
        self._own_key = upstream.api_key
        self._prefix = upstream.prefix.encode()
        extra = "".join(f"{name}: {value}\r\n" for name, value in upstream.headers.items())
        self._fixed = b"host: " + authority(upstream) + b"\r\n" + extra.encode("latin-1")
        drop = _NEVER_UP | {name.lower().encode("latin-1") for name in upstream.headers}
        if upstream.api_key is not None or keys_are_ours:
            drop |= _CREDENTIALS
        self._drop = drop
        self._drop_metered = drop | _METERED
        self._credentials = {
            b"authorization": f"authorization: Bearer {upstream.api_key}\r\n".encode("latin-1"),
            b"x-api-key": f"x-api-key: {upstream.api_key}\r\n".encode("latin-1"),
        }

    def write(self, request: Request, dialect: str, length: int | None) -> bytes:
        """Return the head for `request`; `length` None: the body is sent in chunks, if any.

        `dialect` "none" leaves the reply's encoding to the client; every other one asks for
        identity, because its reply is metered.
        """
        metered = dialect != "none"
        drop = self._drop_metered if metered else self._drop
        query = b"?" + request.query if request.query else b""
        path = request.path.encode("ascii").removeprefix(b"/v1")
        lines = [
            b"%s %s%s%s HTTP/1.1\r\n" % (request.method.encode(), self._prefix, path, query),
            self._fixed,
        ]
        if self._own_key is not None:
            name = b"x-api-key" if dialect == "messages" else b"authorization"
            lines.append(self._credentials[name])
        if metered:
            lines.append(b"accept-encoding: identity\r\n")
        if length is not None:
            lines.append(b"content-length: %d\r\n" % length)
        elif request.has_body:
            lines.append(b"transfer-encoding: chunked\r\n")
        lines += [b"%s: %s\r\n" % field for field in end_to_end(request.headers, extra_drop=drop)]
        lines.append(b"\r\n")
        return b"".join(lines)


def authority(upstream: UpstreamSettings) -> bytes:
    """Return the Host of `upstream`: the port only where it is not the scheme's own."""
    host = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
    default = 443 if upstream.scheme == "https" else 80
    return (host if upstream.port == default else f"{host}:{upstream.port}").encode("ascii")


def reply_headers(headers: Headers, own: Headers) -> Headers:
    """Return an upstream's end-to-end headers and our own; framing is added by the edge."""
    return end_to_end(headers, extra_drop=_NEVER_DOWN) + own


def own_headers(request_id: str, route: str | None, variant: str | None) -> Headers:
    """Return the headers that tell a client what served it."""
    own = [(REQUEST_ID, request_id.encode())]
    if route is not None:
        own.append((ROUTE, route.encode()))
    if variant is not None:
        own.append((VARIANT, variant.encode()))
    return own
