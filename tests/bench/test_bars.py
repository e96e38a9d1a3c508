from bench.bars import BARS, Bar, judge_all
from bench.run import Measured

BAR = Bar("CPU, x nginx's", 6.0, lambda measured: measured["chat50"]["turnout"]["cpu_us"])


def rounds(*cpu_us: float) -> list[Measured]:
    return [{"chat50": {"turnout": {"cpu_us": each}}} for each in cpu_us]


def test_a_value_at_the_limit_passes() -> None:
    assert BAR.judge(rounds(6.0))["passed"] is True


def test_a_value_above_the_limit_fails() -> None:
    assert BAR.judge(rounds(6.1))["passed"] is False


def test_what_was_not_measured_is_neither_passed_nor_failed() -> None:
    verdicts = judge_all([])
    assert len(verdicts) == len(BARS)
    assert {verdict["passed"] for verdict in verdicts} == {None}


def test_it_is_the_rounds_median_that_counts_and_a_round_that_failed_does_not() -> None:
    measured = [*rounds(9.0, 5.0), {}, *rounds(6.0)]
    verdict = BAR.judge(measured)
    assert (verdict["value"], verdict["passed"]) == (6.0, True)


def test_a_ratio_is_of_figures_of_the_same_round() -> None:
    slow = {"nginx": {"cpu_us": 40.0}, "turnout": {"cpu_us": 200.0}}
    fast = {"nginx": {"cpu_us": 20.0}, "turnout": {"cpu_us": 100.0}}
    verdicts = judge_all([{"chat50": slow}, {"chat50": fast}, {"chat50": slow | {"nginx": {}}}])
    assert verdicts[0]["value"] == 5.0


def test_one_failure_in_any_round_is_one_too_many() -> None:
    whole = {"chat50": {"turnout": {"failed": 0.0, "dropped": 0.0}}}
    once = {"chat50": {"turnout": {"failed": 1.0, "dropped": 0.0}}}
    failed, dropped = judge_all([whole, once, whole])[-2:]
    assert (failed["value"], failed["passed"]) == (1.0, False)
    assert (dropped["value"], dropped["passed"]) == (0.0, True)


def test_a_stream_that_is_missing_fails_the_bar_of_the_5000() -> None:
    measured = {"many": {"turnout": {"open": 4_999.0, "failed": 0.0}}}
    [verdict] = [v for v in judge_all([measured]) if str(v["text"]).startswith("5,000")]
    assert (verdict["value"], verdict["passed"]) == (1.0, False)
