"""Versions are plain values."""

import msgspec

from proxy.rollout import Source, Version


def test_a_version_survives_its_way_through_json() -> None:
    version = Version(
        number=1,
        parent=None,
        digest="0" * 64,
        contents=b'{"routes":{}}',
        source=Source.FILE,
        who="the file",
        why="",
        at=1.0,
    )
    assert msgspec.json.decode(msgspec.json.encode(version), type=Version) == version
