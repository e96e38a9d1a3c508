"""What publishing answers and refuses with."""

from proxy.controlplane.publishing import Stale
from proxy.rollout import Source, Version


def test_a_stale_change_says_which_version_is_in_force() -> None:
    current = Version(
        number=8,
        parent=7,
        digest="0" * 64,
        contents=b"{}",
        source=Source.CLI,
        who="ann",
        why="",
        at=0.0,
    )
    assert "version 8 is in force" in str(Stale(current, (current,)))
