from pathlib import Path

import pytest

from proxy.config.check import check
from proxy.config.fit import fit_machine
from proxy.config.source import load
from proxy.config.wording import OTHER, suggest, worded
from proxy.errors import ConfigError

EVERYTHING_WRONG = """\
upstreams:
  sim: {base_url: ftp://sim, api_key: ${NOT_SET}, retires: 3}
routes:
  support:
    variants:
      base: {upstream: smi, model: gpt-4o-mini}
      ft: {upstream: sim, overrides: {model: x}}
    split: {base: -1, fd: 10}
    fallback: [bsae]
    sticky: users
previews: {redact: ['[']}
keys: {app: {sha256: nope}}
alerts: {notify: {webhook: {url: nowhere}}}
limits: {body_bytes: lots}
workers: 1
workers: 2
"""


def test_all_problems_are_listed_at_once_in_the_files_order(tmp_path: Path) -> None:
    file = tmp_path / "turnout.yaml"
    file.write_text(EVERYTHING_WRONG, encoding="utf-8")

    checked = check(str(file), {})

    assert checked.file is None
    assert [(each.line, each.path) for each in checked.problems] == [
        (2, "upstreams.sim.base_url"),
        (2, "upstreams.sim.api_key"),
        (2, "upstreams.sim.retires"),
        (6, "routes.support.variants.base.upstream"),
        (7, "routes.support.variants.ft.overrides"),
        (8, "routes.support.split.base"),
        (8, "routes.support.split.fd"),
        (9, "routes.support.fallback[0]"),
        (10, "routes.support.sticky"),
        (11, "previews.redact[0]"),
        (12, "keys.app.sha256"),
        (13, "alerts.notify.webhook.url"),
        (14, "limits.body_bytes"),
        (16, "workers"),
    ]
    assert {each.file for each in checked.problems} == {str(file)}


def test_a_file_that_cannot_be_read_is_no_list_of_problems(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        check(str(tmp_path / "none.yaml"), {})
    assert caught.value.unreadable


VALUES = ["x", "1", "[]", "{}", "[x]", "{x: y}", "[[x]]", "{x: {y: z}}", "{x: [y]}", "~", ".nan"]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    "place",
    [
        "{}",
        "upstreams: {}",
        "upstreams: {{sim: {}}}",
        "upstreams: {{sim: {{headers: {}, base_url: {}, ca_file: {}, api_key: x}}}}",
        "upstreams: {{sim: {{eject_seconds: {}, eject_seconds_max: {}}}}}",
        "routes: {}",
        "routes: {{r: {}}}",
        "routes: {{r: {{variants: {}, split: {}, fallback: {}, sticky: {}, sticky_header: {}}}}}",
        "routes: {{r: {{variants: {{a: {}}}}}}}",
        "routes: {{r: {{variants: {{a: {{upstream: {}, overrides: {}, defaults: {}}}}}}}}}",
        "default_upstream: {}",
        "keys: {}",
        "keys: {{k: {{sha256: {}, routes: {}}}}}",
        "alerts: {{slow: {}, notify: {}}}",
        "alerts: {{notify: {{webhook: {}, slack: {}, alertmanager: {}, email: {}}}}}",
        "alerts: {{notify: {{email: {{security: {}, user: {}, password: {}, to: {}}}}}}}",
        "previews: {}",
        "tls: {}",
        "tls: {{key: {}}}",
        "admin: {}",
        "listen: {}",
        "log: {}",
        "workers: {}",
    ],
)
def test_a_value_of_the_wrong_kind_anywhere_is_a_problem_and_never_a_crash(
    tmp_path: Path, place: str, value: str
) -> None:
    file = tmp_path / "turnout.yaml"
    file.write_text(place.format(*[value] * 5), encoding="utf-8")

    assert check(str(file), {}).problems


def test_a_certificate_with_an_impossible_name_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "turnout.yaml"
    file.write_text('tls: {key: "a\\0b"}', encoding="utf-8")
    document = load(str(file), {})

    fit_machine(document)

    reasons = {each.path: each.reason for each in document.problems}
    assert reasons["tls.key"] == "names a file that can't be read: no such name is possible"


def test_an_unknown_name_is_answered_with_the_likeliest_or_with_all() -> None:
    assert suggest("OpenAI", ["openai", "vllm"]) == "did you mean 'openai'?"
    assert suggest("zzz", ["openai", "vllm"]) == "choose from: openai, vllm"
    assert suggest("zzz", []) == "there is none yet: define one first"


def test_a_kind_of_error_without_words_of_its_own_still_says_where_to_look() -> None:
    assert worded("something_new", ("a",), {}) == OTHER
