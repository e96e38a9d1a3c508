from msgspec.structs import replace

from proxy.alerting import Alert, AlertName, Folding, Notice, State, key_of, noticed
from proxy.alerting.folding import Folded, single
from proxy.alerting.notice import EXAMPLES, TEST, joined, runbook, told_as
from proxy.alerting.noticing import trial
from tests.support.observed import observed


def alert(number: int = 1, **changes: object) -> Alert:
    seen = observed(request_id=f"req-{number}", latency_ms=7500.0)
    raised = Alert(
        name=AlertName.SLOW, value=7500.0, threshold=5000.0, at=100.0 + number, observation=seen
    )
    return replace(raised, **changes)


def folded(numbers: range) -> Folded:
    folding = Folding(60.0)
    folding.add(alert(0), 0.0)
    for number in numbers:
        folding.add(alert(number), 1.0)
    return folding.rest()[0]


def window(state: State = State.FIRING, **changes: object) -> Notice:
    notice = Notice(
        key=key_of("error_rate", "support", None, None),
        name="error_rate",
        state=state,
        route="support",
        variant=None,
        value=7.0,
        threshold=5.0,
        unit="percent",
        count=40,
        first_at=100.0,
        last_at=160.0,
        ends_at=None if state is State.FIRING else 160.0,
        sentence="7 of 100 fail",
    )
    return replace(notice, **changes)


def test_an_alert_becomes_a_notice_in_words_with_its_exchange() -> None:
    notice = noticed(single(alert()), 60.0)
    assert notice == Notice(
        key="slow support base -",
        name="slow",
        state=State.FIRING,
        route="support",
        variant="base",
        value=7500.0,
        threshold=5000.0,
        unit="ms",
        count=1,
        first_at=101.0,
        last_at=101.0,
        ends_at=401.0,
        sentence="turnout: slow reply on support / base: 7500 ms (threshold 5000)",
        request_ids=("req-1",),
        observation=alert().observation,
    )


def test_what_was_folded_has_its_number_and_the_ids_of_the_latest_few() -> None:
    notice = noticed(folded(range(1, 10)), 60.0)
    assert (notice.count, notice.first_at, notice.last_at) == (9, 101.0, 109.0)
    assert notice.sentence.endswith(", 9 times")
    assert notice.request_ids == tuple(f"req-{number}" for number in range(5, 10))
    assert len(notice.request_ids) == EXAMPLES


def test_exchanges_matter_until_well_after_the_next_word_of_their_kind() -> None:
    assert noticed(single(alert()), 3600.0).ends_at == 101.0 + 7200.0


def test_a_budget_matters_for_as_long_as_it_says() -> None:
    raised = alert(name=AlertName.BUDGET, value=85.5, about="80% of a budget", ends_at=900.0)
    notice = noticed(single(raised), 60.0)
    assert notice.sentence == "turnout: 80% of a budget are spent: 85.50 USD"
    assert (notice.ends_at, notice.unit) == (900.0, "USD")


def test_what_is_passed_through_is_told_of_in_words_and_by_a_key() -> None:
    seen = observed(route=None, variant_served=None, variant_assigned=None)
    notice = noticed(single(alert(observation=seen)), 60.0)
    assert notice.key == "slow - - -"
    assert "slow reply on no route / no variant" in notice.sentence


def test_only_what_is_about_single_exchanges_is_over_by_itself() -> None:
    passing = noticed(single(alert()), 60.0)
    assert passing.passing
    assert not passing.over(400.9)
    assert passing.over(401.0)
    for lasting in (window(), window(State.RESOLVED)):
        assert not lasting.passing
        assert not lasting.over(1e10)


def test_each_telling_has_an_id_of_its_own() -> None:
    budgets = [
        noticed(single(alert(name=AlertName.BUDGET, about=about)), 60.0)
        for about in ("80% of one", "80% of another")
    ]
    told = [noticed(single(alert()), 60.0), *budgets, window(), window(State.RESOLVED)]
    ids = [
        told_as(notice, times=times, runbooks=None).id for notice in told for times in (1, 2, 3)
    ]
    assert len(set(ids)) == len(ids)
    assert ids[0] == "req-1-slow"
    again = told_as(window(first_at=5000.0), times=1, runbooks=None)
    assert again.id not in ids, "it was over in between"


def test_the_runbook_is_a_link_where_the_links_are_known() -> None:
    assert runbook("slow", None) == "docs/runbooks/slow.md"
    assert runbook("slow", "https://example.com/books/") == "https://example.com/books/slow.md"
    assert runbook(TEST, "https://example.com/books") == "docs/alerts.md"
    assert told_as(window(), times=1, runbooks=None).runbook == "docs/runbooks/error_rate.md"


def test_what_waits_together_is_added_up_where_it_passes() -> None:
    older, newer = noticed(folded(range(1, 4)), 60.0), noticed(folded(range(4, 8)), 60.0)
    both = joined(older, newer)
    assert (both.count, both.first_at, both.last_at) == (7, 101.0, 107.0)
    assert both.request_ids == tuple(f"req-{number}" for number in range(3, 8))
    assert both.observation == newer.observation


def test_of_what_lasts_only_the_newest_counts() -> None:
    assert joined(window(), window(State.RESOLVED)) == window(State.RESOLVED)
    assert joined(window(), window(value=9.0)) == window(value=9.0)


def test_a_test_says_that_it_is_one_and_is_over_soon() -> None:
    notice = trial("ann", 1000.0)
    assert notice.sentence == "turnout: a test that ann asked for; nothing is wrong"
    assert (notice.name, notice.runbook) == (TEST, "docs/alerts.md")
    assert (notice.over(1059.9), notice.over(1060.0)) == (False, True)
    assert trial("ann", 1001.0).id != notice.id
