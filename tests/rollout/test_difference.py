"""What two routings say differently, place by place."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from proxy.rollout import Difference, differences, digest, told
from proxy.rollout.contents import Contents, canonical


def support(**parts: Any) -> Contents:
    return {"routes": {"support": {"variants": {"base": {"upstream": "a"}}, **parts}}}


HERE = ("routes", "support")


def test_the_same_has_no_differences() -> None:
    assert differences(support(split={"base": 1.0}), support(split={"base": 1.0})) == []


def test_a_value_that_changed_is_one_difference_at_its_place() -> None:
    before, after = (
        support(split={"base": 95.0, "ft": 5.0}),
        support(split={"base": 90.0, "ft": 5.0}),
    )
    assert differences(before, after) == [
        Difference(path=(*HERE, "split", "base"), before=95.0, after=90.0)
    ]


def test_what_is_new_or_gone_is_one_difference_whole() -> None:
    shadow = {"variant": "base", "percent": 5.0}
    new = Difference(path=(*HERE, "shadow"), after=shadow)
    assert differences(support(), support(shadow=shadow)) == [new]
    gone = Difference(path=(*HERE, "shadow"), before=shadow)
    assert differences(support(shadow=shadow), support()) == [gone]


def test_null_is_a_value_and_nothing_is_not() -> None:
    (found,) = differences({"default_upstream": None}, {})
    assert msgspec.json.encode(found) == b'{"path":["default_upstream"],"before":null}'


def test_a_list_differs_as_a_whole() -> None:
    (found,) = differences(support(fallback=["x"]), support(fallback=["x", "y"]))
    assert (found.before, found.after) == (["x"], ["x", "y"])


def variants(*names: str) -> Contents:
    return {"routes": {"support": {"variants": {name: {"upstream": "a"} for name in names}}}}


def test_variants_that_changed_places_are_one_difference_with_their_names() -> None:
    place = (*HERE, "variants")
    assert differences(variants("a", "b"), variants("b", "a")) == [
        Difference(path=place, before=["a", "b"], after=["b", "a"])
    ]
    order, new = differences(variants("a"), variants("b", "a"))
    assert order == Difference(path=place, before=["a"], after=["b", "a"])
    assert new.path == (*place, "b")


def test_a_variant_added_at_the_end_or_removed_changes_no_places() -> None:
    assert [found.path for found in differences(variants("a"), variants("a", "b"))] == [
        (*HERE, "variants", "b")
    ]
    assert [found.path for found in differences(variants("a", "b", "c"), variants("a", "c"))] == [
        (*HERE, "variants", "b")
    ]


def test_people_read_a_difference_as_a_line() -> None:
    path = (*HERE, "split", "ft-v2")
    assert told(Difference(path=path, before=5.0, after=10.0)) == (
        "~ routes.support.split.ft-v2: 5.0 -> 10.0"
    )
    assert told(Difference(path=path, after={"b": "ü", "a": None})) == (
        '+ routes.support.split.ft-v2: {"a": null, "b": "ü"}'
    )
    assert told(Difference(path=path, before="x")) == '- routes.support.split.ft-v2: "x"'


NAMES = st.sampled_from("abc")
LEAVES = (
    st.none() | st.booleans() | st.sampled_from([0, 1, 1.0, "x"]) | st.lists(NAMES, max_size=2)
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=5
)
ROUTES = st.fixed_dictionaries({"variants": st.dictionaries(NAMES, VALUES, max_size=3)})
CONTENTS = st.builds(
    lambda routes, more: {"routes": routes, "more": more},
    st.dictionaries(NAMES, ROUTES, max_size=2),
    VALUES,
)


@given(CONTENTS, CONTENTS)
def test_there_is_no_difference_exactly_where_the_digest_is_the_same(
    before: Contents, after: Contents
) -> None:
    assert (differences(before, after) == []) == (digest(before) == digest(after))


@given(CONTENTS)
def test_what_went_through_its_written_form_does_not_differ(contents: Contents) -> None:
    assert differences(contents, msgspec.json.decode(canonical(contents))) == []
