"""The tables as they are now; how they came to be so is told by the migrations.

A version's parent is the one before it, so the database itself lets no number be taken twice
and none be left out.

An observation's words that come from the configuration or a list in the code (route, variant,
outcome, ...) are its *kind*, kept once in `kinds`. Observations are numbered in the order in which
they came, and BLOCK numbers in a row are a *block*; `spans` says of each block which kinds are in
it, from when to when, and the slowest of each. So whatever is looked for, only blocks that have it
are looked through, in a narrow index of theirs.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

METADATA = MetaData()
NUMBER = BigInteger().with_variant(Integer, "sqlite")  # which numbers rows by an INTEGER itself
WRITING = {"turnout_writing": True}  # execution options of a transaction that writes
BLOCK = 1024  # observations of a block: what a search reads at least

VERSIONS = Table(
    "versions",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("parent", Integer, ForeignKey("versions.number")),
    Column("digest", String, nullable=False),
    Column("contents", LargeBinary, nullable=False),
    Column("source", String, nullable=False),
    Column("who", String, nullable=False),
    Column("why", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("revision", Integer),
    Column("restored", Integer),
    Column("undone", Integer),
    Column("route", String),
    CheckConstraint("coalesce(parent, 0) = number - 1", name="in_a_row"),
)

REVISIONS = Table(  # of files that were no change; the others' are their versions'
    "revisions",
    METADATA,
    Column("revision", Integer, primary_key=True, autoincrement=False),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("who", String, nullable=False),
    Column("origin", String, nullable=False),
    Column("action", String, nullable=False),
    Column("target", String, nullable=False),
    Column("why", String, nullable=False),
    Column("result", String, nullable=False),
    Column("detail", String, nullable=False),
    Column("version", Integer),
)

KINDS = Table(
    "kinds",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("said", String, nullable=False, unique=True),  # JSON
)

OBSERVATIONS = Table(
    "observations",
    METADATA,
    Column("number", NUMBER, primary_key=True, autoincrement=False),
    Column("kind", Integer, nullable=False),
    Column("request_id", String, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("latency_ms", Double, nullable=False),
    Column("table_version", Integer, nullable=False),
    Column("schema_version", Integer, nullable=False),
    Column("status", Integer),
    Column("method", String, nullable=False),
    Column("bucket", BigInteger),
    Column("model_asked", String),
    Column("model_served", String),
    Column("attempts", BigInteger, nullable=False),
    Column("prompt_tokens", BigInteger),
    Column("response_tokens", BigInteger),
    Column("cached_tokens", BigInteger),
    Column("reasoning_tokens", BigInteger),
    Column("tokens_source", String, nullable=False),
    Column("ttft_ms", Double),
    Column("tpot_ms", Double),
    Column("output_ms", Double),
    Column("overhead_ms", Double, nullable=False),
    Column("reply_chars", BigInteger),
    Column("reply_bytes", BigInteger, nullable=False),
    Column("finish_reason", String),
    Column("refused", Boolean, nullable=False),
    Column("tool_calls", BigInteger, nullable=False),
    Column("in_band_error", Boolean, nullable=False),
    Column("malformed_events", BigInteger, nullable=False),
    Column("prompt_preview", String),
    Column("response_preview", String),
    Column("shadow_of", String),
    Column("max_tokens", BigInteger),
    Column("cost_usd", Double),  # None is unknown, never zero
)
Index(
    "by_place",
    OBSERVATIONS.c.number,
    OBSERVATIONS.c.kind,
    OBSERVATIONS.c.latency_ms,
    OBSERVATIONS.c.started_at,
)
Index("by_request_id", OBSERVATIONS.c.request_id, unique=True)
Index(
    "by_shadow_of",
    OBSERVATIONS.c.shadow_of,
    sqlite_where=OBSERVATIONS.c.shadow_of.is_not(None),
    postgresql_where=OBSERVATIONS.c.shadow_of.is_not(None),
)

SPANS = Table(
    "spans",
    METADATA,
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Integer, primary_key=True, autoincrement=False),
    Column("first_at", Double, nullable=False),  # seconds since the epoch
    Column("last_at", Double, nullable=False),
    Column("slowest_ms", Double, nullable=False),
    Column("bytes", BigInteger, nullable=False),  # what its observations take, about
    sqlite_with_rowid=False,
)

SPENDING = Table(
    "spending",
    METADATA,
    Column("day", Integer, primary_key=True, autoincrement=False),  # since 1970-01-01, UTC
    Column("route", String, primary_key=True),
    Column("variant", String, primary_key=True),
    Column("key_name", String, primary_key=True),  # empty: no key
    Column("shadow", Boolean, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("unpriced", BigInteger, nullable=False),  # of them, whose cost is unknown
    Column("cost_usd", Double, nullable=False),
)

SUMMARIES = Table(  # of what is compared: as `experiments` packs them
    "summaries",
    METADATA,
    Column("route", String, primary_key=True),
    Column("variant", String, primary_key=True),
    Column("slot", Integer, primary_key=True, autoincrement=False),  # quarters of an hour
    Column("summary", LargeBinary, nullable=False),
)
Index("by_slot", SUMMARIES.c.slot)

INCREMENTS = Table(  # what is to be added to them
    "increments",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    Column("route", String, nullable=False),
    Column("variant", String, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("increment", LargeBinary, nullable=False),
)

BODIES = Table(
    "bodies",
    METADATA,
    Column("number", NUMBER, primary_key=True, autoincrement=False),  # its observation's
    Column("request", LargeBinary, nullable=False),  # compressed by zlib
    Column("reply", LargeBinary, nullable=False),
    Column("request_bytes", BigInteger, nullable=False),  # before anything was cut off
    Column("reply_bytes", BigInteger, nullable=False),
    Column("request_whole", Boolean, nullable=False),  # nothing was
    Column("reply_whole", Boolean, nullable=False),
)

HOSTS = Table(
    "hosts",
    METADATA,
    Column("name", String, primary_key=True),
    Column("started_at", Double, nullable=False),  # seconds since the epoch
    Column("seen_at", Double, nullable=False),
    Column("version", Integer, nullable=False),  # of the routing that it has in force
    Column("workers", Integer, nullable=False),
    Column("in_force", Integer, nullable=False),  # on so many of its workers
    Column("release", String, nullable=False),  # of turnout
    Column("trouble", String, nullable=False),
)

SILENCES = Table(  # of alerts; what is not said is any
    "silences",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("alert", String),
    Column("route", String),
    Column("variant", String),
    Column("begins_at", Double, nullable=False),  # seconds since the epoch
    Column("ends_at", Double, nullable=False),
    Column("who", String, nullable=False),
    Column("why", String, nullable=False),
)
