"""When an upstream is said to be out of reach, out, and back."""

from dataclasses import dataclass

import structlog
from structlog.testing import capture_logs

from proxy.sinks.log import UpstreamLog
from proxy.sinks.log.upstreams import Change, Changes


@dataclass(frozen=True)
class View:
    name: str = "ft"
    open: int = 0
    ejected: bool = False
    ejections: int = 0
    connect_failures: int = 0
    connect_error: str | None = None


WELL = View(open=1)
OUT = View(ejected=True, ejections=1)
EJECTED = Change("upstream_ejected", "ft", {"workers": 1})
RETURNED = Change("upstream_returned", "ft", {})


def seen(*reports: tuple[int, View]) -> list[list[Change]]:
    changes = Changes()
    return [list(changes.see(worker, [view])) for worker, view in reports]


def refused(count: int, *, open_: int = 0, code: str = "provider_connect_failed") -> View:
    return View(open=open_, connect_failures=count, connect_error=code)


def test_an_upstream_goes_out_once_and_comes_back_once() -> None:
    still = View(ejected=True, ejections=4)
    back = View(open=1, ejections=4)
    reports = [(0, WELL), (0, OUT), (0, OUT), (0, still), (0, back), (0, back)]
    assert seen(*reports) == [[], [EJECTED], [], [], [RETURNED], []]


def test_it_is_out_from_the_first_worker_that_ejects_it_until_none_does() -> None:
    reports = [(0, WELL), (1, WELL), (0, OUT), (1, OUT), (0, View(ejections=1)), (1, WELL)]
    assert seen(*reports) == [[], [], [EJECTED], [], [], [RETURNED]]


def test_a_rest_between_two_reports_is_told_by_the_counter() -> None:
    assert seen((0, WELL), (0, View(ejections=1))) == [[], [EJECTED, RETURNED]]


def test_what_was_before_the_first_report_is_no_news_unless_it_lasts() -> None:
    assert seen((0, View(ejections=3, connect_failures=9))) == [[]]
    assert seen((0, OUT)) == [[EJECTED]]


def test_a_worker_that_is_started_again_has_forgotten_the_rest() -> None:
    assert seen((0, WELL), (0, OUT), (0, View())) == [[], [EJECTED], [RETURNED]]


def test_failures_to_connect_are_told_once_with_their_code_until_it_is_reached() -> None:
    reports = [
        (0, View()),
        (0, refused(2)),
        (0, refused(2)),
        (0, refused(5, open_=1)),
        (0, refused(5, open_=1)),
        (0, refused(6, code="provider_tls")),
    ]
    first = Change("upstream_unreachable", "ft", {"error_code": "provider_connect_failed"})
    second = Change("upstream_unreachable", "ft", {"error_code": "provider_tls"})
    assert seen(*reports) == [[], [first], [], [], [], [second]]


def test_upstreams_are_told_apart() -> None:
    changes = Changes()
    both = list(changes.see(0, [OUT, View(name="base", ejected=True)]))
    assert [change.upstream for change in both] == ["ft", "base"]


def test_going_out_is_a_warning_and_coming_back_is_not() -> None:
    with capture_logs() as lines:
        log = UpstreamLog()
        for view in (WELL, View(ejected=True, ejections=1, connect_failures=5), WELL):
            log.see(0, [view])
    structlog.reset_defaults()
    assert lines == [
        {
            "event": "upstream_unreachable",
            "log_level": "warning",
            "upstream": "ft",
            "error_code": None,
        },
        {"event": "upstream_ejected", "log_level": "warning", "upstream": "ft", "workers": 1},
        {"event": "upstream_returned", "log_level": "info", "upstream": "ft"},
    ]
