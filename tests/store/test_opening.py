"""Opening: what is made, brought up to date, and refused."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from proxy.errors import StartError
from proxy.store import open_store
from proxy.store.migrating import FOLDER
from proxy.store.migrations import (
    NEWEST,
    m0001_versions_and_audit,
    m0002_observations,
    m0003_cost,
    m0004_bodies,
    m0005_hosts,
    m0006_revisions,
    m0007_silences,
)
from proxy.store.tables import METADATA
from tests.store.kept import numbers, version
from tests.support.postgres import Server


def test_the_migrations_lead_to_the_tables_of_today(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_of_hosts_that_open_a_database_at_once_one_migrates_and_none_fails(
    postgres: Server,
) -> None:
    url = postgres.database()
    with ThreadPoolExecutor(4) as threads:
        stores = list(threads.map(open_store, [url] * 4))
    stores[0].append(version(1))
    assert [numbers(store) for store in stores] == [[1]] * 4
    for store in stores:
        store.close()


def test_a_server_that_does_not_answer_is_told_without_a_password() -> None:
    with pytest.raises(StartError) as raised:
        open_store("postgresql://turnout:canary@127.0.0.1:1/records")
    told = str(raised.value)
    assert told.startswith("the store in PostgreSQL, records at 127.0.0.1 can't be opened: ")
    assert "correct store.url" in told
    assert "canary" not in told


def test_the_newest_step_is_the_last_of_one_row() -> None:
    scripts = ScriptDirectory(FOLDER, version_locations=[FOLDER])
    steps = (
        m0007_silences,
        m0006_revisions,
        m0005_hosts,
        m0004_bodies,
        m0003_cost,
        m0002_observations,
        m0001_versions_and_audit,
    )
    walked = [step.revision for step in scripts.walk_revisions()]
    assert walked == [step.revision for step in steps]
    assert walked[0] == NEWEST


def test_a_migration_that_breaks_off_leaves_nothing_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "versions.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE audit (something)")  # so the second table can't be made
    database.close()
    with pytest.raises(StartError, match="already exists"):
        open_store(path)
    with sqlite3.connect(path) as database:
        tables = database.execute("SELECT name FROM sqlite_master").fetchall()
        database.execute("DROP TABLE audit")
    database.close()
    assert tables == [("audit",)]
    store = open_store(path)
    store.append(version(1))
    store.close()


def test_a_store_of_a_newer_turnout_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "versions.db"
    store = open_store(path)
    store.append(version(1))
    store.close()
    write(path, "UPDATE alembic_version SET version_num = 'm9999'")
    with pytest.raises(StartError, match=r"versions\.db was written by a newer turnout; run that"):
        open_store(path)
    write(path, f"UPDATE alembic_version SET version_num = '{NEWEST}'")
    store = open_store(path)
    assert numbers(store) == [1]
    store.close()


def write(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as database:
        database.execute(statement)
    database.close()


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "versions.db"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StartError, match=r"versions\.db can't be opened: file is not a database"):
        open_store(path)
    assert path.read_bytes() == b"not a database" * 1000


def test_a_place_that_is_no_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        StartError, match="unable to open database file; let the user that turnout"
    ):
        open_store(tmp_path)
    with pytest.raises(StartError, match="name another data directory"):
        open_store(tmp_path / "nowhere" / "versions.db")
