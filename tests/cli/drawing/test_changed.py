from typing import Any

import pytest

from proxy.cli.drawing.changed import published, reloaded
from proxy.controlplane.admin import models
from tests.cli.drawing.test_bars import lines, route, variant


def change(**more: Any) -> list[str]:
    said: dict[str, Any] = {"version": 8, "changed": True, "restored": None, "workers": 2, "of": 2}
    said |= {"milliseconds": 13.6, "late": [], "hosts": None, "routes": [], **more}
    return lines(published(models.Published(**said)), 100)


def reading(result: Any, **more: Any) -> list[str]:
    nothing = dict.fromkeys(("workers", "of", "milliseconds", "hosts"))
    said: dict[str, Any] = {"version": 8, "problems": [], "restart_needed": [], "late": []}
    return lines(reloaded(models.Reloaded(result=result, **{**said, **nothing, **more})), 100)


PUSHED = {"workers": 2, "of": 2, "milliseconds": 3.4}


def test_a_change_says_where_it_is_in_force_and_how_soon() -> None:
    assert change() == ["in force on 2/2 workers after 14 ms (version 8)"]


def test_a_rollback_says_whose_contents_are_in_force() -> None:
    told = change(restored=6, routes=[route(variant("base", 1.0))])

    assert told[0] == "in force on 2/2 workers after 14 ms (version 8 = contents of 6)"
    assert told[1] == "support  sticky: user"


def test_where_hosts_share_the_store_it_says_on_how_many_and_who_is_late() -> None:
    late = models.LateHost(name="c", why="not seen for 5 m")
    reach = models.Reach(in_force=2, of=3, milliseconds=26.2, late=[late])

    assert change(hosts=reach) == [
        "in force on 2/2 workers of this host, 2/3 hosts after 40 ms (version 8)",
        "host c: not seen for 5 m",
    ]
    assert reading("published", **PUSHED, hosts=reach)[1] == "host c: not seen for 5 m"


def test_late_workers_are_named() -> None:
    told = change(workers=1, milliseconds=5000.2, late=[1])

    assert told == [
        "in force on 1/2 workers after 5000 ms (version 8)",
        "worker 1 did not acknowledge in time, so it is replaced",
    ]


def test_what_is_so_already_is_no_new_version() -> None:
    assert change(changed=False) == ["nothing to change: version 8 says that already"]


@pytest.mark.parametrize(
    ("result", "more", "told"),
    [
        ("published", PUSHED, "in force on 2/2 workers after 3 ms (version 8)"),
        ("unchanged", {}, "nothing to change: the routing stays version 8"),
        (
            "unchanged",
            PUSHED,
            "in force on 2/2 workers after 3 ms (routing as before: version 8)",
        ),
        ("outdated", {}, "ignored: it is an older file; version 8 stays"),
        ("rejected", {}, "rejected: version 8 stays in force"),
    ],
)
def test_reading_the_file_says_what_came_of_it(
    result: str, more: dict[str, Any], told: str
) -> None:
    assert reading(result, **more) == [told]


def test_a_bad_file_is_told_with_all_its_problems_and_what_takes_a_restart() -> None:
    assert reading("rejected", problems=["a is missing", "b is none"])[1:] == [
        "  a is missing",
        "  b is none",
    ]
    assert reading("unchanged", restart_needed=["listen"])[1] == "takes a restart: listen"
    assert reading("published", **{**PUSHED, "late": [0]})[1].startswith("worker 0 did not")
