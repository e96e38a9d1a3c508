import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from proxy.config.check import check
from proxy.config.compile import compile_settings
from proxy.config.routes.contents import contents, with_contents
from proxy.config.routes.table import routing_table
from proxy.config.schema import File
from proxy.errors import ConfigError
from proxy.rollout import changes
from proxy.rollout.contents import Contents, canonical, digest

GOOD = Path(__file__).parent / "good"
TEXT = """
upstreams:
  sim: {base_url: http://sim/v1, api_key: canary}
  two: {base_url: http://two/v1}
default_upstream: sim
routes:
  support:
    variants:
      zeta: {upstream: sim, prices: free, overrides: {b: 1, a: {y: 1, x: 2}}, defaults: {}}
      alpha: {upstream: two, model: lora}
    split: {zeta: 90, alpha: 10}
    sticky: user
    fallback: [alpha, zeta]
    alerts: {slow: off}
    budget: {usd: 7}
    quality: off
    format: {json_schema: {enum: [null]}}
    store: {bodies: on, redact: [canary]}
  other: {variants: {only: {upstream: sim}}}
keys:
  app:
    sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    routes: [support]
"""
Read = Callable[[str], File]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read_text(text: str) -> File:
        path = tmp_path / "turnout.yaml"
        path.write_text(text, encoding="utf-8")
        file = check(str(path), {}).file
        assert file is not None
        return file

    return read_text


def kept(said: dict[str, Any]) -> dict[str, Any]:
    """Return contents as they come back from where versions are kept."""
    back: dict[str, Any] = json.loads(canonical(said))
    return back


def test_contents_say_what_the_file_says_of_routing_and_nothing_else(read: Read) -> None:
    assert contents(read(TEXT)) == {
        "routes": {
            "support": {
                "variants": {
                    "zeta": {"upstream": "sim", "overrides": {"b": 1, "a": {"y": 1, "x": 2}}},
                    "alpha": {"upstream": "two", "model": "lora"},
                },
                "split": {"zeta": 90.0, "alpha": 10.0},
                "fallback": ["alpha", "zeta"],
            },
            "other": {"variants": {"only": {"upstream": "sim"}}},
        },
        "default_upstream": "sim",
        "pass_unknown_models": False,
    }


@pytest.mark.parametrize("name", ["everything", "smallest", "passing-through", "all-off"])
def test_contents_that_were_kept_and_put_back_route_as_the_file_did(name: str) -> None:
    file = check(str(GOOD / f"{name}.yaml"), {"OPENAI_API_KEY": "sk-1"}).file
    assert file is not None

    back = with_contents(file, kept(contents(file)))

    assert routing_table(back) == routing_table(file)
    assert compile_settings(back, GOOD) == compile_settings(file, GOOD)


def test_the_baseline_survives_being_kept_and_its_change_changes_the_digest(read: Read) -> None:
    file = read(TEXT)
    said = contents(file)
    turned = deepcopy(said)
    turned["routes"]["support"]["variants"] = dict(
        reversed(said["routes"]["support"]["variants"].items())
    )

    back = with_contents(file, kept(said))

    assert list(back.routes["support"].variants) == ["zeta", "alpha"]
    assert digest(turned) != digest(said)


def test_the_tables_digest_is_that_of_the_contents_under_any_version(read: Read) -> None:
    file = read(TEXT)
    tables = [routing_table(file), routing_table(file, 7)]

    assert [table.digest for table in tables] == [digest(contents(file))] * 2
    assert [table.version for table in tables] == [1, 7]


def test_a_change_is_put_in_the_files_place_and_all_else_stays(read: Read) -> None:
    file = read(TEXT)
    said = contents(file)
    said["routes"]["support"]["split"] = {"alpha": 1}
    said["default_upstream"] = None

    back = with_contents(file, said)

    assert back.routes["support"].split == {"alpha": 1.0}
    assert back.default_upstream is None
    for name in ("alerts", "quality", "format", "store", "budget"):
        assert getattr(back.routes["support"], name) == getattr(file.routes["support"], name)
    prices = back.routes["support"].variants["zeta"].prices
    assert prices is not None
    assert prices == file.routes["support"].variants["zeta"].prices
    assert (back.upstreams, back.keys) == (file.upstreams, file.keys)
    assert file.routes["support"].split == {"zeta": 90.0, "alpha": 10.0}


def test_a_route_that_the_file_no_longer_has_comes_back_with_alerts_by_default(
    read: Read,
) -> None:
    earlier = contents(read(TEXT))
    file = read(TEXT.replace("  other: {variants: {only: {upstream: sim}}}\n", ""))

    back = with_contents(file, earlier)

    assert list(back.routes) == ["support", "other"]
    assert not back.routes["other"].alerts.model_fields_set


def test_every_problem_of_contents_is_told_at_once_by_path_with_its_remedy(read: Read) -> None:
    said = contents(read(TEXT))
    route = said["routes"].pop("support")
    route["variants"]["alpha"]["upstream"] = "tow"
    route["variants"]["alpha"]["mode"] = "x"
    route["split"] = {"alpha": -1}
    said["routes"]["suport"] = route
    upstream = "routes.suport.variants.alpha.upstream"

    with pytest.raises(ConfigError) as caught:
        with_contents(read(TEXT), said)

    assert sorted(caught.value.problems) == [
        "keys.app.routes[0] names 'support', which is no route; did you mean 'suport'?",
        "routes.suport.split.alpha must be at least 0; choose a larger number",
        "routes.suport.variants.alpha.mode is no setting here; did you mean 'model'?",
        f"{upstream} names 'tow', which is no upstream; did you mean 'two'?",
    ]
    assert str(caught.value).splitlines()[0] == "the routing has 4 problems:"
    assert "canary" not in str(caught.value)


def test_contents_that_serve_nothing_do_not_fit(read: Read) -> None:
    nothing: Contents = {"routes": {}, "default_upstream": None, "pass_unknown_models": False}
    file = read("upstreams: {s: {base_url: http://s}}\ndefault_upstream: s")

    with pytest.raises(ConfigError, match="it serves nothing; add 'routes'"):
        with_contents(file, nothing)


@pytest.mark.parametrize(
    "change",
    [
        lambda said: changes.split(said, "support", {"zeta": 1, "alpha": 0}),
        lambda said: changes.add_variant(said, "support", "new", {"upstream": "two"}, 5),
        lambda said: changes.drain_variant(said, "support", "alpha"),
        lambda said: changes.switch(said, "zeta", on=False),
        lambda said: changes.switch(changes.switch(said, "zeta", on=False), "zeta", on=True),
        lambda said: changes.pin(said, "support", "alice", "alpha"),
        lambda said: changes.shadow(said, "support", "alpha", 10, timeout=5, concurrency=2),
        lambda said: changes.remove_variant(
            changes.drain_variant(said, "support", "alpha"), "support", "alpha"
        ),
    ],
)
def test_what_a_change_leaves_fits_and_is_in_its_declared_form(
    read: Read, change: Callable[[Contents], Contents]
) -> None:
    file = read(TEXT)
    changed = change(contents(file))

    back = with_contents(file, changed)

    assert canonical(contents(back)) == canonical(changed)
    assert routing_table(back).digest != routing_table(file).digest or changed == contents(file)
