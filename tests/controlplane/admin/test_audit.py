"""Refused changes in the audit log: who, from where, what; and a flood that pushes nothing out."""

from collections.abc import AsyncIterator

import pytest

from proxy.controlplane.admin.audit import BURST, EVERY_SECONDS
from tests.support.administered import ADMIN, READER, Administered, administered
from tests.support.published import NOON

DRAIN = "/api/v1/routes/support/variants/ft-v2/drain"


class Clock:
    now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def admin(clock: Clock) -> AsyncIterator[Administered]:
    async with administered(clock=clock) as running:
        yield running


async def test_a_change_that_is_refused_at_the_door_is_written_down(admin: Administered) -> None:
    for token in (None, "canary-wrong", READER):
        await admin.ask("POST", DRAIN, {"why": "canary-why"}, token=token)
    kept = [(each.who, each.origin, each.action, each.target) for each in admin.entries]
    place = ("127.0.0.1", "drain_variant", "support/ft-v2")
    assert kept == [("-", *place), ("-", *place), ("rob", *place)]
    assert {each.result for each in admin.entries} == {"refused"}
    details = [each.detail for each in admin.entries]
    assert [word in said for word, said in zip(("Say", "not known", "role"), details, strict=True)]
    assert "canary" not in str(admin.entries)


async def test_a_change_that_came_in_is_written_down_once_by_whoever_makes_it(
    admin: Administered,
) -> None:
    await admin.post(DRAIN, {"why": "ft-v2 is slow"})
    await admin.post("/api/v1/routes/nope/variants/ft-v2/drain", {"why": "a slip"})
    await admin.post(DRAIN, {"why": "late"}, if_match='"1"')
    kept = [(each.who, each.target, each.why, each.result) for each in admin.entries]
    assert kept == [
        ("ann", "support/ft-v2", "ft-v2 is slow", "done"),
        ("ann", "nope/ft-v2", "a slip", "refused"),
        ("ann", "support/ft-v2", "late", "refused"),
    ]


async def test_reading_is_not_written_down_not_even_where_it_is_refused(
    admin: Administered,
) -> None:
    for token in (None, READER, ADMIN):
        await admin.ask("GET", "/api/v1/status", token=token)
    assert admin.entries == []


async def test_what_a_path_says_is_written_down_as_a_terminal_can_take_it(
    admin: Administered,
) -> None:
    await admin.ask("POST", "/api/v1/routes/%1b[2J%0a/split", {}, token=None)
    await admin.ask("POST", f"/api/v1/routes/{'x' * 5000}/split", {}, token=None)
    assert all(each.target.isprintable() for each in admin.entries)
    assert max(len(each.target) for each in admin.entries) < 200


async def test_a_flood_of_refused_changes_pushes_nothing_out(
    admin: Administered, clock: Clock
) -> None:
    for _ in range(BURST + 30):
        assert (await admin.ask("POST", DRAIN, token="wrong")).status_code == 401
    assert len(admin.entries) == BURST
    await admin.post(DRAIN, {"why": "this one is an admin's"})
    assert admin.entries[-1].result == "done"
    assert (await admin.ask("POST", DRAIN, token=READER)).status_code == 403
    assert admin.entries[-1].who == "rob", "whoever has a token is always written down"
    assert "30 refused before it" in admin.entries[-1].detail
    clock.now += EVERY_SECONDS
    await admin.ask("POST", DRAIN, token="wrong")
    await admin.ask("POST", DRAIN, token="wrong")
    assert len(admin.entries) == BURST + 3


async def test_a_clock_that_is_set_back_takes_no_room_away(
    admin: Administered, clock: Clock
) -> None:
    clock.now -= 1e6
    assert (await admin.ask("POST", DRAIN, token=None)).status_code == 401
    assert len(admin.entries) == 1


async def test_a_store_that_can_not_be_written_to_lets_nobody_in(admin: Administered) -> None:
    admin.house.versions.broken = True
    assert (await admin.ask("POST", DRAIN, token="wrong")).status_code == 401
    assert (await admin.ask("POST", DRAIN, token=READER)).status_code == 403
