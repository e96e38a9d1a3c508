"""Exchanges on record, for readers: pages by what is wanted, and one with its whole story."""

import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.controlplane.admin import models
from proxy.controlplane.admin.entrance.refusals import Refused
from proxy.controlplane.admin.record.looking import Looking
from proxy.errors import StoreError
from proxy.store import open_store
from proxy.store.observations import Finding, Keeping, Kept, Wanted
from tests.support.administered import Administered, administered
from tests.support.observed import observed

PATH = "/api/v1/exchanges"
ROWS: list[dict[str, Any]] = [
    {"request_id": "a", "started_at": 1000.0, "table_version": 1},
    {"request_id": "b", "started_at": 2000.0, "latency_ms": 6000.0, "alerts": ("slow",)},
    {"request_id": "c", "started_at": 3000.0, "variant_served": "ft-v2", "shadow_of": "a"},
]


@pytest.fixture
def finding(tmp_path: Path) -> Iterator[Finding]:
    store = open_store(tmp_path / "versions.db")
    Keeping(store.engine).keep([observed(**row) for row in ROWS])
    yield Finding(store.engine)
    store.close()


@pytest.fixture
async def admin(finding: Finding) -> AsyncIterator[Administered]:
    async with administered(observations=finding) as running:
        yield running


async def ids(admin: Administered, query: str = "") -> list[str]:
    answer = await admin.get(f"{PATH}{query}")
    assert answer.status_code == 200, answer.text
    page = models.ExchangeRecords.model_validate_json(answer.content)
    return [each.request_id for each in page.exchanges]


async def story(admin: Administered, request_id: str) -> models.Story:
    answer = await admin.get(f"{PATH}/{request_id}")
    return models.Story.model_validate_json(answer.content)


async def test_the_newest_come_first_page_by_page(admin: Administered) -> None:
    assert await ids(admin) == ["c", "b", "a"]
    page = (await admin.get(f"{PATH}?limit=2")).json()
    assert [each["request_id"] for each in page["exchanges"]] == ["c", "b"]
    assert await ids(admin, f"?limit=2&before={page['before']}") == ["a"]
    assert (await admin.get(f"{PATH}?limit=4")).json()["before"] is None
    assert await ids(admin, "?after=1") == ["b", "c"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("route=support&variant=base", ["b", "a"]),
        ("outcome=completed&alert=any", ["b"]),
        ("slower_than_ms=5999.5", ["b"]),
        ("key=nobody", []),
        ("since=1970-01-01T00:40:00Z", ["c"]),
        ("until=1970-01-01T02:33:19%2B02:00", ["a"]),
    ],
)
async def test_pages_are_of_what_is_wanted(
    admin: Administered, query: str, found: list[str]
) -> None:
    assert await ids(admin, f"?{query}") == found


@pytest.mark.parametrize(
    "query",
    [
        "outcome=lost",
        "limit=0",
        "limit=501",
        "slower_than_ms=nan",
        "since=yesterday",
        "since=2026-11-22T10:00:00",
        "since=2026-11-22T10:00:00Z&until=2026-11-22T09:00:00Z",
        "alert=nix",
        "before=-1",
        "route=a%0Ab",
    ],
)
async def test_what_can_not_be_asked_is_refused(admin: Administered, query: str) -> None:
    assert (await admin.get(f"{PATH}?{query}")).status_code == 400


async def test_a_story_has_the_version_that_decided_and_the_shadows(admin: Administered) -> None:
    found = await story(admin, "a")
    assert (found.exchange.request_id, found.exchange.latency_ms) == ("a", 812.5)
    assert found.exchange.prompt_tokens == 12
    assert found.decided_by is not None
    assert found.decided_by.number == 1
    assert [each.request_id for each in found.shadows] == ["c"]
    assert found.repeats is None


async def test_a_shadows_story_has_what_it_repeats(admin: Administered) -> None:
    found = await story(admin, "c")
    assert found.repeats is not None
    assert found.repeats.request_id == "a"
    assert found.decided_by is None, "version 3 is not known"


async def test_a_request_that_is_not_on_record_is_told(admin: Administered) -> None:
    answer = await admin.get(f"{PATH}/nobody")
    assert answer.status_code == 404
    assert "No such request is on record" in answer.json()["detail"]["message"]


async def test_where_nothing_is_stored_that_is_told() -> None:
    async with administered() as admin:
        for path in (PATH, f"{PATH}/a"):
            answer = await admin.get(path)
            assert answer.status_code == 409
            assert "`store: off`" in answer.json()["detail"]["message"]


class Broken:
    """A store that fails, or that does not answer until it is let go."""

    def __init__(self, error: StoreError | None = None) -> None:
        self.error = error
        self.go = threading.Event()

    def find(self, wanted: Wanted, limit: int, **place: int | None) -> list[Kept]:
        if self.error is not None:
            raise self.error
        self.go.wait(30)
        return []

    def one(self, request_id: str) -> Kept | None:
        self.find(Wanted(), 1)
        return None

    def shadows(self, request_id: str) -> list[Kept]:
        return []

    def bodies(self, request_id: str) -> None:
        self.find(Wanted(), 1)

    def forget(self, request_id: str) -> bool:
        return bool(self.one(request_id))


async def test_a_store_that_can_not_be_read_is_told() -> None:
    async with administered(observations=Broken(StoreError("no disk"))) as admin:
        answer = await admin.get(PATH)
    assert (answer.status_code, "no disk" in answer.text) == (503, False)


async def test_a_store_that_hangs_keeps_nobody_waiting_for_long() -> None:
    broken = Broken()
    looking = Looking(broken, versions=broken, in_force=int, seconds=0.01)  # type: ignore[arg-type]  # it has no versions
    try:
        for _ in range(6):  # more than there are threads
            with pytest.raises(Refused) as raised:
                await looking.exchange("a")
            assert raised.value.status_code == 503
    finally:
        broken.go.set()
