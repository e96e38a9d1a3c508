"""The written form of contents: one text and one digest for what is the same."""

from hashlib import sha256

import msgspec

from proxy.rollout import Source, Version, canonical, contents_of, digest
from proxy.rollout.contents import Contents


def route(*variants: str, **more: object) -> Contents:
    return {"routes": {"support": {"variants": {v: {"upstream": "a"} for v in variants}, **more}}}


def test_names_are_sorted_and_nothing_is_written_that_says_nothing() -> None:
    said = route("base", split={"ft": 5.0, "base": 95.0}) | {"default_upstream": "ü"}
    assert canonical(said).decode() == (
        '{"default_upstream":"ü","routes":{"support":{"split":{"base":95.0,"ft":5.0},'
        '"variants":{"base":{"upstream":"a"}}}}}'
    )


def test_the_order_of_names_does_not_matter() -> None:
    one = route("base", split={"base": 1.0, "ft": 2.0}, fallback=["x", "y"])
    other = route("base", fallback=["x", "y"], split={"ft": 2.0, "base": 1.0})
    assert digest(one) == digest(other)


def test_the_order_of_variants_matters_because_the_first_is_the_baseline() -> None:
    assert digest(route("base", "ft")) != digest(route("ft", "base"))


def test_the_order_of_a_list_matters() -> None:
    assert digest(route("b", fallback=["x", "y"])) != digest(route("b", fallback=["y", "x"]))


def test_names_within_a_variant_named_like_a_part_are_sorted_too() -> None:
    one = {"routes": {"r": {"variants": {"v": {"overrides": {"variants": {"b": 1, "a": [{}]}}}}}}}
    other = {
        "routes": {"r": {"variants": {"v": {"overrides": {"variants": {"a": [{}], "b": 1}}}}}}
    }
    assert canonical(one) == canonical(other)


def test_a_version_gives_its_contents_back_in_their_order() -> None:
    said = route("z", "a", pins={"alice": "a"})
    written = canonical(said)
    version = Version(
        number=1,
        parent=None,
        digest=digest(said),
        contents=written,
        source=Source.CLI,
        who="a",
        why="",
        at=0.0,
    )
    back = contents_of(version)
    assert back == said
    assert list(back["routes"]["support"]["variants"]) == ["z", "a"]
    assert canonical(back) == written
    assert version.digest == sha256(written).hexdigest()
    assert msgspec.json.decode(written) == said
