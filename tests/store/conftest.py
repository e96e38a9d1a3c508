"""The databases that one contract holds for: SQLite in a file, and a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from proxy.store import open_store
from tests.support.postgres import MISSING, Server, postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    if MISSING:
        pytest.skip(MISSING)
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Return where an empty store may be opened."""
    if request.param == "sqlite":
        return tmp_path / "versions.db"
    server: Server = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
def engine(place: Path | str) -> Iterator[Engine]:
    store = open_store(place)
    yield store.engine
    store.close()
