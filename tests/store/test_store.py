"""What is kept, in which order, and what a store says when it can't keep it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.pool import PoolProxiedConnection

from proxy.errors import Conflict, StoreError, Unsure
from proxy.rollout import Source, Version
from proxy.store import Store, open_store
from tests.store.kept import entry, numbers, version


@pytest.fixture
def store(place: Path | str) -> Iterator[Store]:
    store = open_store(place, audit_kept=5)
    yield store
    store.close()


@pytest.fixture
def in_a_file(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "versions.db")
    yield store
    store.close()


def fill(store: Store, most: int) -> None:
    for number in range(1, most + 1):
        store.append(version(number))


def test_a_version_comes_back_as_it_was_kept(store: Store) -> None:
    plain = version(1, source=Source.FILE, revision=7, why="ünïcode")
    back = version(2, source=Source.ROLLBACK, restored=1, undone=1, route="support", at=0.1)
    store.append(plain)
    store.append(back)
    assert (store.version(1), store.version(2), store.version(3)) == (plain, back, None)
    assert isinstance(store.versions()[0].source, Source)


def test_the_last_version_and_the_last_one_from_a_file_are_found(store: Store) -> None:
    assert store.latest() is None
    assert store.latest_from_file() is None
    store.append(version(1, source=Source.FILE))
    store.append(version(2, source=Source.FILE))
    store.append(version(3, source=Source.API))
    assert [found and found.number for found in (store.latest(), store.latest_from_file())] == [
        3,
        2,
    ]


def test_what_a_file_once_said_is_found_by_its_digest(store: Store) -> None:
    first = version(1, source=Source.FILE)
    store.append(first)
    store.append(version(2, source=Source.CLI, contents=b"{}"))
    assert store.from_file(first.digest) == first
    assert store.from_file(version(2, contents=b"{}").digest) is None


def test_the_largest_revision_is_known_of_versions_and_of_files_that_were_no_change(
    store: Store,
) -> None:
    assert store.revision() is None
    store.append(version(1, source=Source.FILE, revision=3))
    assert store.revision() == 3
    store.note_revision(7)
    store.note_revision(7)  # by another host
    store.note_revision(5)
    assert store.revision() == 7


def test_versions_are_read_page_by_page_newest_first(store: Store) -> None:
    fill(store, 7)

    def page(limit: int, before: int | None = None) -> list[int]:
        return [each.number for each in store.versions(limit, before)]

    assert page(3) == [7, 6, 5]
    assert page(3, before=5) == [4, 3, 2]
    assert page(3, before=2) == [1]
    assert page(3, before=1) == []


@pytest.mark.parametrize(
    "stray",
    [version(3), version(5), version(0), version(4, parent=2), version(4, parent=None)],
    ids=["taken", "a gap", "none", "another parent", "no parent"],
)
def test_a_version_that_does_not_follow_the_last_one_is_a_conflict(
    store: Store, stray: Version
) -> None:
    fill(store, 3)
    with pytest.raises(Conflict, match=f"version {stray.number} does not follow the last one"):
        store.append(stray)
    assert numbers(store) == [1, 2, 3]


def test_the_first_version_is_number_one(store: Store) -> None:
    with pytest.raises(Conflict):
        store.append(version(2))
    with pytest.raises(Conflict):
        store.append(version(2, parent=None))
    store.append(version(1))


def test_the_audit_log_numbers_its_entries_and_is_read_newest_first(store: Store) -> None:
    store.record(entry(action="split", version=2))
    store.record(entry(action="rollback", result="refused", detail="no such route"))
    assert store.audit() == [
        entry(number=2, action="rollback", result="refused", detail="no such route"),
        entry(number=1, action="split", version=2),
    ]
    assert [each.number for each in store.audit(limit=1)] == [2]
    assert [each.number for each in store.audit(before=2)] == [1]


def test_what_the_audit_log_has_of_a_version_is_found_however_long_ago(store: Store) -> None:
    store.record(entry(version=2))
    for _ in range(4):
        store.record(entry(result="refused"))
    assert store.recorded(2)
    assert not store.recorded(3)


def test_the_audit_log_forgets_its_oldest_entries_and_no_number_comes_twice(store: Store) -> None:
    for _ in range(8):
        store.record(entry())
    assert [each.number for each in store.audit()] == [8, 7, 6, 5, 4]


def test_what_was_kept_is_there_when_the_store_is_opened_again(place: Path | str) -> None:
    for number in (1, 2):
        store = open_store(place)
        store.append(version(number))
        store.record(entry())
        store.close()
    store = open_store(place)
    assert numbers(store) == [1, 2]
    assert len(store.audit()) == 2
    store.close()


def test_many_threads_may_use_one_store(store: Store) -> None:
    def append(number: int) -> bool:
        try:
            store.append(version(number))
        except Conflict:
            return False
        finally:
            store.record(entry())
            store.versions()
        return True

    with ThreadPoolExecutor(8) as threads:
        for number in range(1, 11):
            assert sum(threads.map(append, [number] * 8)) == 1
    assert numbers(store) == list(range(1, 11))


@pytest.mark.parametrize(
    ("trouble", "over", "told"),
    [
        ("max_page_count = 1", "max_page_count = 100000", "database or disk is full"),
        ("query_only = ON", "query_only = OFF", "attempt to write a readonly database"),
    ],
    ids=["disk full", "read-only"],
)
def test_what_can_not_be_written_is_told_and_goes_on_once_it_can(
    in_a_file: Store, trouble: str, over: str, told: str
) -> None:
    store = in_a_file
    fill(store, 2)
    pragma(store, trouble)
    with pytest.raises(StoreError, match=f"the store can't be written: {told}") as raised:
        store.append(version(3, contents=b"secret" * 50_000))
    assert not isinstance(raised.value, Conflict)
    assert "secret" not in str(raised.value)
    assert numbers(store) == [1, 2]
    pragma(store, over)
    store.append(version(3, contents=b"secret" * 50_000))
    assert numbers(store) == [1, 2, 3]


def test_what_can_not_be_read_is_told(store: Store) -> None:
    with store.engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE audit")
        connection.commit()
    with pytest.raises(StoreError, match=r"the store can't be read: .*audit"):
        store.audit()


def lose_an_answer(store: Store, monkeypatch: pytest.MonkeyPatch, *, kept: bool) -> None:
    """Let the next COMMIT fail, before it is done or after."""
    dialect = store.engine.dialect
    commit = dialect.do_commit

    def lost(connection: PoolProxiedConnection) -> None:
        monkeypatch.setattr(dialect, "do_commit", commit)
        if kept:
            commit(connection)
        raise store.engine.dialect.loaded_dbapi.OperationalError("the line is dead")

    monkeypatch.setattr(dialect, "do_commit", lost)


def test_where_the_answer_was_lost_it_is_found_out_whether_a_version_was_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_an_answer(store, monkeypatch, kept=True)
    store.append(version(1))
    lose_an_answer(store, monkeypatch, kept=False)
    with pytest.raises(StoreError, match="the line is dead") as raised:
        store.append(version(2))
    assert not isinstance(raised.value, Unsure)
    assert numbers(store) == [1]
    assert store.holds(version(1))
    assert not store.holds(version(1, who="somebody else"))
    assert not store.holds(version(2))


def test_where_that_can_not_be_found_out_it_is_said(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unread(_: Version) -> bool:
        raise StoreError("the store can't be read")

    monkeypatch.setattr(store, "holds", unread)
    lose_an_answer(store, monkeypatch, kept=True)
    with pytest.raises(Unsure, match="the line is dead"):
        store.append(version(1))


def pragma(store: Store, setting: str) -> None:
    """Change a setting of the one connection that this thread uses."""
    with store.engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA {setting}")
