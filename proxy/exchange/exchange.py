"""The Exchange: one request while it lives.

It gathers the phases as they pass and is closed exactly once, whatever the ending. It reads no
clock: its owner (the data plane) stamps every time, in seconds on one monotonic clock. It
knows nothing of sockets, and nothing reads it but its owner; what others read is the
Observation that `close` returns.
"""

from collections.abc import Callable
from typing import Final, Protocol

from msgspec.structs import replace

from proxy.exchange.observation import (
    SCHEMA_VERSION,
    Bodies,
    Observation,
    Texts,
    Trace,
    Usage,
)
from proxy.exchange.outcome import ErrorCode, Outcome
from proxy.exchange.reading import Reading

MODEL_CHARS = 200  # of the model name a client asked for: enough to find, too short to flood
Take = Callable[[bytes], None]
Pace = tuple[float | None, float | None, float | None]  # milliseconds

NO_READING = Reading()
NO_USAGE = Usage()
COMPLETED: Final = Outcome.COMPLETED  # looking up an enum's member is a call in Python 3.11
NO_PACE: Pace = (None, None, None)


class Copy(Protocol):
    """Holds the beginning of an exchange's bodies, where they are kept."""

    def again(self) -> "Copy":
        """Return the copy of one more exchange with the same request."""
        ...

    def beside(self, take: Take, *, readable: bool, events: bool) -> Take:
        """Return what hands a reply's bytes to `take`, then keeps their beginning."""
        ...

    def close(self) -> Bodies:
        """Return what was kept, for good."""
        ...


class Exchange:
    """One live request; the data plane owns it and writes its attributes as phases pass."""

    __slots__ = (
        "attempts",
        "began",
        "bucket",
        "closed",
        "copy",
        "dialect",
        "endpoint",
        "error_code",
        "forced",
        "key_name",
        "max_tokens",
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
        "trace",
        "unit_kind",
        "unit_missing",
        "upstream",
        "variant_assigned",
        "variant_served",
        "waited",
    )

    def __init__(
        self,
        request_id: str,
        started_at: float,
        began: float,
        table_version: int,
        method: str,
    ) -> None:
        self.request_id = request_id
        self.started_at = started_at  # seconds since the epoch
        self.began = began  # seconds, monotonic, like every other time here
        self.table_version = table_version
        self.method = method
        self.endpoint = "other"
        self.dialect = "none"
        self.stream = False
        self.max_tokens: int | None = None
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
        self.prompt_preview: str | None = None
        self.response_preview: str | None = None
        self.texts: Texts | None = None
        self.copy: Copy | None = None
        self.trace: Trace | None = None
        self.reading = NO_READING
        self.outcome = COMPLETED
        self.error_code: ErrorCode | None = None
        self.closed = False

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
        ttft, tpot, output = self._pace(usage) if self.stream else NO_PACE
        latency = at - self.began
        # By position: so many keywords would cost more than the rest of an exchange's record.
        observation = Observation(
            self.request_id,
            self.started_at,
            self.table_version,
            self.outcome,
            SCHEMA_VERSION,
            self.error_code,
            status,
            self.method,
            self.endpoint,
            self.dialect,
            self.stream,
            self.route,
            self.variant_assigned,
            self.variant_served,
            self.forced,
            self.bucket,
            self.unit_kind,
            self.upstream,
            self.model_asked and self.model_asked[:MODEL_CHARS],
            reading.model or self.model_sent,
            self.key_name,
            self.attempts,
            usage,
            "none" if reading.usage is None else "upstream",
            milliseconds(latency),
            ttft,
            tpot,
            output,
            milliseconds(latency - self.waited) if latency > self.waited else 0.0,
            reading.reply_chars,
            reply_bytes,
            reading.finish_reason,
            reading.refused,
            reading.tool_calls,
            reading.error,
            reading.malformed_events,
            self.prompt_preview,
            self.response_preview,
            self.texts,
            self.pinned,
            self.shadow_of,
            self.unit_missing,
            (),
            self.max_tokens,
        )
        if self.copy is None and self.trace is None:
            return observation
        bodies = None if self.copy is None else self.copy.close()
        return replace(observation, bodies=bodies, trace=self.trace)

    def _pace(self, usage: Usage) -> Pace:
        """Return TTFT, TPOT and the time from first to last output, as far as there was any."""
        first, last = self.reading.first_output_at, self.reading.last_output_at
        if first is None or last is None:
            return NO_PACE
        output = milliseconds(last - first)
        ttft = milliseconds(first - self.began)
        return ttft, per_token(output, usage.response_tokens), output


def milliseconds(seconds: float) -> float:
    """Return `seconds` (>= 0) as milliseconds, to the microsecond; cheaper than round()."""
    return (seconds * 1e6 + 0.5) // 1 / 1000


def per_token(output_ms: float | None, tokens: int | None) -> float | None:
    """Return the milliseconds per output token after the first; None for a single token.

    The definition is OpenTelemetry's gen_ai.server.time_per_output_token: the time from the
    first to the last output, divided by the tokens after the first.
    """
    if output_ms is None or tokens is None or tokens < 2:
        return None
    return milliseconds(output_ms / (tokens - 1) / 1000)
