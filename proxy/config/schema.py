"""The schema: what a person may write in turnout.yaml. The docstrings are the reference.

Defaults come from `settings`, so they are said once. What one value must be like stands in
`fields`; how values must fit together stands in `check`.
"""

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from proxy.config import fields, settings
from proxy.pricing.budgets import Budget, Per
from proxy.quality import Signal
from proxy.routing import table

REFERENCE = r"\$\{"
SAID = ("default", "description", "title")
LIMITS = settings.Limits()
DEADLINES = settings.Deadlines()
TIMEOUTS = settings.Timeouts()
PREVIEWS = settings.Previews()
THRESHOLDS = settings.AlertThresholds()
UPSTREAM = settings.UpstreamSettings(name="", scheme="", host="", port=0)
STORE = settings.StoreSettings()
BODIES = settings.BodySettings()
KIB = 1024
BUDGET = Budget(scope="route", name="", usd=1.0)
SHADOW = table.Shadow(variant="", percent=0.0)


class Part(BaseModel):
    """A mapping that takes the keys it names and no others."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


def _offer_off(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [part for part in schema["anyOf"] if part.get("type") != "null"]
    schema["anyOf"].append({"enum": ["off", False]})


CAN_BE_OFF = (fields.OFF, Field(json_schema_extra=_offer_off))


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


def _offer_free(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [part for part in schema["anyOf"] if part.get("type") != "null"]
    schema["anyOf"].append({"enum": ["free"]})


class Prices(Part):
    """What a variant's tokens cost, in US dollars per million."""

    input: fields.Price
    """Of the request."""
    cached_input: fields.Price | None = None
    """Of the request, where the upstream had them cached; without it, as `input`."""
    output: fields.Price | None = None
    """Of the reply, reasoning included; without it, what a reply costs is unknown."""


class Spend(Part):
    """How much may be spent, and what happens then."""

    usd: fields.Dollars
    """US dollars. At 80 % and at 100 % of them an alert is raised."""
    per: Per = BUDGET.per
    """In what time: a `day` or a `month` of UTC."""
    stop: bool = BUDGET.stop
    """Whether requests are refused once all is spent, until the day or month is over."""


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
    prices: Annotated[Prices | None, fields.PRICES, Field(json_schema_extra=_offer_free)] = None
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


class Slow(Part):
    """The alert on slow replies."""

    latency_ms: fields.Milliseconds = THRESHOLDS.slow_latency_ms or 5000.0
    """Fires when an exchange took longer than this, in milliseconds."""


class Short(Part):
    """The alert on short replies."""

    reply_chars: fields.Some = THRESHOLDS.short_reply_chars or 10
    """Fires when the reply's text is shorter than this, in characters. Tool calls, refusals,
    embeddings and replies that the client cut are never too short."""


class RouteAlerts(Part):
    """The alerts of one route; what is not said here is as `alerts` has it."""

    slow: Annotated[Slow | None, *CAN_BE_OFF] = None
    """The alert on slow replies, or `off`."""
    short: Annotated[Short | None, *CAN_BE_OFF] = None
    """The alert on short replies, or `off`."""


class Quality(Part):
    """What is looked for in replies."""

    signals: Annotated[list[Signal] | None, Field(min_length=1)] = None
    """The signals to read off each reply; without them, on a route those of all routes, else all
    there are. `short` has the threshold of the alert of that name."""
    check_percent: fields.Percent | None = None
    """How many of the replies for which there is a form are held against it, in percent; without
    it, on a route as many as on all routes, else all."""


def _offer_json(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [part for part in schema["anyOf"] if part.get("type") != "null"]
    schema["anyOf"].append({"enum": ["json"]})


class Format(Part):
    """What a reply must be like; all that is said of it holds."""

    json_schema: Annotated[dict[str, JsonValue] | bool | None, fields.SCHEMA] = None
    """A JSON Schema, or the path of a file that is one, from this file's folder; true is any JSON.
    """
    regex: fields.Pattern | None = None
    """A regular expression that matches the whole reply, without the white space around it."""
    max_chars: fields.Some | None = None
    """How many characters it may have."""


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
    format: Annotated[Format | None, fields.FORM, Field(json_schema_extra=_offer_json)] = None
    """What its replies must be like, or `json`; without it, as each request asks for it."""
    store: RouteStore = RouteStore()
    """What of its requests is on record beside their facts."""
    budget: Spend | None = None
    """How much its requests may cost, shadows included."""


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


class Previews(Part):
    """What of the words is written down."""

    chars: fields.Preview = PREVIEWS.chars
    """Characters of prompt and reply on the record; 0 means none."""
    redact: list[fields.Pattern] = []
    """Regular expressions; what they match is written as `[redacted]`."""


class Webhook(Part):
    """Where alerts are posted."""

    url: fields.WebhookUrl
    """The address that takes a POST of JSON. It may be `${NAME}` or `file:/path`."""
    headers: dict[fields.HeaderName, fields.Secret] = {}
    """Headers set on each. Values may be `${NAME}` or `file:/path`."""
    fold_seconds: fields.Pause = settings.Webhook(url="").fold_seconds
    """Repeats of an alert within this many seconds are folded into one with a count."""


class Alerts(Part):
    """What raises an alert."""

    slow: Annotated[Slow | None, *CAN_BE_OFF] = Slow()
    """The alert on slow replies, or `off`."""
    short: Annotated[Short | None, *CAN_BE_OFF] = Short()
    """The alert on short replies, or `off`."""
    webhook: Webhook | None = None
    """Where alerts are posted, beside the log."""


class Log(Part):
    """The log on stdout."""

    format: Literal["json", "console"] = "json"
    """`json` for machines, `console` for people."""
    exchanges: bool = True
    """Whether each exchange is a line; metrics and alerts are the same either way."""


class Store(Part):
    """The store: requests on record, which `turnout logs` finds, versions and the audit log."""

    url: fields.DatabaseUrl | None = None
    """A PostgreSQL database, `postgresql://USER:PASSWORD@HOST/NAME`; without it, SQLite in the
    data directory. It may be `${NAME}` or `file:/path`."""

    keep_days: fields.Days = STORE.keep_days
    """How long a request stays on record, in days."""
    keep_mb: fields.Some = STORE.keep_mb
    """How much is kept, in MiB, about; beyond it the oldest requests leave first."""


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
    tokens: dict[fields.Name, Token] = {}
    """Its users' tokens by name, which the audit log tells. Beside them there is the one that
    turnout makes itself and keeps in its data directory, for the command line."""


class Tls(Part):
    """TLS for the traffic listener."""

    certificate: fields.Text
    """The PEM file of the certificate and its chain."""
    key: fields.Text
    """The PEM file of its private key."""


class File(Part):
    """turnout.yaml, whole."""

    upstreams: Annotated[dict[fields.Name, Upstream], Field(min_length=1)]
    """The endpoints that can be called, by name."""
    routes: dict[fields.Name, Route] = {}
    """The routes by name: what apps put in `model`."""
    default_upstream: str | None = None
    """Where other `/v1` paths go (files, audio, batches); without it they are 404."""
    pass_unknown_models: bool = False
    """Whether a model that is no route goes to the default upstream as it is, instead of 404."""
    keys: dict[fields.Name, Key] = {}
    """Clients' keys by name. Without any, every caller may pass."""
    alerts: Alerts = Alerts()
    """What raises an alert."""
    quality: Annotated[Quality | None, *CAN_BE_OFF] = Quality()
    """What is looked for in replies, or `off`."""
    previews: Annotated[Previews | None, *CAN_BE_OFF] = Previews()
    """What of the words is written down, or `off`."""
    count_tokens: bool = True
    """Whether to count tokens with tiktoken where an upstream reports no usage."""
    store: Annotated[Store | None, *CAN_BE_OFF] = Store()
    """The store, or `off`: no requests on record, and versions and audit log in SQLite."""
    log: Log = Log()
    """The log on stdout."""
    listen: fields.Address = "0.0.0.0:8000"
    """Where clients connect, HOST:PORT; port 0 takes any free one."""
    admin: Admin = Admin()
    """The administration listener."""
    data_dir: fields.Text = settings.DATA_DIR
    """The folder for what turnout keeps: versions, the audit log, its own token. It is made where
    there is none; a relative path starts at this file's folder."""
    host: fields.Name | None = None
    """What this host is called among those that share a store; without it, as the machine is."""
    revision: fields.Count | None = None
    """A number of your own that grows with each change of this file. Where it is smaller than the
    one last published, the file is an outdated copy and its routing is ignored."""
    tls: Tls | None = None
    """TLS for the traffic listener; without it, plain HTTP."""
    workers: fields.Workers = 1
    """Worker processes; `auto` takes as many as there are CPUs for this process."""
    limits: Limits = Limits()
    """How much a client may send."""
    deadlines: Deadlines = Deadlines()
    """How long a client may take, in seconds."""
    drain_seconds: fields.Pause = 120.0
    """How long running exchanges may go on after SIGTERM, in seconds."""
    drain_grace_seconds: fields.Pause = 2.0
    """How long connections are still taken after readiness went down, in seconds."""


@cache
def described() -> dict[str, Any]:
    """Return the JSON Schema as pydantic has it; not to be changed."""
    return File.model_json_schema()


def target(node: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    """Return the node of a JSON Schema that `node` refers to, or `node` itself."""
    node = next((part for part in node.get("anyOf", ()) if "$ref" in part), node)
    if "$ref" not in node:
        return node
    found: dict[str, Any] = whole["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return found


def inside(node: dict[str, Any]) -> dict[str, Any] | None:
    """Return the schema of what stands in a list, or by name in a mapping; None: it is neither."""
    by_pattern = next(iter(node.get("patternProperties", {}).values()), None)
    found = by_pattern or node.get("additionalProperties") or node.get("items")
    return found if isinstance(found, dict) else None


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the file, for editors: any value may be a `${NAME}` reference."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_for_editors(described()),
    }


def _for_editors(node: Any) -> Any:
    if isinstance(node, list):
        return [_for_editors(item) for item in node if item != {"type": "null"}]
    if not isinstance(node, dict):
        return node
    if node.get("type") in ("integer", "number", "boolean") or isinstance(node.get("enum"), list):
        kind = {key: value for key, value in node.items() if key not in SAID}
        node = {key: value for key, value in node.items() if key in SAID}
        pattern = f"^(yes|no|on|off)$|{REFERENCE}" if kind.get("type") == "boolean" else REFERENCE
        return _for_editors(node) | {"anyOf": [kind, {"type": "string", "pattern": pattern}]}
    kept = {key: value for key, value in node.items() if (key, value) != ("default", None)}
    if isinstance(kept.get("pattern"), str):
        kept["pattern"] += f"|{REFERENCE}"
    if isinstance(kept.get("description"), str):
        kept["description"] = " ".join(kept["description"].split())
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    return {key: _for_editors(value) for key, value in kept.items()}
