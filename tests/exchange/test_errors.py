"""What an error carries for whoever answers, and its text for the log."""

from proxy.errors import ConfigError, Refusal, TurnoutError, UpstreamFailure


def test_a_refusal_carries_its_answer() -> None:
    refusal = Refusal(429, "caller_limit", "Too many.", param="model", retry_after=2.5, close=True)
    assert isinstance(refusal, TurnoutError)
    assert (refusal.status, refusal.code, refusal.message) == (429, "caller_limit", "Too many.")
    assert (refusal.param, refusal.retry_after, refusal.close) == ("model", 2.5, True)
    assert str(refusal) == "Too many."


def test_a_failure_of_an_upstream_says_its_code_where_no_more_is_known() -> None:
    assert str(UpstreamFailure("provider_cut")) == "provider_cut"
    assert str(UpstreamFailure("provider_cut", "after 9 bytes")) == "after 9 bytes"
    assert UpstreamFailure("provider_cut", "after 9 bytes").code == "provider_cut"


def test_an_error_of_the_configuration_lists_its_problems() -> None:
    error = ConfigError("a.yaml has 1 problem: no route", problems=("no route",))
    assert (error.unreadable, error.problems) == (False, ("no route",))
    assert ConfigError("no such file", unreadable=True).unreadable
