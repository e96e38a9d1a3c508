"""Who is served, where, and within which bounds."""

from proxy.config import fields, settings
from proxy.config.schema.costs import Spend
from proxy.config.schema.part import Part

LIMITS = settings.Limits()
DEADLINES = settings.Deadlines()


class Key(Part):
    """What one client's key may do."""

    sha256: fields.Digest
    """The key's SHA-256 digest in hexadecimal: `printf %s "$KEY" | sha256sum`."""
    requests_per_minute: fields.Some | None = None
    """Requests a minute at most."""
    tokens_per_minute: fields.Some | None = None
    """Tokens a minute at most, prompt and reply together."""
    budget: Spend | None = None
    """How much its requests may cost."""
    routes: list[str] | None = None
    """The only routes it may use; without them, all, and whatever passes through."""


class Limits(Part):
    """How much a client may send."""

    head_bytes: fields.Size = LIMITS.head_bytes
    """A request's line and headers."""
    header_count: fields.Some = LIMITS.header_count
    """Headers of a request."""
    target_bytes: fields.Size = LIMITS.target_bytes
    """A request's path and query."""
    body_bytes: fields.Size = LIMITS.body_bytes
    """A body that turnout reads whole: chat, completions, embeddings, responses, messages."""
    stream_body_bytes: fields.Size = LIMITS.stream_body_bytes
    """A body that passes through piece by piece: files, audio, images."""
    connections: fields.Count = LIMITS.connections
    """Client connections of one worker, at most what the limit on open files allows; 0: that."""
    buffer_bytes: fields.Size = LIMITS.buffer_bytes
    """Kept for a client that reads more slowly than the upstream writes."""
    max_n: fields.Some = LIMITS.max_n
    """Choices that a request may ask for (`n`)."""
    max_tokens: fields.Some = LIMITS.max_tokens
    """Output tokens that a request may ask for."""


class Deadlines(Part):
    """How long a client may take, in seconds."""

    head: fields.Seconds = DEADLINES.head
    """From the first byte of a request's head to its end."""
    body: fields.Seconds = DEADLINES.body
    """For the body at first; after that it must keep up `body_rate`."""
    body_rate: fields.Some = DEADLINES.body_rate
    """Bytes a second that a body must come at on average."""
    idle: fields.Seconds = DEADLINES.idle
    """That a kept-alive connection may stay without a request."""
    send: fields.Seconds = DEADLINES.send
    """That a client may take no byte of its reply."""


class Token(Part):
    """What one token of the administration may do."""

    sha256: fields.Digest
    """The token's SHA-256 digest in hexadecimal: `printf %s "$TOKEN" | sha256sum`."""
    role: settings.Role = "reader"
    """`reader` sees everything; `admin` may also change the routing."""


class Admin(Part):
    """The administration listener: metrics, health, and the API that changes the routing."""

    listen: fields.Address = "127.0.0.1:8001"
    """Where it listens, HOST:PORT. Keep it off the networks that clients are on."""
    names: list[fields.HostName] = []
    """Names of hosts that requests may call it by, a Kubernetes Service's say, beside
    IP addresses, `localhost` and the name in `listen`."""
    tokens: dict[fields.Name, Token] = {}
    """Its users' tokens by name, which the audit log tells. Beside them there is the one that
    turnout makes itself and keeps in its data directory, for the command line."""


class Tls(Part):
    """TLS for the traffic listener."""

    certificate: fields.Text
    """The PEM file of the certificate and its chain."""
    key: fields.Text
    """The PEM file of its private key."""
