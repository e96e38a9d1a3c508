"""The reader of PromQL sees every metric and label, and takes no word of the language for one."""

from tests.support.promql import Matcher, ranges, spoken

QUERY = """
sum by (route, le) (rate(asked_bucket{job="a", outcome!~"x|y"}[5m] offset 10m)) # a comment, by(me)
  / on (route) group_left () max without (instance) (route:told:ratio5m > 0.5)
unless label_replace({__name__=~"up|down"}, "of", "text, {not=a} label", "", "") or 2 * Inf
"""


def test_metrics_are_told_from_functions_words_and_texts() -> None:
    found = [selector.metric for selector in spoken(QUERY).selectors]
    assert found == ["asked_bucket", "route:told:ratio5m", ""]


def test_conditions_stand_with_their_metric() -> None:
    first, _, third = spoken(QUERY).selectors
    assert first.matchers == [Matcher("job", "=", "a"), Matcher("outcome", "!~", "x|y")]
    assert third.matchers == [Matcher("__name__", "=~", "up|down")]
    assert not first.matchers[1].picks("x")
    assert first.matchers[1].picks("xy")


def test_labels_that_are_grouped_by_are_seen() -> None:
    assert spoken(QUERY).grouping == {"route", "le", "instance"}
    assert ranges(QUERY) == {"5m"}
