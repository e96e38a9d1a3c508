"""What is written down: on the record, in the store, in the log and in traces."""

from typing import Literal

from proxy.config import fields, settings
from proxy.config.schema.part import Part

PREVIEWS = settings.Previews()
STORE = settings.StoreSettings()
BODIES = settings.BodySettings()
KIB = 1024


class Previews(Part):
    """What of the words is written down."""

    chars: fields.Preview = PREVIEWS.chars
    """Characters of prompt and reply on the record; 0 means none."""
    redact: list[fields.Pattern] = []
    """Regular expressions; what they match is written as `[redacted]`."""


class RouteStore(Part):
    """What of a route's requests is on record beside their facts."""

    bodies: bool = False
    """Whether bodies are kept: what was asked and answered, word for word."""
    sample: fields.Chance = BODIES.sample
    """Of which share of the requests; the others' bodies go nowhere."""
    max_kb: fields.Kib = BODIES.max_bytes // KIB
    """How much is kept of a request, and of its reply, in KiB; the rest is cut off."""
    redact: list[fields.Pattern] = []
    """Regular expressions, beside those of `previews`; what they match is written as
    `[redacted]`."""


class Store(Part):
    """The store: requests on record, which `turnout logs` finds, versions and the audit log."""

    url: fields.DatabaseUrl | None = None
    """A PostgreSQL database, `postgresql://USER:PASSWORD@HOST/NAME`; without it, SQLite in the
    data directory. It may be `${NAME}` or `file:/path`."""

    keep_days: fields.Days = STORE.keep_days
    """How long a request stays on record, in days."""
    keep_mb: fields.Some = STORE.keep_mb
    """How much is kept, in MiB, about; beyond it the oldest requests leave first."""


class Log(Part):
    """The log on stdout."""

    format: Literal["json", "console"] = "json"
    """`json` for machines, `console` for people."""
    exchanges: bool = True
    """Whether each exchange is a line; metrics and alerts are the same either way."""


class Tracing(Part):
    """Spans of exchanges, sent to a collector over OTLP/HTTP."""

    endpoint: fields.Collector
    """The collector's base address, like http://collector:4318; /v1/traces is added to it."""
    headers: dict[fields.HeaderName, fields.Secret] = {}
    """Headers set on each request. Values may be `${NAME}` or `file:/path`."""
    sample_percent: fields.Percent = 100.0
    """How many of the traces that begin here are sampled, in percent. What a client's traceparent
    says of its own trace holds."""
    service_name: fields.Text = "turnout"
    """What turnout is called in traces: `service.name`."""
