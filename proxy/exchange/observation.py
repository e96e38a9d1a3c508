"""The Observation: the one finished record of one exchange.

Every log line, metric, alert and experiment is derived from it; nothing else measures
requests. It is a plain value that crosses from a worker to control, so it holds only what
msgpack can carry. It knows nothing of how it was gathered (`exchange.Exchange`) nor of who
reads it.
"""

from msgspec import Struct

from proxy.exchange.outcome import ErrorCode, Outcome

SCHEMA_VERSION = 1


class Usage(Struct, frozen=True, array_like=True, gc=False):
    """Tokens as the upstream counted them; None is unknown, 0 is zero."""

    prompt_tokens: int | None = None
    response_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class Texts(Struct, frozen=True, array_like=True, gc=False):
    """The words of an exchange on their way to whoever reads them in control; never stored."""

    prompt: bytes = b""  # the request's JSON as it came, only where tokens are to be counted
    reply: str = ""  # its beginning: content, then tool-call names and arguments
    choices: tuple[int, ...] = ()  # characters of `reply` that each has, where there are several
    form: bytes = b""  # the JSON by which the request asks for a form of its reply


class Bodies(Struct, frozen=True, array_like=True, gc=False):
    """What was asked and answered, word for word, on its way to the store, where a route keeps it.

    From a worker they are the beginnings, as they passed; once control has seen to them, as they
    may be kept, compressed.
    """

    request: bytes = b""
    reply: bytes = b""
    request_bytes: int = 0  # before anything was cut off
    reply_bytes: int = 0
    request_whole: bool = False  # known once control has seen to them
    reply_whole: bool = False
    events: bool = False  # the reply is a stream's
    lost: bool = False  # there was no room for them on the way

    @property
    def size(self) -> int:
        """How many bytes are held of both."""
        return len(self.request) + len(self.reply)


class Trace(Struct, frozen=True, array_like=True, gc=False):
    """The span of an exchange in its trace, as W3C's Trace Context names them."""

    trace_id: str  # 32 hexadecimal digits
    span_id: str  # 16, of this exchange
    parent_id: str | None = None  # of the client's span; None: the trace began here
    sampled: bool = True


class Observation(Struct, frozen=True, array_like=True):
    """One finished exchange. Durations are milliseconds on a monotonic clock."""

    request_id: str
    started_at: float  # seconds since the epoch
    table_version: int
    outcome: Outcome
    schema_version: int = SCHEMA_VERSION
    error_code: ErrorCode | None = None
    status: int | None = None  # what the client was sent; None: nothing

    method: str = "POST"
    endpoint: str = ""  # "/v1/chat/completions", ...; "other" for pass-through paths
    dialect: str = "none"  # chat | completions | embeddings | responses | messages | none
    stream: bool = False

    route: str | None = None  # a configured name, never the client's raw string
    variant_assigned: str | None = None
    variant_served: str | None = None
    forced: bool = False
    bucket: int | None = None  # the unit's hash: 53 bits
    unit_kind: str | None = None  # user | conversation | key | request: what it was sticky by
    upstream: str | None = None
    model_asked: str | None = None  # cut to 200 characters; not for metric labels
    model_served: str | None = None
    key_name: str | None = None
    attempts: int = 0  # times a request was sent upstream, or tried to be

    usage: Usage = Usage()
    tokens_source: str = "none"  # upstream | tiktoken | estimate | none
    latency_ms: float = 0.0
    ttft_ms: float | None = None
    tpot_ms: float | None = None  # per output token after the first
    output_ms: float | None = None  # from the first to the last output of a stream
    overhead_ms: float = 0.0  # latency less the time spent waiting on upstream
    reply_chars: int | None = None  # None: not a reply made of text
    reply_bytes: int = 0
    finish_reason: str | None = None
    refused: bool = False  # the model or a content filter declined, and said so in the protocol
    tool_calls: int = 0
    in_band_error: bool = False
    malformed_events: int = 0  # SSE events that were no JSON
    prompt_preview: str | None = None
    response_preview: str | None = None
    texts: Texts | None = None
    pinned: bool = False  # its unit has a variant of its own
    shadow_of: str | None = None  # the request that this one repeats, its reply kept from clients
    unit_missing: bool = False  # assigned by chance: the route is sticky, the request has no unit
    alerts: tuple[str, ...] = ()  # the rules that it broke; known from control on
    max_tokens: int | None = None  # what the request allowed the reply
    signals: tuple[str, ...] = ()  # what is wrong with the reply; known from control on
    format_check: str | None = None  # kept | broken | unchecked; None: no form was asked for
    cost_usd: float | None = None  # by the variant's prices; None is unknown, never zero
    bodies: Bodies | None = None  # None: they are not kept
    trace: Trace | None = None  # None: tracing is off, or nobody could say whose it is
