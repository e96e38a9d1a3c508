"""A comparison, as readers ask for it: which variants, which window, and what one must know."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from proxy.controlplane.admin.comparing.answering import chosen
from proxy.controlplane.admin.comparing.models import Comparison
from proxy.controlplane.admin.entrance.refusals import Refused
from proxy.errors import StoreError
from proxy.experiments import Histogram, Measured, Sums
from tests.support.administered import READER, administered
from tests.support.published import NOON

PATH = "/api/v1/routes/support/compare"


class Remembered:
    """Says the same of each variant, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...], float, float]] = []
        self.late = False
        self.nothing: set[str] = set()

    def measure(
        self, route: str, variants: Sequence[str], since: float, until: float
    ) -> list[Measured]:
        if self.late:
            raise StoreError("the store can't be read")
        self.asked.append((route, tuple(variants), since, until))
        times = Histogram({20: 2, 24: 1})
        return [
            Measured(variant=name, times={"latency_ms": Histogram(), "ttft_ms": Histogram()})
            if name in self.nothing
            else Measured(
                variant=name,
                requests=3,
                units=3,
                outcomes={"completed": 2, "client_gone": 1},
                left_out={"fallback": 4},
                unpriced=2,
                sums={"error_rate": Sums(3, 3, 1, 3, 1, 1, units=3)},
                times={"latency_ms": times, "ttft_ms": Histogram()},
            )
            for name in variants
        ]


async def test_baseline_and_candidates_of_the_last_day_side_by_side() -> None:
    compares = Remembered()
    async with administered(compares=compares) as admin:
        answer = await admin.get(PATH)
        assert answer.status_code == 200, answer.text
        found = Comparison.model_validate_json(answer.content)
    assert compares.asked == [("support", ("base", "ft-v2"), NOON - 86_400, NOON)]
    assert found.baseline.variant == "base"
    (against,) = found.candidates
    assert against.side.left_out == {"fallback": 4}
    assert len(against.side.latency_ms) == 99
    first = against.rows[0]
    assert (first.metric, first.finding) == ("error_rate", "too_little")
    assert first.reason == "base has 3 of 10 units"
    assert any("were served by another variant" in note for note in found.notes)
    assert "2 completed requests of base have no known cost." in found.notes


async def test_the_window_and_the_variants_may_be_chosen() -> None:
    compares = Remembered()
    async with administered(compares=compares) as admin:
        query = "since=2026-11-01T00:00:00Z&until=2026-11-02T00:00:00Z"
        await admin.get(f"{PATH}?{query}&baseline=ft-v2&candidate=base")
        assert compares.asked[0][1:] == (("ft-v2", "base"), 1793491200.0, 1793577600.0)
        await admin.get(f"{PATH}?since=2026-11-01T00:14:00Z&until=2026-11-01T00:16:00Z")
        quarters = 1793491200.0, 1793491200.0 + 2 * 900
        assert compares.asked[1][2:] == quarters  # the whole of both
        back = await admin.get(f"{PATH}?since=2026-11-02T00:00:00Z&until=2026-11-01T00:00:00Z")
        assert back.status_code == 400
        assert (await admin.get("/api/v1/routes/nowhere/compare")).status_code == 404


async def test_a_variant_that_nobody_knows_is_refused_and_one_that_has_gone_is_not() -> None:
    compares = Remembered()
    compares.nothing = {"base", "typo"}
    async with administered(compares=compares) as admin:
        answer = await admin.get(f"{PATH}?baseline=base&candidate=typo")
        assert answer.status_code == 404
        message = answer.json()["detail"]["message"]
        assert message.startswith("Nothing of a variant 'typo' is on record in this time; the")
        assert (await admin.get(f"{PATH}?candidate=gone")).status_code == 200
        assert (await admin.get(PATH)).status_code == 200


async def test_a_split_that_changed_meanwhile_is_told() -> None:
    async with administered(compares=Remembered()) as admin:
        first = admin.house.versions.kept[0].at
        body = {"weights": {"base": 50, "ft-v2": 50}}
        changed = await admin.post("/api/v1/routes/support/split", body)
        assert changed.status_code == 200, changed.text
        last = admin.house.versions.kept[-1].at
        since, until = (_said(at) for at in (first - 3600, last + 3600))
        notes = (await admin.get(f"{PATH}?since={since}&until={until}")).json()["notes"]
    assert any("Version 2 changed the split" in note for note in notes), notes


async def test_a_store_that_is_away_is_told_and_no_store_is_no_comparison() -> None:
    compares = Remembered()
    compares.late = True
    async with administered(compares=compares) as admin:
        answer = await admin.get(PATH)
        assert answer.status_code == 503
    async with administered() as admin:
        assert (await admin.get(PATH)).status_code == 409


async def test_readers_may_look_and_others_may_not() -> None:
    async with administered(compares=Remembered()) as admin:
        assert (await admin.get(PATH, token=READER)).status_code == 200
        assert (await admin.get(PATH, token="")).status_code == 401


PART: dict[str, Any] = {"variants": {"a": {}, "b": {}, "c": {}}, "split": {"a": 9, "b": 1, "c": 0}}


@pytest.mark.parametrize(
    ("baseline", "candidate", "names"),
    [
        (None, None, ["a", "b"]),
        (None, "c", ["a", "c"]),
        ("b", None, ["b", "a", "c"]),
        ("gone", "a", ["gone", "a"]),
    ],
)
def test_candidates_are_those_with_a_share_or_the_one_that_is_named(
    baseline: str | None, candidate: str | None, names: list[str]
) -> None:
    assert chosen(PART, baseline, candidate) == names


def test_one_variant_has_nothing_beside_it() -> None:
    with pytest.raises(Refused, match="one variant only"):
        chosen({"variants": {"a": {}}}, None, None)
    with pytest.raises(Refused, match="with itself"):
        chosen(PART, "a", "a")


def _said(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
