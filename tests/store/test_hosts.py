"""Hosts tell of themselves in a shared store, and hear of each other at once."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from itertools import takewhile
from typing import Any

import pytest

from proxy.errors import StoreError
from proxy.rollout.spread import Host
from proxy.store import Hosts, Store, open_store
from tests.store.kept import version
from tests.support.postgres import Server


@pytest.fixture
def store(postgres: Server) -> Iterator[Store]:
    store = open_store(postgres.database())
    yield store
    store.close()


def host(name: str = "a", **told: Any) -> Host:
    said: dict[str, Any] = {"started_at": 0.1, "version": 7, "workers": 2, "in_force": 2, **told}
    return Host(name=name, release="1.0", **said)


def aged(store: Store, name: str, seconds: float) -> None:
    """Let a host have been silent for so long."""
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE hosts SET seen_at = seen_at - {seconds} WHERE name = '{name}'"
        )


def test_hosts_tell_of_themselves_and_see_how_the_others_stood(store: Store) -> None:
    hosts = Hosts(store.engine)
    assert hosts.report(host("a")) == []
    hosts.report(host("b", trouble="it does not fit"))
    hosts.report(host("a", version=8))
    aged(store, "b", 20.0)
    first, second = hosts.report(host("c"))
    assert (first.name, first.version, first.started_at) == ("a", 8, 0.1)
    assert (second.name, second.trouble) == ("b", "it does not fit")
    assert 0 <= first.unseen < 10
    assert 20 <= second.unseen < 30


def test_who_leaves_or_was_silent_for_a_day_is_forgotten(store: Store) -> None:
    hosts = Hosts(store.engine)
    for name in "abc":
        hosts.report(host(name))
    hosts.leave(host("b", started_at=9.9))
    hosts.leave(host("a"))
    aged(store, "c", 90_000.0)
    assert [each.name for each in hosts.report(host("b"))] == ["b"]
    assert [each.name for each in hosts.report(host("b"))] == ["b"]


async def test_what_one_publishes_or_has_in_force_the_others_hear(
    store: Store, postgres: Server
) -> None:
    hosts = Hosts(store.engine)
    async with aclosing(hosts.news()) as news, asyncio.timeout(20):
        await anext(news)
        await asyncio.to_thread(store.append, version(1))
        await anext(news)
        await asyncio.to_thread(hosts.report, host())
        await anext(news)
        again = asyncio.ensure_future(anext(news))
        await asyncio.to_thread(hosts.report, host())
        assert not again.done(), "it said nothing new"
        postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN turnout'"
        )
        with pytest.raises(StoreError, match="can't be listened to"):
            await again


def test_two_of_one_name_do_not_answer_each_other_for_ever(store: Store) -> None:
    larger, smaller = Hosts(store.engine), Hosts(store.engine)
    with store.engine.connect() as line:
        line.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("LISTEN turnout")
        for _ in range(3):
            larger.report(host(in_force=4))
            smaller.report(host(in_force=2))
        line.exec_driver_sql("NOTIFY turnout, 'the end'")
        news: Any = line.connection.driver_connection
        heard = list(takewhile(bool, (each.payload == "" for each in news.notifies(timeout=20))))
    assert len(heard) == 2, "each says once what it has"
