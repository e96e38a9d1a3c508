"""The Exchange: one request while it lives.

It gathers the phases as they pass and is closed exactly once, whatever the ending. It reads no
clock: its owner (the data plane) stamps every time, in seconds on one monotonic clock. It
knows nothing of sockets, and nothing reads it but its owner; what others read is the
Observation that `close` returns.
"""

from proxy.exchange.observation import Observation, Texts, Usage
from proxy.exchange.outcome import ErrorCode, Outcome
from proxy.exchange.reading import Reading

MODEL_CHARS = 200  # of the model name a client asked for: enough to find, too short to flood


NO_READING = Reading()
NO_USAGE = Usage()


class Exchange:
    """One live request; the data plane owns it and writes its attributes as phases pass."""

    __slots__ = (
        "attempts",
        "began",
        "bucket",
        "closed",
        "dialect",
        "endpoint",
        "error_code",
        "first_output_at",
        "forced",
        "key_name",
        "last_output_at",
        "method",
        "model_asked",
        "model_sent",
        "outcome",
        "pinned",
        "prompt_preview",
        "reading",
        "request_id",
        "response_preview",
        "route",
        "shadow_of",
        "started_at",
        "stream",
        "table_version",
        "texts",
        "unit_kind",
        "unit_missing",
        "upstream",
        "variant_assigned",
        "variant_served",
        "waited",
    )

    def __init__(
        self,
        *,
        request_id: str,
        started_at: float,
        began: float,
        table_version: int,
        method: str,
        endpoint: str,
    ) -> None:
        self.request_id = request_id
        self.started_at = started_at  # seconds since the epoch
        self.began = began  # seconds, monotonic, like every other time here
        self.table_version = table_version
        self.method = method
        self.endpoint = endpoint
        self.dialect = "none"
        self.stream = False
        self.key_name: str | None = None
        self.model_asked: str | None = None
        self.model_sent: str | None = None
        self.route: str | None = None
        self.variant_assigned: str | None = None
        self.variant_served: str | None = None
        self.forced = False
        self.pinned = False
        self.shadow_of: str | None = None
        self.bucket: int | None = None
        self.unit_kind: str | None = None
        self.unit_missing = False
        self.upstream: str | None = None
        self.attempts = 0
        self.waited = 0.0  # on the client's body, on upstreams, on back-off: not our own doing
        self.first_output_at: float | None = None
        self.last_output_at: float | None = None
        self.prompt_preview: str | None = None
        self.response_preview: str | None = None
        self.texts: Texts | None = None
        self.reading = NO_READING
        self.outcome = Outcome.COMPLETED
        self.error_code: ErrorCode | None = None
        self.closed = False

    def output_arrived(self, at: float) -> None:
        """Note that a piece of the reply's output arrived."""
        if self.first_output_at is None:
            self.first_output_at = at
        self.last_output_at = at

    def ended(self, outcome: Outcome, code: ErrorCode | None = None) -> None:
        """Note how it ended; the last word before `close` counts."""
        self.outcome = outcome
        self.error_code = code

    def close(self, at: float, *, status: int | None, reply_bytes: int) -> Observation:
        """Return the finished record; a second call is a RuntimeError."""
        if self.closed:
            raise RuntimeError("an exchange is closed exactly once")
        self.closed = True
        reading = self.reading
        usage = reading.usage or NO_USAGE
        ttft = output = tpot = None
        if self.stream and self.first_output_at is not None and self.last_output_at is not None:
            ttft = milliseconds(self.first_output_at - self.began)
            output = milliseconds(self.last_output_at - self.first_output_at)
            tpot = per_token(output, usage.response_tokens)
        latency = at - self.began
        return Observation(
            request_id=self.request_id,
            started_at=self.started_at,
            table_version=self.table_version,
            outcome=self.outcome,
            error_code=self.error_code,
            status=status,
            method=self.method,
            endpoint=self.endpoint,
            dialect=self.dialect,
            stream=self.stream,
            route=self.route,
            variant_assigned=self.variant_assigned,
            variant_served=self.variant_served,
            forced=self.forced,
            bucket=self.bucket,
            unit_kind=self.unit_kind,
            upstream=self.upstream,
            model_asked=self.model_asked and self.model_asked[:MODEL_CHARS],
            model_served=reading.model or self.model_sent,
            key_name=self.key_name,
            attempts=self.attempts,
            usage=usage,
            tokens_source="none" if reading.usage is None else "upstream",
            latency_ms=milliseconds(latency),
            ttft_ms=ttft,
            tpot_ms=tpot,
            output_ms=output,
            overhead_ms=milliseconds(max(0.0, latency - self.waited)),
            reply_chars=reading.reply_chars,
            reply_bytes=reply_bytes,
            finish_reason=reading.finish_reason,
            refused=reading.refused,
            tool_calls=reading.tool_calls,
            in_band_error=reading.error,
            malformed_events=reading.malformed_events,
            prompt_preview=self.prompt_preview,
            response_preview=self.response_preview,
            texts=self.texts,
            pinned=self.pinned,
            shadow_of=self.shadow_of,
            unit_missing=self.unit_missing,
        )


def milliseconds(seconds: float) -> float:
    """Return `seconds` (>= 0) as milliseconds, to the microsecond; cheaper than round()."""
    return int(seconds * 1e6 + 0.5) / 1000


def per_token(output_ms: float | None, tokens: int | None) -> float | None:
    """Return the milliseconds per output token after the first; None for a single token.

    The definition is OpenTelemetry's gen_ai.server.time_per_output_token: the time from the
    first to the last output, divided by the tokens after the first.
    """
    if output_ms is None or tokens is None or tokens < 2:
        return None
    return milliseconds(output_ms / (tokens - 1) / 1000)
