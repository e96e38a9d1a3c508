"""What holds for every test: who runs beside it, and that in CI none may be skipped."""

import os
from collections.abc import Generator
from typing import TypeVar

import pytest

from tests.support.alone import in_the_room

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # its time is not the test's
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run one test, where there are several processes not beside one that wants to be alone."""
    if not hasattr(item.config, "workerinput"):
        return (yield)
    with in_the_room(alone=item.get_closest_marker("alone") is not None):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge one phase of one test."""
    return _strict((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Judge one file, which can be skipped as a whole."""
    return _strict((yield))


def _strict(report: Report) -> Report:
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"In CI no test may be skipped. {reason}"
    return report
