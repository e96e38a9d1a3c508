"""Exchanges on record, as they are shown; the fields have the names that they have in the log."""

from pydantic import AwareDatetime

from proxy.controlplane.admin.models.forms import Answer
from proxy.controlplane.admin.models.history import VersionLine


class ExchangeRecord(Answer):
    """One exchange on record. Durations are milliseconds; null is unknown or not so."""

    number: int
    """Its place on record: the later it came, the higher."""
    request_id: str
    """Its id, as its client was told in `x-turnout-request-id`."""
    started_at: AwareDatetime
    """When its request's head was read."""
    route: str | None
    """The route; null: passed through."""
    variant_assigned: str | None
    """The variant that was to serve it."""
    variant_served: str | None
    """The variant that did."""
    forced: bool
    """Whether its client asked for the variant by name."""
    pinned: bool
    """Whether its unit has a variant of its own."""
    bucket: int | None
    """The unit's hash, 53 bits, by which it was assigned."""
    unit_kind: str | None
    """What it was sticky by."""
    unit_missing: bool
    """Whether it was assigned by chance, for its request has no unit."""
    table_version: int
    """The routing that decided."""
    upstream: str | None
    """The upstream that was asked last."""
    attempts: int
    """How often a request was sent upstream, or tried to be."""
    method: str
    """The request's method."""
    endpoint: str
    """The API's endpoint; `other` for what passes through."""
    dialect: str
    """The API it speaks; `none`: none that is known."""
    stream: bool
    """Whether the client asked for a stream."""
    model_asked: str | None
    """The model in the request."""
    model_served: str | None
    """The model in the reply."""
    key_name: str | None
    """The client's key."""
    status: int | None
    """What its client was sent; null: nothing."""
    outcome: str
    """How it ended."""
    error_code: str | None
    """What went wrong."""
    in_band_error: bool
    """Whether a reply with status 200 carried an error."""
    alerts: list[str]
    """The rules that it broke."""
    latency_ms: float
    """From the request's head to the reply's last byte."""
    ttft_ms: float | None
    """From the request's head to the first output of a stream."""
    tpot_ms: float | None
    """For each output token after the first."""
    output_ms: float | None
    """From the first to the last output of a stream."""
    overhead_ms: float
    """Of the latency, what turnout itself added."""
    prompt_tokens: int | None
    """Tokens of the request."""
    response_tokens: int | None
    """Tokens of the reply."""
    cached_tokens: int | None
    """Of the request's tokens, those that the upstream had cached."""
    reasoning_tokens: int | None
    """Of the reply's tokens, those spent on reasoning."""
    tokens_source: str
    """Who counted the tokens."""
    cost_usd: float | None
    """What it cost, in US dollars; null: unknown, or nobody charges for it."""
    reply_chars: int | None
    """Characters of the reply's text."""
    reply_bytes: int
    """Bytes of the reply's body."""
    finish_reason: str | None
    """Why the model stopped, in its words."""
    refused: bool
    """Whether the model or a filter declined, and said so in the protocol."""
    tool_calls: int
    """Tool calls in the reply."""
    max_tokens: int | None
    """The tokens that the request allowed its reply."""
    signals: list[str]
    """What may be wrong with the reply."""
    format_check: str | None
    """Whether the reply has the form that was asked for; null: none was."""
    malformed_events: int
    """Events of the stream that were no JSON."""
    prompt_preview: str | None
    """The last message's first characters, redacted."""
    response_preview: str | None
    """The reply's first characters, redacted."""
    shadow_of: str | None
    """A shadow's: the request that it repeats."""


class ExchangeRecords(Answer):
    """Exchanges on record: the newest first, or after a number the oldest first."""

    exchanges: list[ExchangeRecord]
    """This page."""
    before: int | None
    """What to ask for `before` to have the next page; null: this is the last."""


class BodySizes(Answer):
    """What is said of bodies that are kept to whoever may not read them."""

    request_bytes: int
    """Bytes of the request."""
    request_whole: bool
    """Whether nothing of it was cut off."""
    reply_bytes: int
    """Bytes of the reply, a stream's events."""
    reply_whole: bool
    """Whether nothing of it was cut off."""


class Body(Answer):
    """A request, or a reply, as it is kept."""

    text: str
    """Its text: JSON, unless something was cut off."""
    bytes: int
    """How many bytes there were."""
    whole: bool
    """Whether nothing was cut off."""


class Bodies(Answer):
    """What was asked and answered."""

    request_id: str
    """The exchange's id."""
    request: Body
    """What its client sent."""
    reply: Body
    """What came back; a stream's events are put together."""


class Forgotten(Answer):
    """What was said in a request was taken out."""

    request_id: str
    """The exchange's id."""


class Story(Answer):
    """All that is known of one exchange."""

    exchange: ExchangeRecord
    """The exchange."""
    bodies: BodySizes | None
    """Of its bodies, which admins may read; null: none are kept."""
    decided_by: VersionLine | None
    """The version of the routing that decided; null: it is not known any more."""
    repeats: ExchangeRecord | None
    """A shadow's: the exchange that it repeats; null: it is none, or that one is not on record."""
    shadows: list[ExchangeRecord]
    """Its shadows."""
