"""The settings in force, as plain values that cross process borders.

`config.schema` says what a person may write; `config.compile` turns that into these. Nothing
here reads, checks or defaults a file: data plane and control plane take it as it comes.
Durations are seconds, sizes are bytes, names are those of the file.
"""

from typing import Literal

from msgspec import Struct

from proxy.alerting.windows.rules import DEFAULTS, Rules
from proxy.pricing.budgets import Budget
from proxy.pricing.prices import Prices
from proxy.routing.table import RoutingTable

MailSecurity = Literal["starttls", "tls", "none"]

AUTO = 0  # workers
DATA_DIR = "turnout-data"  # beside the file
TOKEN_FILE = "admin.token"  # noqa: S105  # in the data directory: the token that turnout makes
ADDRESS_FILE = "admin.address"  # same: where administration is


class Deadlines(Struct, frozen=True, kw_only=True):
    """How long a client may take, in seconds."""

    head: float = 10.0  # from the first byte of a head to its end
    body: float = 30.0  # then at least `body_rate` bytes a second on average
    body_rate: int = 1024
    idle: float = 75.0  # a kept-alive connection without a request
    send: float = 60.0  # a client that takes no byte of its reply


class Limits(Struct, frozen=True, kw_only=True):
    """How much a client may send, and how much is kept in memory."""

    head_bytes: int = 32 * 1024
    header_count: int = 100
    target_bytes: int = 8 * 1024
    body_bytes: int = 32 * 1024 * 1024  # bodies we read whole (the five dialects)
    stream_body_bytes: int = 1024 * 1024 * 1024  # bodies passed through piece by piece
    connections: int = 0  # a worker; 0: from the limit on open files
    buffer_bytes: int = 256 * 1024  # between upstream and a slow client
    max_n: int = 128  # choices a request may ask for
    max_tokens: int = 1_000_000  # output tokens a request may ask for


class Tls(Struct, frozen=True, kw_only=True):
    """Certificate and key files of the traffic listener."""

    certificate: str
    key: str


class Timeouts(Struct, frozen=True, kw_only=True):
    """How long an upstream may take, in seconds."""

    connect: float = 5.0
    first_byte: float = 120.0
    between_bytes: float = 60.0
    total: float = 600.0


class UpstreamSettings(Struct, frozen=True, kw_only=True):
    """One callable endpoint. `base_url` is split: scheme, host, port, path prefix."""

    name: str
    scheme: str  # http | https
    host: str
    port: int
    prefix: str = "/v1"  # no trailing slash; the client's /v1/x becomes prefix + /x
    api_key: str | None = None  # None: the client's own Authorization passes through
    headers: dict[str, str] = {}  # set on every request
    timeouts: Timeouts = Timeouts()
    connections: int = 512  # at most, over all workers
    queue: int = 1024  # exchanges that may wait for a connection
    queue_seconds: float = 10.0
    keepalive_seconds: float = 30.0
    retries: int = 2  # at most, within the budget
    retry_budget: float = 0.2  # retries as a share of requests
    eject_after: int = 5  # consecutive failures; 0: never
    eject_seconds: float = 10.0  # doubled each time up to eject_seconds_max
    eject_seconds_max: float = 300.0
    ca_file: str | None = None  # None: the system's authorities
    verify: bool = True
    proxy: str | None = None  # http://host:port, by CONNECT for https
    ask_usage: bool = True  # ask streams for usage where the client did not, and strip it
    list_models: bool = False  # its models stand under /v1/models beside the routes


class ClientKey(Struct, frozen=True, kw_only=True):
    """A client's key: its name and digest, and what it may do."""

    name: str
    sha256: str  # hex
    slot: int  # its column in the shared tally
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    routes: tuple[str, ...] | None = None  # None: all


class Previews(Struct, frozen=True, kw_only=True):
    """What of the words is written down."""

    chars: int = 100  # 0: none
    redact: tuple[str, ...] = ()  # regular expressions; what matches becomes [redacted]


class AlertThresholds(Struct, frozen=True, kw_only=True):
    """The two default rules; None switches one off."""

    slow_latency_ms: float | None = 5000.0
    short_reply_chars: int | None = 10


class Form(Struct, frozen=True, kw_only=True):
    """What a reply must be like; all that is said of it holds."""

    json_schema: bytes | None = None  # as JSON; true: any JSON
    regex: str | None = None  # that the whole reply matches
    max_chars: int | None = None


class Looks(Struct, frozen=True, kw_only=True):
    """What is looked for in the replies of a route."""

    signals: tuple[str, ...] | None = None  # None: all there are
    short_reply_chars: int = 10
    form: Form | None = None  # None: the one that a request asks for, if it does
    check_percent: float = 100.0  # of the replies with a form


class Quality(Struct, frozen=True, kw_only=True):
    """What is looked for in replies, by default and by route."""

    default: Looks = Looks()
    routes: dict[str, Looks] = {}


class Webhook(Struct, frozen=True, kw_only=True):
    """Where alerts are posted as JSON, and what each post is signed with."""

    url: str
    headers: dict[str, str] = {}
    secret: str | None = None


class Slack(Struct, frozen=True, kw_only=True):
    """A channel's incoming webhook."""

    url: str


class Alertmanager(Struct, frozen=True, kw_only=True):
    """Where Prometheus' Alertmanager is, without /api."""

    url: str
    headers: dict[str, str] = {}


class Email(Struct, frozen=True, kw_only=True):
    """Through which SMTP server alerts are mailed, from whom and to whom."""

    server: str
    port: int
    security: MailSecurity
    sender: str
    to: tuple[str, ...]
    user: str | None = None
    password: str | None = None


class Notify(Struct, frozen=True, kw_only=True):
    """Who is told of alerts, and how often of the same."""

    fold_seconds: float = 60.0  # repeats within this window are told as one
    repeat_seconds: float = 14_400.0  # what still fires then is told again; 0: never
    runbooks: str | None = None  # what links to runbooks begin with
    webhook: Webhook | None = None
    slack: Slack | None = None
    alertmanager: Alertmanager | None = None
    email: Email | None = None


class Alerts(Struct, frozen=True, kw_only=True):
    """Which alerts fire, by default and by route."""

    default: AlertThresholds = AlertThresholds()
    routes: dict[str, AlertThresholds] = {}
    windows: Rules = DEFAULTS  # of what many exchanges come to
    window_routes: dict[str, Rules] = {}  # of the routes that have their own
    notify: Notify = Notify()


Role = Literal["reader", "admin"]


class AdminToken(Struct, frozen=True, kw_only=True):
    """A token of the administration: its name, its digest, and what it may do."""

    name: str
    sha256: str  # hex
    role: Role


class StoreSettings(Struct, frozen=True, kw_only=True):
    """Where the store is; how long observations are kept, and how many of them."""

    url: str | None = None  # None: SQLite in the data directory

    keep_days: float = 30.0
    keep_mb: int = 2048  # of 2**20 bytes


class BodySettings(Struct, frozen=True, kw_only=True):
    """Which bodies of a route are kept, how much of each, and what of it is masked."""

    sample: float = 1.0  # of its requests
    max_bytes: int = 64 * 1024  # of a request, and of its reply
    redact: tuple[str, ...] = ()  # beside the patterns of previews


class Costs(Struct, frozen=True, kw_only=True):
    """What variants' tokens cost, as far as that was said, and how much may be spent."""

    prices: dict[str, dict[str, Prices]] = {}  # by route and variant
    budgets: tuple[Budget, ...] = ()


class DataPlane(Struct, frozen=True, kw_only=True):
    """All that a worker needs: pushed to it by control, read by it once a request."""

    table: RoutingTable
    upstreams: dict[str, UpstreamSettings]
    keys: tuple[ClientKey, ...] = ()
    limits: Limits = Limits()
    deadlines: Deadlines = Deadlines()
    previews: Previews = Previews()
    workers: int = 1  # how many share the limits
    count_tokens: bool = True  # send the words along where no usage came, so control can count
    judge_replies: bool = True  # send the reply's words along, so control can judge them
    bodies: dict[str, BodySettings] = {}  # by the routes that keep them
    trace_share: float | None = None  # of new traces that are sampled; None: tracing is off


class Tracing(Struct, frozen=True, kw_only=True):
    """Where spans go, over OTLP/HTTP, and whose they are said to be."""

    endpoint: str  # the base for all signals, without a slash at its end
    headers: dict[str, str] = {}
    service_name: str = "turnout"


class Origin(Struct, frozen=True, kw_only=True):
    """Where settings come from, so that they can be read again."""

    file: str | None = None
    upstream: str | None = None  # a base URL that stands for a file
    given: dict[str, str | int | float] = {}  # members of Settings said on the command line: win


class Settings(Struct, frozen=True, kw_only=True):
    """All that turnout was told: what the supervisor starts from."""

    data_plane: DataPlane
    origin: Origin = Origin()
    alerts: Alerts = Alerts()
    quality: Quality = Quality()
    costs: Costs = Costs()
    listen_host: str = "0.0.0.0"  # noqa: S104  # a proxy is there to be reached
    listen_port: int = 8000
    admin_host: str = "127.0.0.1"
    admin_port: int = 8001
    admin_names: tuple[str, ...] = ()  # hosts' names that requests may call it by
    admin_tokens: tuple[AdminToken, ...] = ()
    data_dir: str = DATA_DIR  # versions, audit log, the generated token
    host: str | None = None  # what this host is called; None: as the machine is
    revision: int | None = None  # the file's own number
    store: StoreSettings | None = StoreSettings()  # None: observations are not stored
    tls: Tls | None = None
    workers: int = 1  # AUTO: one for each CPU there is, which the supervisor finds out
    drain_seconds: float = 120.0
    drain_grace_seconds: float = 2.0  # readiness is 503, connections are still taken
    log_format: Literal["json", "console"] = "json"
    log_exchanges: bool = True
    tracing: Tracing | None = None  # None: there are no spans
