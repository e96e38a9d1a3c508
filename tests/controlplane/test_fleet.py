import os
from collections.abc import Iterator

import pytest

from proxy.channel import Gauges, Hello, Ledger, ShadowReport, Tally, UpstreamReport, create_memory
from proxy.controlplane.fleet import Fleet, on_table
from proxy.routing.table import RoutingTable

TABLE = RoutingTable(version=4, digest="d", routes={})


@pytest.fixture
def memory() -> Iterator[int]:
    descriptor = create_memory(workers=2, slots=2)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def fleet(memory: int) -> Fleet:
    return Fleet(Ledger(memory), TABLE, {"worker": 0})


def hello(worker: int, pid: int) -> Hello:
    return Hello(worker=worker, pid=pid, turnout="0", fresh=True)


def gauges(requests: int, open_: int = 1, *, ejected: bool = False, name: str = "u") -> Gauges:
    report = UpstreamReport(
        name=name, open=open_, requests=requests, retries=requests, ejected=ejected
    )
    return Gauges(in_flight=2, connections=3, upstreams=(report,))


def test_a_worker_is_there_from_its_hello_until_it_leaves(fleet: Fleet) -> None:
    fleet.joined(hello(1, 11))
    fleet.joined(hello(0, 10))
    assert [worker.pid for worker in fleet.workers.values()] == [10, 11]
    fleet.left(0)
    assert list(fleet.workers) == [1]


def test_who_is_on_the_table_is_who_acknowledged_its_version(fleet: Fleet) -> None:
    for number in (0, 1):
        fleet.joined(hello(number, number))
    fleet.acknowledged(1, 4)
    assert on_table(fleet.workers.values(), fleet.table.version) == 1


def test_an_upstream_is_the_sum_of_what_workers_see(fleet: Fleet) -> None:
    for number in (0, 1):
        fleet.joined(hello(number, number))
        fleet.reported(number, gauges(5, open_=2, ejected=number == 1))
    (pool,) = fleet.upstreams
    assert (pool.open, pool.requests, pool.ejected) == (4, 10, 1)
    assert fleet.in_flight == 4


def test_counters_stay_when_a_worker_goes_and_its_gauges_do_not(fleet: Fleet) -> None:
    fleet.joined(hello(0, 10))
    fleet.reported(0, gauges(5))
    fleet.left(0)
    assert [(pool.open, pool.requests) for pool in fleet.upstreams] == [(0, 5)]
    fleet.joined(hello(0, 20))
    fleet.reported(0, gauges(2))
    assert [(pool.open, pool.requests) for pool in fleet.upstreams] == [(1, 7)]
    fleet.joined(hello(0, 30))
    assert [(pool.open, pool.requests) for pool in fleet.upstreams] == [(0, 7)]


def test_connections_that_were_cut_at_the_door_stay_counted(fleet: Fleet) -> None:
    fleet.joined(hello(0, 10))
    fleet.reported(0, Gauges(shed=5))
    fleet.joined(hello(1, 11))
    fleet.reported(1, Gauges(shed=1))
    fleet.left(0)
    assert fleet.shed == 6
    fleet.joined(hello(0, 20))
    fleet.reported(0, Gauges(shed=2))
    assert fleet.shed == 8


def test_a_process_that_comes_back_is_counted_once(fleet: Fleet) -> None:
    fleet.joined(hello(0, 10))
    fleet.reported(0, gauges(5))
    fleet.left(0)
    fleet.joined(hello(0, 10))
    assert [pool.requests for pool in fleet.upstreams] == [5]
    fleet.reported(0, gauges(6))
    assert [pool.requests for pool in fleet.upstreams] == [6]


def test_upstreams_stand_by_name(fleet: Fleet) -> None:
    for number, name in enumerate(("z", "a")):
        fleet.joined(hello(number, number))
        fleet.reported(number, gauges(1, name=name))
    assert [pool.name for pool in fleet.upstreams] == ["a", "z"]


def test_accounts_are_those_of_the_tally(fleet: Fleet, memory: int) -> None:
    tally = Tally(memory, 0)
    for _ in range(3):
        tally.started()
    tally.dropped()
    Ledger(memory).settle(0)
    assert (fleet.account.begun, fleet.dropped, fleet.lost) == (3, 1, 2)


def test_who_watches_hears_each_report_as_it_came(fleet: Fleet) -> None:
    heard: list[tuple[int, tuple[UpstreamReport, ...]]] = []
    fleet.watch(lambda worker, upstreams: heard.append((worker, upstreams)))
    fleet.joined(hello(1, 11))
    report = gauges(5, ejected=True)
    fleet.reported(1, report)
    assert heard == [(1, report.upstreams)]


def shadow(expected: float, sent: int, **dropped: int) -> Gauges:
    report = ShadowReport(
        route="support", variant="ft", expected=expected, sent=sent, dropped=dropped
    )
    return Gauges(shadows=(report,))


def test_shadows_are_the_sum_of_all_workers_those_that_ended_included(fleet: Fleet) -> None:
    for number in (0, 1):
        fleet.joined(hello(number, number))
        fleet.reported(number, shadow(1.5, 1, draining=1))
    fleet.left(0)
    fleet.joined(hello(0, 20))
    fleet.reported(0, shadow(0.5, 2, concurrency=1))
    (seen,) = fleet.shadows
    assert (seen.route, seen.variant, seen.expected, seen.sent) == ("support", "ft", 3.5, 4)
    assert seen.dropped == {"draining": 2, "concurrency": 1}
    fleet.joined(hello(0, 21))
    assert fleet.shadows == [seen]


def test_counters_stay_when_an_upstream_is_made_anew_with_other_settings(fleet: Fleet) -> None:
    fleet.joined(hello(0, 10))
    fleet.reported(0, Gauges(upstreams=(UpstreamReport(name="u", made=1.0, requests=5, open=2),)))
    fleet.reported(0, Gauges(upstreams=(UpstreamReport(name="u", made=2.0, requests=6, open=1),)))
    fleet.reported(0, Gauges(upstreams=(UpstreamReport(name="u", made=2.0, requests=7, open=1),)))
    (pool,) = fleet.upstreams
    assert (pool.requests, pool.open) == (12, 1)


def test_counters_stay_when_an_upstream_is_taken_out(fleet: Fleet) -> None:
    fleet.joined(hello(0, 10))
    fleet.reported(0, gauges(5))
    fleet.reported(0, Gauges())
    (pool,) = fleet.upstreams
    assert (pool.requests, pool.open) == (5, 0)
