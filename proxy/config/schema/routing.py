"""Routes, their variants, and the upstreams that serve these."""

from typing import Annotated

from pydantic import Field

from proxy.config import fields, settings
from proxy.config.schema.costs import Prices, Spend
from proxy.config.schema.part import CAN_BE_OFF, Part, offering
from proxy.config.schema.records import RouteStore
from proxy.config.schema.watching import Format, Quality, RouteAlerts
from proxy.routing import table

TIMEOUTS = settings.Timeouts()
UPSTREAM = settings.UpstreamSettings(name="", scheme="", host="", port=0)
OR_FREE = Field(json_schema_extra=offering("free"))
OR_JSON = Field(json_schema_extra=offering("json"))
SHADOW = table.Shadow(variant="", percent=0.0)


class Timeouts(Part):
    """How long an upstream may take, in seconds."""

    connect: fields.Seconds = TIMEOUTS.connect
    """To connect, TLS included."""
    first_byte: fields.Seconds = TIMEOUTS.first_byte
    """From the request sent whole to the first byte of the reply."""
    between_bytes: fields.Seconds = TIMEOUTS.between_bytes
    """Between two pieces of the reply."""
    total: fields.Seconds = TIMEOUTS.total
    """For the whole exchange, retries and fallbacks included."""


class Upstream(Part):
    """One endpoint that can be called."""

    base_url: fields.BaseUrl
    """Where the API stands, as the OpenAI client takes it: up to and with `/v1`. A client's
    `/v1/x` becomes this and `/x`. Without any path, `/v1` is meant; a lone `/` means none."""
    api_key: fields.Secret | None = None
    """Sent as the bearer token. Without it the client's own Authorization passes through, unless
    `keys` are set. Write `${NAME}` or `file:/path`, not the key."""
    headers: dict[fields.HeaderName, fields.Secret] = {}
    """Headers set on every request to it. Values may be `${NAME}` or `file:/path`."""
    timeouts: Timeouts = Timeouts()
    """How long it may take, in seconds."""
    connections: fields.Some = UPSTREAM.connections
    """Connections to it at most, over all workers."""
    queue: fields.Count = UPSTREAM.queue
    """Exchanges that may wait for a connection."""
    queue_seconds: fields.Seconds = UPSTREAM.queue_seconds
    """How long one waits for a connection, in seconds, before it is refused."""
    keepalive_seconds: fields.Seconds = UPSTREAM.keepalive_seconds
    """How long an idle connection is kept, in seconds; choose less than the upstream does."""
    retries: fields.Few = UPSTREAM.retries
    """Retries of one request at most, while no byte went to the client."""
    retry_budget: fields.Share = UPSTREAM.retry_budget
    """Retries at most, as a share of requests, so that they can't pile onto a weak upstream."""
    eject_after: fields.Count = UPSTREAM.eject_after
    """Failures in a row after which it rests; 0 means never."""
    eject_seconds: fields.Seconds = UPSTREAM.eject_seconds
    """How long it rests the first time, in seconds; each time in a row doubles it."""
    eject_seconds_max: fields.Seconds = UPSTREAM.eject_seconds_max
    """How long it rests at most, in seconds."""
    ca_file: fields.Text | None = None
    """A PEM file of the authorities to trust instead of the system's."""
    verify: bool = UPSTREAM.verify
    """Whether its certificate is verified. Turn it off for tests only."""
    proxy: fields.ProxyUrl | None = None
    """An HTTP proxy on the way to it, `http://HOST:PORT`."""
    ask_usage: bool = UPSTREAM.ask_usage
    """Whether to ask for token usage on streams whose client did not, and to take that one
    event out again. Turn it off for a server that refuses `stream_options`."""
    list_models: bool = UPSTREAM.list_models
    """Whether its models stand under `/v1/models` beside the routes."""


class Variant(Part):
    """One treatment that a route may give a request."""

    upstream: str
    """The upstream that serves it."""
    model: fields.Text | None = None
    """The model to ask it for; without it, the name that the client sent."""
    overrides: fields.Members = {}
    """Members of the request body set whatever the client sent, like `temperature: 0.2`."""
    defaults: fields.Members = {}
    """Members of the request body set where the client sent none."""
    prices: Annotated[Prices | None, fields.PRICES, OR_FREE] = None
    """What its tokens cost, or `free`; without it, as the price list says of a hosted model."""
    off: bool = False
    """Whether it serves nobody, for now: its weight, which it keeps, counts for the route's first
    variant that is on; pins to it, the fallback and the shadow do without it; who asks for it by
    name is refused."""


class Shadow(Part):
    """A share of a route's requests that one variant gets as well, unseen by clients."""

    variant: str
    """The variant that gets them."""
    percent: fields.Percent
    """How many of the route's requests, in percent."""
    timeout_seconds: fields.Seconds = SHADOW.timeout
    """How long one may take, in seconds."""
    concurrency: fields.Some = SHADOW.concurrency
    """How many at once, over all workers; what is above is dropped, and counted."""


class Route(Part):
    """What apps put in `model`, and the variants that may serve it."""

    variants: Annotated[dict[fields.Name, Variant], Field(min_length=1)]
    """The variants by name. The first is the baseline; add new ones at the end, so that
    nobody's assignment moves."""
    split: dict[str, fields.Weight] = {}
    """How requests are shared out, in any unit: `{base: 90, ft-v2: 10}`. A variant without a
    weight gets none; without a split, the baseline gets all."""
    sticky: table.Sticky = "user"
    """What keeps its variant: the `user` of the request, the `conversation`, the client's `key`,
    or nothing (`request`)."""
    sticky_header: fields.UnitHeader | None = None
    """A request header that names the unit: for `conversation`, x-turnout-conversation where
    none is set; for `user` it goes before the body's `safety_identifier` and `user`."""
    salt: fields.Text | None = None
    """Mixed into the assignment, so that two routes are split independently; the route's name
    where none is set. A new salt deals all units out again."""
    fallback: list[str] = []
    """Variants to try in this order when the assigned one fails before its first byte."""
    pins: dict[fields.Text, str] = {}
    """Units that get a variant of their own whatever the split says: `{alice: ft-v2}`. They are
    for testers: their exchanges are marked and left out of comparisons."""
    shadow: Shadow | None = None
    """A share of the requests that one variant gets as well, unseen by clients."""
    alerts: RouteAlerts = RouteAlerts()
    """Alerts of this route where they differ."""
    quality: Annotated[Quality | None, *CAN_BE_OFF] = Quality()
    """What is looked for in its replies where it differs, or `off`."""
    format: Annotated[Format | None, fields.FORM, OR_JSON] = None
    """What its replies must be like, or `json`; without it, as each request asks for it."""
    store: RouteStore = RouteStore()
    """What of its requests is on record beside their facts."""
    budget: Spend | None = None
    """How much its requests may cost, shadows included."""
