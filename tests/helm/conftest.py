"""Both real Helms, for each test that takes one; missing, its tests say so."""

import pytest

from tests.helm.chart import MAJORS, Helm, found


@pytest.fixture(params=MAJORS, ids=lambda major: f"helm{major}")
def each_helm(request: pytest.FixtureRequest) -> Helm:
    """Return one Helm after the other."""
    return either(request.param)


@pytest.fixture
def helm() -> Helm:
    """Return one Helm, where both would say the same."""
    return either(*reversed(MAJORS))


def either(*majors: int) -> Helm:
    """Return the first of these that there is; skip where there is none."""
    program = next((each for each in map(found, majors) if each), None)
    if program is None:
        pytest.skip(f"no helm {' or '.join(map(str, majors))}: make helms fetches them")
    return program
