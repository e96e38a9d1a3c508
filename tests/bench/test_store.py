"""The store's benchmark, at a size that takes a moment: it keeps up, and no search is slow."""

from pathlib import Path

import pytest

from bench.store import LEAST_RATE, MOST_MS, fill, measure
from proxy.store import open_store

ROWS = 20_000


@pytest.mark.alone
def test_the_store_keeps_up_and_is_searched_in_no_time(tmp_path: Path) -> None:
    store = open_store(tmp_path / "versions.db")
    rates = fill(store, ROWS)
    found = measure(store, ROWS)
    store.close()
    assert rates["a second of CPU"] > LEAST_RATE, rates
    assert max(median for _, median in found.values()) < MOST_MS, found
