import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.channel.tally import Ledger, Tally, create_memory

MINUTE = 60.0


@pytest.fixture
def memory() -> Iterator[int]:
    descriptor = create_memory(workers=3, slots=4)
    yield descriptor
    os.close(descriptor)


def test_a_key_is_counted_over_all_workers(memory: int) -> None:
    one, two = Tally(memory, 0), Tally(memory, 2)
    one.add_request(1, 10.0)
    two.add_request(1, 11.0)
    two.add_tokens(1, 40, 11.0)
    assert one.requests(1, 12.0) == two.requests(1, 12.0) == 2
    assert one.tokens(1, 12.0) == 40
    assert one.requests(0, 12.0) == 0


def test_the_last_minute_counts_as_far_as_the_window_still_covers_it(memory: int) -> None:
    tally = Tally(memory, 0)
    for _ in range(8):
        tally.add_request(0, 30.0)
    assert tally.requests(0, MINUTE) == 8
    assert tally.requests(0, MINUTE + 15) == 6
    tally.add_request(0, MINUTE + 30)
    assert tally.requests(0, MINUTE + 30) == 5
    assert tally.requests(0, 2 * MINUTE) == 1
    assert tally.requests(0, 3 * MINUTE) == 0


def test_a_column_that_is_not_there_is_an_error_and_not_a_neighbour(memory: int) -> None:
    with pytest.raises(IndexError):
        Tally(memory, 0).add_request(4, 0.0)
    with pytest.raises(IndexError):
        Tally(memory, 0).tokens(-1, 0.0)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1000), st.integers(0, 300))))
def test_the_rate_is_that_of_a_sliding_window_counter(
    events: list[tuple[int, int, int]],
) -> None:
    memory = create_memory(workers=3, slots=1)
    tallies = [Tally(memory, worker) for worker in range(3)]
    events.sort(key=lambda event: event[2])
    for worker, count, at in events:
        tallies[worker].add_tokens(0, count, at)
    now = events[-1][2] if events else 0
    minute, into = divmod(now, 60)
    current = sum(count for _, count, at in events if at // 60 == minute)
    previous = sum(count for _, count, at in events if at // 60 == minute - 1)
    assert tallies[0].tokens(0, now) == pytest.approx(current + previous * (1 - into / 60))
    os.close(memory)


def test_an_account_names_what_became_of_every_exchange(memory: int) -> None:
    tally, ledger = Tally(memory, 1), Ledger(memory)
    ledger.begin(1)
    for _ in range(10):
        tally.started()
    tally.dropped()
    ledger.take(1, 6)
    assert ledger.account(1).open == 3
    assert ledger.settle(1) == 3
    account = ledger.total()
    assert (account.begun, account.taken, account.dropped, account.lost) == (10, 6, 1, 3)
    assert ledger.settle(1) == 0, "what was lost is lost once"


def test_a_batch_that_is_taken_twice_counts_once(memory: int) -> None:
    tally, ledger = Tally(memory, 0), Ledger(memory)
    ledger.begin(0)
    for _ in range(5):
        tally.started()
    ledger.take(0, 3)
    Ledger(memory).take(0, 3)  # another control, after the first one died
    Ledger(memory).take(0, 5)
    assert ledger.account(0).taken == 5


def test_a_new_process_counts_its_observations_from_0(memory: int) -> None:
    tally, ledger = Tally(memory, 0), Ledger(memory)
    ledger.begin(0)
    for _ in range(5):
        tally.started()
    ledger.take(0, 3)
    assert ledger.settle(0) == 2
    ledger.begin(0)
    tally.started()
    ledger.take(0, 1)
    account = ledger.account(0)
    assert (account.taken, account.lost, account.open) == (4, 2, 0)


COUNTING = """
import sys
from proxy.channel.tally import Tally
tally = Tally(int(sys.argv[1]), int(sys.argv[2]))
for n in range(20_000):
    tally.started()
    tally.add_request(3, 100.0)
    tally.add_tokens(3, 2, 100.0)
    if n % 4 == 0:
        tally.dropped()
"""


def test_processes_that_count_at_the_same_time_lose_nothing(memory: int) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", COUNTING, str(memory), str(worker)], pass_fds=[memory]
        )
        for worker in range(3)
    ]
    assert [child.wait(30) for child in children] == [0, 0, 0]
    total = Ledger(memory).total()
    assert (total.begun, total.dropped) == (60_000, 15_000)
    assert Tally(memory, 0).requests(3, 100.0) == 60_000
    assert Tally(memory, 0).tokens(3, 100.0) == 120_000


def test_a_count_beyond_its_bits_stays_at_the_most_and_keeps_its_minute(memory: int) -> None:
    tally = Tally(memory, 0)
    tally.add_tokens(0, 1 << 41, 70.0)
    tally.add_tokens(0, 1, 70.0)
    assert tally.tokens(0, 70.0) == (1 << 40) - 1


def test_memory_is_a_file_where_the_system_has_no_memory_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr("os.memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    descriptor = create_memory(workers=1, slots=1)
    Tally(descriptor, 0).started()
    assert Ledger(descriptor).account(0).begun == 1
    assert list(tmp_path.iterdir()) == [], "it has no name that could be left behind"
    os.close(descriptor)


def test_a_key_keeps_its_column_when_others_come_and_go(memory: int) -> None:
    ledger = Ledger(memory)
    assert ledger.room == 4
    first = ledger.slots(["ann", "bob"])
    assert sorted(first.values()) == [0, 1]

    assert ledger.slots(["zoe", "bob", "ann"]) == {**first, "zoe": 2}
    assert Ledger(memory).slots(["bob"]) == {"bob": first["bob"]}


def test_a_column_is_given_to_another_key_only_when_no_fresh_one_is_left(memory: int) -> None:
    ledger = Ledger(memory)
    first = ledger.slots(["a", "b"])
    assert ledger.slots(["b", "c"])["c"] == 2
    assert ledger.slots(["b", "c", "d"])["d"] == 3
    assert ledger.slots(["b", "c", "d", "e"])["e"] == first["a"]
    with pytest.raises(IndexError):
        ledger.slots(["b", "c", "d", "e", "f"])
