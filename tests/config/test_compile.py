import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.config.compile import compile_settings, file_for_upstream, load_settings
from proxy.config.settings import (
    AUTO,
    AdminToken,
    Alertmanager,
    AlertThresholds,
    BodySettings,
    ClientKey,
    Email,
    Form,
    Looks,
    Notify,
    Quality,
    Settings,
    Slack,
    StoreSettings,
    Tracing,
    Webhook,
)
from proxy.errors import ConfigError
from proxy.pricing import FREE, Budget, Prices
from proxy.routing.table import Route, Shadow

GOOD = Path(__file__).parent / "good"
EVERYTHING = load_settings(str(GOOD / "everything.yaml"), {})
Compile = Callable[[str], Settings]


def settings_for_upstream(url: str) -> Settings:
    return compile_settings(file_for_upstream(url), Path())


@pytest.fixture
def compiled(tmp_path: Path) -> Compile:
    def compile_text(text: str) -> Settings:
        file = tmp_path / "turnout.yaml"
        file.write_text(text, encoding="utf-8")
        return load_settings(str(file), {})

    return compile_text


def test_the_smallest_file_becomes_a_route_with_everything_else_by_default() -> None:
    settings = load_settings(str(GOOD / "smallest.yaml"), {"OPENAI_API_KEY": "sk-1"})

    plane = settings.data_plane
    assert plane.upstreams["openai"].api_key == "sk-1"
    assert plane.table.routes["support"].weights == (90.0, 10.0)
    assert [each.name for each in plane.table.routes["support"].variants] == ["base", "ft-v2"]
    assert settings == Settings(data_plane=plane, data_dir=str(GOOD / "turnout-data"))


def test_addresses_are_split_into_host_and_port() -> None:
    assert (EVERYTHING.listen_host, EVERYTHING.listen_port) == ("::1", 9000)
    assert (EVERYTHING.admin_host, EVERYTHING.admin_port) == ("localhost", 9001)
    assert EVERYTHING.admin_names == ("turnout-admin.llm",)


def test_the_administrations_tokens_may_only_read_unless_said_otherwise() -> None:
    assert EVERYTHING.admin_tokens == (
        AdminToken(name="ann", sha256="c" * 64, role="admin"),
        AdminToken(name="dashboard", sha256="d" * 64, role="reader"),
    )


def test_the_data_directory_starts_at_the_files_folder_unless_it_is_absolute(
    compiled: Compile,
) -> None:
    text = "upstreams: {s: {base_url: http://s}}\ndefault_upstream: s\ndata_dir: /var/lib/turnout"

    assert EVERYTHING.data_dir == str(GOOD / "state" / "turnout")
    assert compiled(text).data_dir == "/var/lib/turnout"
    assert settings_for_upstream("http://sim").data_dir == "turnout-data"


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://api.openai.com/v1", ("https", "api.openai.com", 443, "/v1")),
        ("http://vllm:8000", ("http", "vllm", 8000, "/v1")),
        ("http://vllm/", ("http", "vllm", 80, "")),
        ("HTTP://[::1]:8000/openai/v1/", ("http", "::1", 8000, "/openai/v1")),
        ("https://API.example.com:8443/a", ("https", "api.example.com", 8443, "/a")),
    ],
)
def test_a_base_url_is_split_and_v1_is_meant_where_no_path_is_given(
    url: str, parts: tuple[str, str, int, str]
) -> None:
    upstream = settings_for_upstream(url).data_plane.upstreams["default"]

    assert (upstream.scheme, upstream.host, upstream.port, upstream.prefix) == parts


def test_everything_that_can_be_said_of_an_upstream_reaches_it() -> None:
    upstream = EVERYTHING.data_plane.upstreams["hosted"]

    assert upstream.api_key == "the-secret"
    assert upstream.headers == {"x-team": "ml, prod", "x-price": "$5"}
    assert upstream.timeouts.total == 4.0
    assert (upstream.connections, upstream.queue, upstream.retries) == (8, 0, 0)
    assert upstream.ca_file == str(GOOD / "authority.pem")
    assert upstream.proxy == "http://proxy:3128"
    assert (upstream.verify, upstream.ask_usage, upstream.list_models) == (False, False, True)


def test_everything_that_can_be_said_of_a_route_reaches_it() -> None:
    route = EVERYTHING.data_plane.table.routes["org/support:v1"]

    assert [each.name for each in route.variants] == ["no", "ft", "canary"]
    assert route.weights == (87.5, 12.5, 0.0)
    assert (route.sticky, route.sticky_header) == ("conversation", "x-turnout-conversation")
    assert (route.salt, route.fallback) == ("2026-11", ("no", "ft"))
    assert route.pins == {"thread 1": "ft", "2": "canary"}
    assert route.off == ("canary",)
    assert route.shadow == Shadow(variant="ft", percent=2.5, timeout=9.0, concurrency=2)
    ft = route.variants[1]
    assert (ft.upstream, ft.model) == ("six", "lora")
    assert {name: bytes(raw) for name, raw in ft.overrides.items()} == {
        "stop": b'["b",null]',
        "temperature": b"0.25",
        "top_p": b"1",
    }
    assert json.loads(bytes(ft.defaults["metadata"])) == {"a": 1, "z": "ü"}


def test_a_route_without_a_split_gives_all_to_its_baseline() -> None:
    route = EVERYTHING.data_plane.table.routes["chat"]

    assert route.weights == (1.0,)
    assert route.sticky_header == "x-user-id"
    assert EVERYTHING.data_plane.table.routes["own"].sticky_header == "x-turnout-thread"


def test_keys_get_a_column_each_and_their_digest_in_lower_case() -> None:
    assert EVERYTHING.data_plane.keys == (
        ClientKey(
            name="app",
            sha256="a" * 64,
            slot=0,
            requests_per_minute=60,
            tokens_per_minute=1000,
            routes=("chat",),
        ),
        ClientKey(name="open", sha256="b" * 64, slot=1),
    )


def test_sizes_are_bytes_decimal_or_binary_as_written() -> None:
    limits = EVERYTHING.data_plane.limits

    assert limits.head_bytes == 64 * 1024
    assert limits.target_bytes == 4096
    assert limits.body_bytes == 1024**3
    assert limits.stream_body_bytes == 2 * 1000**3


def test_the_rest_of_the_file_reaches_the_settings() -> None:
    plane = EVERYTHING.data_plane

    assert (EVERYTHING.workers, plane.workers) == (3, 3)
    assert EVERYTHING.revision == 7
    assert (EVERYTHING.drain_seconds, EVERYTHING.drain_grace_seconds) == (0.0, 0.5)
    assert (EVERYTHING.log_format, EVERYTHING.log_exchanges) == ("console", False)
    assert (plane.deadlines.body, plane.deadlines.send) == (2.5, 4.0)
    assert (plane.previews.chars, plane.previews.redact) == (20, (r"\d{16}",))
    assert not plane.count_tokens


def test_a_routes_alerts_take_the_general_ones_where_they_say_nothing() -> None:
    alerts = EVERYTHING.alerts

    assert alerts.default == AlertThresholds(slow_latency_ms=1500.0, short_reply_chars=None)
    assert alerts.routes == {
        "org/support:v1": AlertThresholds(slow_latency_ms=None, short_reply_chars=1)
    }


def test_who_is_told_of_alerts_is_as_the_file_says() -> None:
    assert EVERYTHING.alerts.notify == Notify(
        fold_seconds=0.0,
        repeat_seconds=600.0,
        runbooks="https://example.com/runbooks",
        webhook=Webhook(
            url="https://hooks.example.com/x?y=1",
            headers={"authorization": "Bearer t"},
            secret="whsec_AAAAAAAAAAAAAAAA",
        ),
        slack=Slack(url="https://hooks.slack.com/services/T0/B0/x"),
        alertmanager=Alertmanager(
            url="http://alertmanager:9093", headers={"authorization": "Basic x"}
        ),
        email=Email(
            server="smtp.example.com",
            port=465,
            security="tls",
            user="turnout",
            password="hush",
            sender="turnout@example.com",
            to=("oncall@example.com",),
        ),
    )


def test_what_is_off_is_off() -> None:
    settings = load_settings(str(GOOD / "all-off.yaml"), {})

    assert settings.data_plane.previews.chars == 0
    assert settings.alerts.default == AlertThresholds(slow_latency_ms=None, short_reply_chars=None)


def test_without_a_file_everything_goes_to_the_one_upstream() -> None:
    plane = settings_for_upstream("https://api.openai.com/v1").data_plane

    assert plane.table.routes == {}
    assert plane.table.pass_unknown_models
    assert plane.upstreams[plane.table.default_upstream or ""].host == "api.openai.com"
    assert plane.upstreams["default"].list_models


def test_an_upstream_that_is_no_url_is_told_without_repeating_it() -> None:
    with pytest.raises(ConfigError, match="holds a user name or password; remove it") as caught:
        settings_for_upstream("https://me:canary@api.openai.com/v1")
    assert "canary" not in str(caught.value)
    assert not caught.value.unreadable


def test_a_file_with_problems_gives_them_all_and_no_settings(compiled: Compile) -> None:
    with pytest.raises(ConfigError) as caught:
        compiled("upstreams: {sim: {base_url: x}}\nworkers: 0.5\n")

    first, *lines = str(caught.value).splitlines()
    assert first.endswith("turnout.yaml has 3 problems:")
    assert [line.split()[1] for line in lines] == [
        "the",  # file serves nothing
        "upstreams.sim.base_url",
        "workers",
    ]


ONE = """
upstreams: {{sim: {{base_url: http://sim/v1, api_key: {key}}}}}
routes:
  a:
    variants:
      base: {{upstream: sim, overrides: {{x: {{p: 1, q: 2}}, y: 1}}}}
      ft: {{upstream: sim}}
  b: {{variants: {{base: {{upstream: sim}}}}, split: {{base: {weight}}}}}
"""
SAME = """
routes:
  b: {variants: {base: {upstream: sim}}, split: {base: 1.0}}
  a:
    variants:
      base: {upstream: sim, overrides: {y: 1, x: {q: 2, p: 1}}}
      ft: {upstream: sim}
upstreams: {sim: {base_url: http://elsewhere/v1}}
"""


def test_the_digest_says_what_is_routed_where_and_nothing_of_secrets(compiled: Compile) -> None:
    one = compiled(ONE.format(key="k1", weight=1)).data_plane.table
    other_key = compiled(ONE.format(key="k2", weight=1)).data_plane.table
    rearranged = compiled(SAME).data_plane.table
    other_weight = compiled(ONE.format(key="k1", weight=2)).data_plane.table

    assert len(one.digest) == len(hashlib.sha256().hexdigest())
    assert one.digest == other_key.digest == rearranged.digest
    assert one.digest != other_weight.digest
    assert one.version == 1


def test_the_order_of_variants_is_part_of_the_digest(compiled: Compile) -> None:
    text = "upstreams: {{s: {{base_url: http://s}}}}\nroutes: {{r: {{variants: {}}}}}"
    a, b = "a: {upstream: s}", "b: {upstream: s}"

    one = compiled(text.format(f"{{{a}, {b}}}")).data_plane.table
    turned = compiled(text.format(f"{{{b}, {a}}}")).data_plane.table

    assert one.digest != turned.digest
    assert isinstance(one.routes["r"], Route)


def test_automatic_workers_are_left_to_the_supervisor(compiled: Compile) -> None:
    text = "upstreams: {s: {base_url: http://s}}\ndefault_upstream: s\nworkers: auto"

    assert compiled(text).workers == AUTO


def test_the_store_is_where_the_file_says_or_off(tmp_path: Path) -> None:
    def store(said: str) -> StoreSettings | None:
        path = tmp_path / "turnout.yaml"
        path.write_text(f"upstreams: {{u: {{base_url: http://u/v1}}}}\n{said}\n", encoding="utf-8")
        return load_settings(str(path), {"DATABASE": "postgres://turnout:canary@db/records"}).store

    assert store("default_upstream: u") == StoreSettings(keep_days=30.0, keep_mb=2048)
    assert store("store: off\ndefault_upstream: u") is None
    url = "postgresql://turnout:canary@db/records"
    kept = StoreSettings(url=url, keep_days=0.5, keep_mb=2048)
    assert store("store: {url: '${DATABASE}', keep_days: 0.5}\ndefault_upstream: u") == kept


HEAD = """
upstreams: {one: {base_url: http://one:8000}}
routes:
  b: {variants: {base: {upstream: one}}}
  a:
    variants: {base: {upstream: one}}
"""


def test_what_is_looked_for_in_replies_is_all_there_is_unless_a_file_says_less(
    compiled: Compile,
) -> None:
    assert compiled(HEAD).quality == Quality()
    assert compiled(HEAD + "quality: {signals: [empty]}").quality.default.signals == ("empty",)
    nothing = compiled(HEAD + "quality: off")
    assert nothing.quality == Quality(default=Looks(signals=(), check_percent=0.0))
    assert not nothing.data_plane.judge_replies, "then words stay with the workers"


@pytest.mark.parametrize(
    ("text", "routes"),
    [
        ("    quality: {}\nquality: {signals: [empty]}", {"a": Looks(signals=("empty",))}),
        ("    quality: {signals: [length]}", {"a": Looks(signals=("length",))}),
        ("    quality: off", {"a": Looks(signals=(), check_percent=0.0)}),
        ("    quality: {signals: [length]}\nquality: off", {}),
    ],
)
def test_a_route_looks_for_what_all_do_where_it_says_nothing(
    compiled: Compile, text: str, routes: dict[str, Looks]
) -> None:
    assert compiled(HEAD + text).quality.routes == routes


def test_short_has_the_threshold_of_its_alert_also_where_that_is_off(compiled: Compile) -> None:
    own = "    alerts: {short: {reply_chars: 3}}\nalerts: {short: {reply_chars: 50}}"
    found = compiled(HEAD + own).quality
    assert found.default.short_reply_chars == 50
    assert found.routes["a"].short_reply_chars == 3
    assert compiled(HEAD + "alerts: {short: off}").quality.default.short_reply_chars == 10


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("json", Form(json_schema=b"true")),
        ("{json_schema: true}", Form(json_schema=b"true")),
        ("{json_schema: {enum: [null, 1]}}", Form(json_schema=b'{"enum": [null, 1]}')),
        ("{json_schema: schema.json}", Form(json_schema=b'{"type": "string"}')),
        ("{regex: yes|no, max_chars: 3}", Form(regex="yes|no", max_chars=3)),
    ],
)
def test_the_form_of_a_routes_replies_is_what_it_says_inline_or_in_a_file(
    compiled: Compile, tmp_path: Path, text: str, form: Form
) -> None:
    (tmp_path / "schema.json").write_text('{"type":"string"}', encoding="utf-8")
    assert compiled(HEAD + f"    format: {text}").quality.routes == {"a": Looks(form=form)}


def test_a_share_of_replies_is_checked_where_a_file_says_so(compiled: Compile) -> None:
    own = "    quality: {check_percent: 5}\n    format: json\nquality: {check_percent: 20}"
    found = compiled(HEAD + own).quality
    assert (found.default.check_percent, found.routes["a"].check_percent) == (20.0, 5.0)
    none = compiled(HEAD + "    quality: off\n    format: json").quality.routes["a"]
    assert (none.form, none.check_percent) == (None, 0.0)


def test_only_routes_that_say_so_keep_bodies(compiled: Compile) -> None:
    assert compiled(HEAD).data_plane.bodies == {}
    assert compiled(HEAD + "    store: {sample: 0.5}").data_plane.bodies == {}
    assert compiled(HEAD + "    store: {bodies: on}").data_plane.bodies == {"a": BodySettings()}
    own = "    store: {bodies: on, sample: 0.1, max_kb: 8, redact: ['sk-\\w+']}"
    kept = BodySettings(sample=0.1, max_bytes=8192, redact=(r"sk-\w+",))
    assert compiled(HEAD + own).data_plane.bodies == {"a": kept}


def test_prices_and_budgets_are_those_of_the_file_each_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "turnout.yaml"
    file.write_text(
        """
upstreams: {sim: {base_url: http://sim/v1}}
routes:
  support:
    budget: {usd: 100, stop: true}
    variants:
      base: {upstream: sim, prices: {input: 0.15, cached_input: 0.075, output: "0.6"}}
      tuned: {upstream: sim, prices: free}
      other: {upstream: sim}
  plain: {variants: {only: {upstream: sim}}}
keys:
  app:
    sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    budget: {usd: 5, per: day}
""",
        encoding="utf-8",
    )
    costs = load_settings(str(file), {}).costs
    mini = Prices(input=0.15, cached_input=0.075, output=0.6)
    assert costs.prices == {"support": {"base": mini, "tuned": FREE}}
    assert costs.budgets == (
        Budget(scope="route", name="support", usd=100.0, per="month", stop=True),
        Budget(scope="key", name="app", usd=5.0, per="day", stop=False),
    )


def test_spans_go_to_the_collector_s_base_and_their_share_to_the_workers() -> None:
    assert EVERYTHING.tracing == Tracing(
        endpoint="https://otlp.example.com:4318/base",
        headers={"x-key": "t"},
        service_name="inference",
    )
    assert EVERYTHING.data_plane.trace_share == 0.25


def test_without_tracing_no_worker_touches_a_trace(compiled: Compile) -> None:
    settings = compiled((GOOD / "all-off.yaml").read_text(encoding="utf-8"))
    assert (settings.tracing, settings.data_plane.trace_share) == (None, None)
