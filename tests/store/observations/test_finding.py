"""What is kept comes back as it was, and is found by what it is."""

from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from proxy.errors import StoreError
from proxy.exchange.observation import Observation, Texts, Usage
from proxy.exchange.outcome import ErrorCode, Outcome
from proxy.store.observations import ANY, Finding, Keeping, Wanted
from proxy.store.observations.rows import OF_KIND, OF_USAGE, OWN, Kind
from proxy.store.tables import BLOCK
from tests.support.observed import observed

FULL = observed(
    request_id="req_ab",
    outcome=Outcome.UPSTREAM_CUT,
    error_code=ErrorCode.PROVIDER_CUT,
    variant_served="ft-v2",
    forced=True,
    pinned=True,
    bucket=2**53 - 1,
    key_name="app",
    attempts=3,
    stream=True,
    usage=Usage(1, 0, None, 2**40),
    ttft_ms=0.125,
    tpot_ms=1e-3,
    output_ms=7.0,
    refused=True,
    tool_calls=2,
    in_band_error=True,
    malformed_events=1,
    shadow_of="req_aa",
    unit_missing=True,
    alerts=("slow", "short"),
    max_tokens=7,
    signals=("length",),
    format_check="broken",
    prompt_preview="ünï\U0001f600 'quoted' %s :name",
)
EMPTY = Observation(request_id="req_cd", started_at=0.5, table_version=1, outcome=Outcome.REJECTED)


def kept(engine: Engine, *batches: list[Observation]) -> Finding:
    keeping = Keeping(engine)
    for batch in batches:
        keeping.keep(batch)
    return Finding(engine)


def many(count: int, **changes: Any) -> list[Observation]:
    """Return observations a second apart, of two variants and some more."""
    return [
        observed(
            request_id=f"req-{number}",
            started_at=1000.0 + number,
            latency_ms=float(number),
            variant_served="ft-v2" if number % 3 == 0 else "base",
            **changes,
        )
        for number in range(count)
    ]


def ids(found: list[Any]) -> list[str]:
    return [each.observation.request_id for each in found]


@pytest.mark.parametrize("seen", [FULL, EMPTY, observed()], ids=["full", "empty", "plain"])
def test_an_observation_comes_back_as_it_was_kept(engine: Engine, seen: Observation) -> None:
    finding = kept(engine, [seen])
    found = finding.one(seen.request_id)
    assert found is not None
    assert (found.number, found.observation) == (1, seen)
    assert finding.find(Wanted(), 10) == [found]


def test_every_fact_of_an_observation_is_kept_or_left_out_on_purpose() -> None:
    kept = {*OF_KIND, *OWN, "usage"}
    assert set(Observation.__struct_fields__) - kept == {"texts", "bodies", "trace"}
    assert set(OF_USAGE) <= set(OWN)
    assert (*OF_KIND,) == Kind.__struct_fields__[1:]


def test_the_words_for_the_token_counter_are_never_kept(engine: Engine) -> None:
    found = kept(engine, [replace(EMPTY, texts=Texts(b"prompt", "reply"))]).one("req_cd")
    assert found is not None
    assert found.observation.texts is None


def test_what_no_column_takes_is_made_to_fit(engine: Engine) -> None:
    odd = observed(
        model_asked="a\0b\udc80",
        usage=Usage(2**70, -(2**70)),
        finish_reason="\0",
        tool_calls=2**64,
    )
    found = kept(engine, [odd]).one("req-1")
    assert found is not None
    seen = found.observation
    assert (seen.model_asked, seen.finish_reason) == ("a\N{REPLACEMENT CHARACTER}b?", "\ufffd")
    assert (seen.usage.prompt_tokens, seen.usage.response_tokens) == (2**63 - 1, 1 - 2**63)


def test_a_batch_that_comes_twice_is_there_once(engine: Engine) -> None:
    finding = kept(engine, many(5), many(7))
    assert sorted(ids(finding.find(Wanted(), 100))) == [f"req-{number}" for number in range(7)]


def test_the_newest_come_first_and_pages_lead_back_to_the_oldest(engine: Engine) -> None:
    count = 2 * BLOCK + 10
    finding = kept(engine, many(count))
    page = finding.find(Wanted(), 20)
    assert ids(page)[:2] == [f"req-{count - 1}", f"req-{count - 2}"]
    found: list[str] = ids(page)
    while page:
        page = finding.find(Wanted(), 500, before=page[-1].number)
        found += ids(page)
    assert found == [f"req-{number}" for number in reversed(range(count))]


def test_after_a_number_the_oldest_come_first(engine: Engine) -> None:
    count = BLOCK + 10
    finding = kept(engine, many(count))
    found = finding.find(Wanted(), 500, after=count - 10)
    assert [each.number for each in found] == list(range(count - 9, count + 1))
    assert finding.find(Wanted(), 5, after=count) == []
    page = finding.find(Wanted(variant="ft-v2"), 3, after=0)
    assert ids(page) == ["req-0", "req-3", "req-6"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(route="support"), {"plain", "slow", "fell back", "shadow", "keyed"}),
        (Wanted(route="sales"), {"sales"}),
        (Wanted(variant="base"), {"plain", "slow", "shadow", "keyed", "sales"}),
        (Wanted(variant="ft-v2"), {"fell back", "failed"}),
        (Wanted(outcome="upstream_error"), {"failed"}),
        (Wanted(alert="slow"), {"slow", "failed"}),
        (Wanted(alert="short"), {"failed"}),
        (Wanted(alert=ANY), {"slow", "failed"}),
        (Wanted(key="app"), {"keyed"}),
        (Wanted(slower_than=5000), {"slow", "failed"}),
        (Wanted(slower_than=9000), {"failed"}),
        (Wanted(since=2000), {"sales", "keyed"}),
        (Wanted(until=2000), {"plain", "slow", "fell back", "failed", "shadow"}),
        (Wanted(since=1001, until=1003), {"slow", "fell back"}),
        (Wanted(route="support", variant="base", alert="slow", slower_than=6000), {"slow"}),
        (Wanted(route="sales", key="app"), set()),
        (Wanted(route="sup' OR 1=1 --"), set()),
        (Wanted(since=5000), set()),
    ],
)
def test_each_filter_finds_what_it_says_and_nothing_else(
    engine: Engine, wanted: Wanted, found: set[str]
) -> None:
    rows: list[dict[str, Any]] = [
        {"request_id": "plain"},
        {"request_id": "slow", "latency_ms": 8000.0, "alerts": ("slow",)},
        {"request_id": "fell back", "variant_served": "ft-v2"},
        {
            "request_id": "failed",
            "route": None,
            "variant_assigned": "ft-v2",
            "variant_served": None,
            "outcome": Outcome.UPSTREAM_ERROR,
            "latency_ms": 9000.5,
            "alerts": ("slow", "short"),
        },
        {"request_id": "shadow", "shadow_of": "plain"},
        {"request_id": "sales", "route": "sales", "started_at": 2000.0},
        {"request_id": "keyed", "key_name": "app", "started_at": 3000.0},
    ]
    batch = [observed(**({"started_at": 1000.0 + n} | row)) for n, row in enumerate(rows)]
    assert set(ids(kept(engine, batch).find(wanted, 100))) == found


def test_what_is_rare_is_found_wherever_it_lies(engine: Engine) -> None:
    batch = many(4 * BLOCK)
    for place in (7, BLOCK + 1, 3 * BLOCK):
        batch[place] = replace(batch[place], outcome=Outcome.PROXY_ERROR)
    finding = kept(engine, batch)
    places = [batch[place].request_id for place in (3 * BLOCK, BLOCK + 1, 7)]
    assert ids(finding.find(Wanted(outcome="proxy_error"), 100)) == places
    assert ids(finding.find(Wanted(outcome="proxy_error"), 2)) == places[:2]
    assert ids(finding.find(Wanted(slower_than=4 * BLOCK - 3), 5)) == ["req-4095", "req-4094"]


def test_a_kind_that_comes_later_is_found_by_who_looked_before(engine: Engine) -> None:
    finding = kept(engine, [observed(request_id="a")])
    assert finding.find(Wanted(route="sales"), 10) == []
    Keeping(engine).keep([observed(request_id="b", route="sales")])
    assert ids(finding.find(Wanted(route="sales"), 10)) == ["b"]


def test_a_request_leads_to_its_shadows(engine: Engine) -> None:
    shadows = [observed(request_id=f"s{number}", shadow_of="a") for number in range(2)]
    finding = kept(engine, [observed(request_id="a"), *shadows, observed(request_id="b")])
    assert ids(finding.shadows("a")) == ["s0", "s1"]
    assert finding.shadows("b") == []
    assert finding.one("c") is None


def test_an_empty_store_has_nothing(engine: Engine) -> None:
    assert Finding(engine).find(Wanted(), 10) == []
    assert Finding(engine).find(Wanted(route="support"), 10, after=0) == []


def test_a_batch_that_can_not_be_written_leaves_nothing_and_can_be_written_later(
    engine: Engine,
) -> None:
    keeping = Keeping(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE spans RENAME TO away")
    with pytest.raises(StoreError, match="the store can't be written"):
        keeping.keep([observed(route="new")])
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO spans")
    assert Finding(engine).find(Wanted(), 10) == []
    keeping.keep([observed(route="new")])
    assert len(Finding(engine).find(Wanted(route="new"), 10)) == 1
