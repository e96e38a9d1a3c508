"""The tables as they are now; how they came to be so is told by the migrations.

A version's parent is the one before it, so the database itself lets no number be taken twice
and none be left out.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

METADATA = MetaData()

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
