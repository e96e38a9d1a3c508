"""The request store: observations, their kinds, what stands where, and summaries of them."""

import sqlalchemy as sa
from alembic import op

revision = "m0002"
down_revision = "m0001"


def upgrade() -> None:
    """Make the tables and their indexes."""
    op.create_table(
        "kinds",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("said", sa.String, nullable=False, unique=True),
    )
    op.create_table(
        "observations",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("request_id", sa.String, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("latency_ms", sa.Double, nullable=False),
        sa.Column("table_version", sa.Integer, nullable=False),
        sa.Column("schema_version", sa.Integer, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("method", sa.String, nullable=False),
        sa.Column("bucket", sa.BigInteger),
        sa.Column("model_asked", sa.String),
        sa.Column("model_served", sa.String),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger),
        sa.Column("response_tokens", sa.BigInteger),
        sa.Column("cached_tokens", sa.BigInteger),
        sa.Column("reasoning_tokens", sa.BigInteger),
        sa.Column("tokens_source", sa.String, nullable=False),
        sa.Column("ttft_ms", sa.Double),
        sa.Column("tpot_ms", sa.Double),
        sa.Column("output_ms", sa.Double),
        sa.Column("overhead_ms", sa.Double, nullable=False),
        sa.Column("reply_chars", sa.BigInteger),
        sa.Column("reply_bytes", sa.BigInteger, nullable=False),
        sa.Column("finish_reason", sa.String),
        sa.Column("refused", sa.Boolean, nullable=False),
        sa.Column("tool_calls", sa.BigInteger, nullable=False),
        sa.Column("in_band_error", sa.Boolean, nullable=False),
        sa.Column("malformed_events", sa.BigInteger, nullable=False),
        sa.Column("prompt_preview", sa.String),
        sa.Column("response_preview", sa.String),
        sa.Column("shadow_of", sa.String),
        sa.Column("max_tokens", sa.BigInteger),
    )
    _index()
    op.create_table(
        "spans",
        sa.Column("block", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first_at", sa.Double, nullable=False),
        sa.Column("last_at", sa.Double, nullable=False),
        sa.Column("slowest_ms", sa.Double, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    _summaries()


def _summaries() -> None:
    place = "route", "variant", "slot"
    types = sa.String, sa.String, sa.Integer
    op.create_table(
        "summaries",
        *(
            sa.Column(name, kind, primary_key=True, autoincrement=False)
            for name, kind in zip(place, types, strict=True)
        ),
        sa.Column("summary", sa.LargeBinary, nullable=False),
    )
    op.create_index("by_slot", "summaries", ["slot"])
    op.create_table(
        "increments",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        *(sa.Column(name, kind, nullable=False) for name, kind in zip(place, types, strict=True)),
        sa.Column("increment", sa.LargeBinary, nullable=False),
    )


def _index() -> None:
    op.create_index("by_place", "observations", ["number", "kind", "latency_ms", "started_at"])
    op.create_index("by_request_id", "observations", ["request_id"], unique=True)
    some = sa.text("shadow_of IS NOT NULL")
    op.create_index(
        "by_shadow_of", "observations", ["shadow_of"], sqlite_where=some, postgresql_where=some
    )
