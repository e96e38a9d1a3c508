"""Heads in both directions: which header goes on, which stays, which we add.

Hop-by-hop headers never pass (`http.end_to_end`). Neither do a client's x-turnout-* (ours to
read), nor its X-Forwarded-* and Forwarded (anybody can write them), nor a key that was meant
for turnout itself.
"""

from functools import lru_cache

from msgspec import Struct

from proxy.config.settings import UpstreamSettings
from proxy.dataplane.writing import tracing
from proxy.errors import UpstreamFailure
from proxy.exchange import ErrorCode, Trace
from proxy.http import KEPT_HEADS, Fields, Head, Headers, Request, end_to_end, render
from proxy.upstream import ResponseHead

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
# What a second request that its client knows nothing of must not have: it would be taken for the
# first, or be done in the client's name.
_CLIENTS_OWN = _CREDENTIALS | {b"cookie", b"idempotency-key"}
_METERED = frozenset({b"accept-encoding"})  # a compressed reply can't be metered
_NEVER_DOWN = frozenset({b"content-length", REQUEST_ID, ROUTE, VARIANT})


class HeadWriter:
    """Writes the request heads for one upstream.

    What never changes is rendered once, and so is what the edge remembers of a client's head.
    """

    __slots__ = (
        "_drop",
        "_drop_metered",
        "_known",
        "_messages",
        "_metered",
        "_passed",
        "_passed_anthropic",
        "_prefix",
    )

    def __init__(
        self,
        upstream: UpstreamSettings,
        *,
        keys_are_ours: bool,
        shadow: bool = False,
        traced: bool = False,
    ) -> None:
        """`keys_are_ours`: clients' credentials are for turnout, and stay here.

        `shadow`: for requests that no client made; what is a client's own stays here. `traced`:
        which trace a request is of is told anew.
        """
        self._prefix = upstream.prefix
        names = frozenset(name.lower().encode("latin-1") for name in upstream.headers)
        self._drop = _NEVER_UP | names
        if upstream.api_key is not None or keys_are_ours:
            self._drop |= _CREDENTIALS
        if shadow:
            self._drop |= _CLIENTS_OWN
        if traced:
            self._drop |= tracing.HEADERS
        self._drop_metered = self._drop | _METERED
        set_always = [f"{name}: {value}" for name, value in upstream.headers.items()]
        host = f"host: {authority(upstream)}"
        bearer = x_api_key = []
        if upstream.api_key is not None:
            bearer = [f"authorization: Bearer {upstream.api_key}"]
            x_api_key = [f"x-api-key: {upstream.api_key}"]
        identity = "accept-encoding: identity"
        self._passed = _block(host, *set_always, *bearer)
        self._passed_anthropic = _block(host, *set_always, *x_api_key)
        self._metered = _block(host, *set_always, *bearer, identity)
        self._messages = _block(host, *set_always, *x_api_key, identity)
        self._known = lru_cache(maxsize=KEPT_HEADS)(self._start)

    def write(
        self, request: Request, dialect: str, length: int | None, trace: Trace | None = None
    ) -> bytes:
        """Return the head for `request`; `length` None: the body is sent in chunks, if any.

        `dialect` "none" leaves the reply's encoding to the client; every other one asks for
        identity, because its reply is metered.
        """
        head = request.head
        start = (self._known if head.kept else self._start)(head, dialect)
        if trace is not None:
            start += tracing.lines(trace, head)
        if length is not None:
            return b"%bcontent-length: %d\r\n\r\n" % (start, length)
        return start + (b"transfer-encoding: chunked\r\n\r\n" if request.has_body else b"\r\n")

    def _start(self, head: Head, dialect: str) -> bytes:
        """Return all lines but those that frame the body, each with its end."""
        target = f"{self._prefix}{head.path.removeprefix('/v1')}"
        line = f"{head.method} {target}".encode("ascii")
        line += b"?%b HTTP/1.1" % head.query if head.query else b" HTTP/1.1"
        if dialect == "none":
            drop = self._drop
            # Its clients say the version always: on what goes with messages (counts, batches) too.
            anthropic = head.header(b"anthropic-version") is not None
            ours = self._passed_anthropic if anthropic else self._passed
        else:
            drop = self._drop_metered
            ours = self._messages if dialect == "messages" else self._metered
        passed = end_to_end(head.headers, extra_drop=drop)
        return b"\r\n".join([line, ours, *map(b": ".join, passed), b""])


def _block(*lines: str) -> bytes:
    return "\r\n".join(lines).encode("latin-1")


def authority(upstream: UpstreamSettings) -> str:
    """Return the Host of `upstream`: the port only where it is not the scheme's own."""
    host = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
    default = 443 if upstream.scheme == "https" else 80
    return host if upstream.port == default else f"{host}:{upstream.port}"


class Passed(Struct, frozen=True):
    """What of an upstream's head goes on to the client, and what it says of the body.

    `streamed`: it is a stream of server-sent events; `readable`: it is not compressed. What is
    compressed is no stream to us.
    """

    fields: Fields
    streamed: bool
    readable: bool


def passed(head: ResponseHead) -> Passed:
    """Return what goes on, framing and our own headers apart, or raise UpstreamFailure."""
    return _known(head) if head.kept else _passed(head)


def _passed(head: ResponseHead) -> Passed:
    streamed, readable = False, True
    for name, value in head.headers:
        if len(name) == 12 and name.lower() == b"content-type":
            streamed = value[:17].lower() == b"text/event-stream"
        elif len(name) == 16 and name.lower() == b"content-encoding":
            readable = value.lower() == b"identity"
    try:
        fields = render(end_to_end(head.headers, extra_drop=_NEVER_DOWN))
    except ValueError as error:  # a header that must not be passed on
        raise UpstreamFailure(ErrorCode.PROVIDER_BAD_REPLY) from error
    return Passed(fields, streamed and readable, readable)


_known = lru_cache(maxsize=KEPT_HEADS)(_passed)  # by the head's identity


def own_headers(request_id: str, route: str | None, variant: str | None) -> Headers:
    """Return the headers that tell a client what served it."""
    return [(REQUEST_ID, request_id.encode()), *_names(route, variant)]


def own_lines(request_id: str, route: str | None, variant: str | None) -> bytes:
    """Return the same headers as they are written."""
    return b"%b: %b\r\n%b" % (REQUEST_ID, request_id.encode(), _name_lines(route, variant))


def _names(route: str | None, variant: str | None) -> Headers:
    names = ((ROUTE, route), (VARIANT, variant))
    return [(header, name.encode()) for header, name in names if name is not None]


@lru_cache(maxsize=1024)
def _name_lines(route: str | None, variant: str | None) -> bytes:
    return render(_names(route, variant)).lines
