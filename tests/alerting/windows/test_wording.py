"""An alert over a window in words, with the figures that a person needs."""

from typing import Any

import pytest

from proxy.alerting.notice import State
from proxy.alerting.windows import Key, Phase, Rule, Standing, WindowAlert, noticed
from proxy.alerting.windows.wording import length

EPOCH = 1_795_000_000.0


def standing(name: str, value: float | None, threshold: float = 5.0, **more: Any) -> Standing:
    rule = Rule(name=WindowAlert(name), threshold=threshold)
    route, variant = more.pop("of", ("support", "ft-v2"))
    facts: dict[str, Any] = {
        "phase": Phase.FIRING,
        "since": 0.0,
        "began_at": EPOCH,
        "fired_at": EPOCH + 60,
        "seen_at": EPOCH + 90,
        "count": 250,
        "request_ids": ("req-9", "req-8"),
    }
    key = Key(rule.name, route, variant, more.pop("about", None))
    return Standing(key=key, rule=rule, value=value, **(facts | more))


def sentence(name: str, value: float | None, threshold: float = 5.0, **more: Any) -> str:
    return noticed(standing(name, value, threshold, **more)).sentence


def test_a_notice_has_the_figures_and_the_latest_example_last() -> None:
    found = noticed(standing("error_rate", 12.345))
    assert (found.key, found.name) == ("error_rate support ft-v2 -", "error_rate")
    assert (found.state, found.passing, found.observation) == (State.FIRING, False, None)
    assert (found.value, found.threshold, found.unit, found.count) == (12.345, 5.0, "%", 250)
    assert (found.first_at, found.last_at, found.ends_at) == (EPOCH, EPOCH + 90, None)
    assert found.request_ids == ("req-8", "req-9")
    assert found.sentence == (
        "turnout: error_rate on support / ft-v2: 12.3 % of requests fail "
        "(250 requests within 5 min, threshold 5)"
    )


def test_what_is_resolved_says_after_how_long() -> None:
    over = standing("error_rate", 1.0, phase=Phase.RESOLVED, ended_at=EPOCH + 7200)
    found = noticed(over)
    assert (found.state, found.ends_at, found.key) == (
        *(State.RESOLVED, EPOCH + 7200, noticed(standing("error_rate", 9.0)).key),
    )
    assert found.sentence.startswith(
        "turnout: error_rate on support / ft-v2 is resolved after 2 h: 1 % of requests fail"
    )
    gone = standing("error_rate", None, phase=Phase.RESOLVED, ended_at=EPOCH + 90)
    assert noticed(gone).sentence.endswith("nothing is known of it any more")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("latency_p95", 6512.3, "5 of 100 replies take 6512 ms or more"),
        ("ttft_p95", 950.0, "5 of 100 first tokens take 950 ms or more"),
        ("short_rate", 33.3, "33.3 % of replies are short"),
        ("format_failures", 50.0, "50 % of replies have not the form"),
        ("refusals", 21.0, "21 % of replies decline"),
        ("tokens_per_minute", 123_456.0, "123456 tokens a minute are used"),
        ("cost_per_hour", 12.0, "12 USD an hour are spent"),
    ],
)
def test_each_figure_has_its_words(name: str, value: float, said: str) -> None:
    assert said in sentence(name, value)


def test_silence_and_a_candidate_have_words_of_their_own() -> None:
    quiet = standing("no_traffic", 900.0, 0.0, of=("support", None))
    assert noticed(quiet).threshold == 300.0
    assert noticed(quiet).sentence == "turnout: no_traffic on support: no request for 15 min"
    worse = sentence("worse_than_baseline", 3.14159, 2.0, about="error rate")
    assert "its error rate is at least 3.14 times its baseline's (250 requests" in worse
    through = sentence("error_rate", 9.0, of=(None, None))
    assert through.startswith("turnout: error_rate on what passes through: 9 %")


def test_every_rule_has_a_unit_and_words() -> None:
    for name in WindowAlert:
        assert noticed(standing(name.value, 7.0)).unit
        assert "7" in sentence(name.value, 7.0)


def test_lengths_are_in_the_largest_unit_that_they_have_one_of() -> None:
    assert [length(each) for each in (1.5, 90.0, 5400.0, 172_800.0)] == [
        *("1.5 s", "1.5 min", "1.5 h", "2 d"),
    ]
