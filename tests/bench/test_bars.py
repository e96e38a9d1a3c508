from bench.bars import BARS, Bar, judge_all

BAR = Bar("CPU, x nginx's", 6.0, lambda medians: medians["chat50"]["turnout"]["cpu_us"])


def test_a_value_at_the_limit_passes() -> None:
    assert BAR.judge({"chat50": {"turnout": {"cpu_us": 6.0}}})["passed"] is True


def test_a_value_above_the_limit_fails() -> None:
    assert BAR.judge({"chat50": {"turnout": {"cpu_us": 6.1}}})["passed"] is False


def test_what_was_not_measured_is_neither_passed_nor_failed() -> None:
    verdicts = judge_all({})
    assert len(verdicts) == len(BARS)
    # The last two are sums over what was measured: of nothing, nothing.
    assert {verdict["passed"] for verdict in verdicts[:-2]} == {None}


def test_a_stream_that_is_missing_fails_the_bar_of_the_5000() -> None:
    medians = {"many": {"turnout": {"open": 4_999.0, "failed": 0.0}}}
    [verdict] = [v for v in judge_all(medians) if str(v["text"]).startswith("5,000")]
    assert (verdict["value"], verdict["passed"]) == (1.0, False)
