"""The pods: what runs in them, as whom, with what mounted, and when they are started again."""

from typing import Any

import kubernetes_validate
import pytest

from proxy import __version__
from proxy.config.schema import File
from proxy.controlplane.publishing.in_force import FIXED
from tests.helm.chart import Helm, Refused, render, scenario

SPREAD = ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
FILE = "upstreams: {a: {base_url: 'http://a/v1'}}\ndefault_upstream: a\n"


def restart(helm: Helm, config: str) -> str:
    annotations = render(helm, config=config).pod()["metadata"]["annotations"]
    word: str = annotations["turnout/restart"]
    return word


def patience(helm: Helm, config: str, **values: Any) -> int:
    seconds: int = render(helm, config=config, **values).pod()["spec"][
        "terminationGracePeriodSeconds"
    ]
    return seconds


def test_by_default_it_is_one_pod_that_a_ready_one_replaces(helm: Helm) -> None:
    chart = scenario(helm, "default")
    spec = chart.one("Deployment")["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert spec["selector"]["matchLabels"].items() <= chart.pod()["metadata"]["labels"].items()
    assert chart.container()["image"] == f"turnout:{__version__}"
    assert chart.volume("data") == {"name": "data", "emptyDir": {"sizeLimit": "4Gi"}}


def test_what_runs_is_turnout_on_the_mounted_file_and_open_to_other_pods(helm: Helm) -> None:
    assert scenario(helm, "default").container()["args"] == [
        "serve",
        "--config=/etc/turnout/turnout.yaml",
        "--listen=0.0.0.0:8000",
        "--admin=0.0.0.0:8001",
        "--data=/var/lib/turnout",
    ]
    assert scenario(helm, "tls").container()["args"][2:4] == [
        "--listen=[::]:8000",
        "--admin=[::]:8001",
    ]
    assert scenario(helm, "sqlite").container()["args"][-1] == "--strict"


@pytest.mark.parametrize("name", ["default", "sqlite"])
def test_it_keeps_to_the_restricted_standard(helm: Helm, name: str) -> None:
    chart = scenario(helm, name)
    pod, container = chart.pod()["spec"], chart.container()
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()


def test_only_data_and_temporary_files_can_be_written(helm: Helm) -> None:
    mounts = scenario(helm, "watched").container()["volumeMounts"]
    assert {each["mountPath"] for each in mounts if not each.get("readOnly")} == {
        "/tmp",
        "/var/lib/turnout",
    }


def test_the_file_is_mounted_as_a_folder_which_alone_is_kept_up_to_date(helm: Helm) -> None:
    chart = scenario(helm, "watched")
    mount = next(each for each in chart.container()["volumeMounts"] if each["name"] == "config")
    assert mount == {"name": "config", "mountPath": "/etc/turnout", "readOnly": True}
    assert set(chart.config_map()) == {"turnout.yaml", "reply.json"}


def test_probes_ask_different_things_and_leave_turnout_the_time_to_mend_itself(helm: Helm) -> None:
    container = scenario(helm, "default").container()
    startup, ready, live = (
        container[f"{each}Probe"] for each in ("startup", "readiness", "liveness")
    )
    assert [each["httpGet"]["path"] for each in (startup, ready, live)] == [
        "/readyz",
        "/readyz",
        "/healthz",
    ]
    assert {each["httpGet"]["port"] for each in (startup, ready, live)} == {"traffic"}
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 120
    assert ready["periodSeconds"] * ready["failureThreshold"] <= 10
    assert live["periodSeconds"] * live["failureThreshold"] >= 60  # its own watch takes 30
    assert "lifecycle" not in container


def test_probes_speak_tls_where_traffic_does(helm: Helm) -> None:
    container = scenario(helm, "tls").container()
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["scheme"] == "HTTPS"


def test_secrets_are_named_and_never_said(helm: Helm) -> None:
    watched, tls = scenario(helm, "watched"), scenario(helm, "tls")
    assert {"name": "REGION", "value": "eu"} in watched.container()["env"]
    assert watched.container()["env"][-1] == {
        "name": "OPENAI_API_KEY",
        "valueFrom": {"secretKeyRef": {"name": "model-keys", "key": "openai"}},
    }
    assert {
        "name": "secret-traffic-tls",
        "mountPath": "/run/secrets/traffic-tls",
        "readOnly": True,
    } in tls.container()["volumeMounts"]
    assert tls.volume("secret-traffic-tls")["secret"] == {"secretName": "traffic-tls"}
    assert not watched.of("Secret") + tls.of("Secret")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"env": {"TURNOUT_DATA": "/elsewhere"}}, "TURNOUT_DATA is said twice"),
        ({"env": {"A": "b"}, "secretEnv": {"A": {"secret": "s", "key": "k"}}}, "A is said twice"),
        ({"podLabels": {"app.kubernetes.io/name": "other"}}, "that is the chart's"),
        ({"fullnameOverride": "2nd"}, "say fullnameOverride"),
    ],
    ids=str,
)
def test_what_kubernetes_would_refuse_is_refused_before(
    each_helm: Helm, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        render(each_helm, **values)


def test_names_that_look_like_numbers_or_truths_stay_names(helm: Helm) -> None:
    chart = render(
        helm,
        secretEnv={"NO": {"secret": "1", "key": "on"}},
        secretFiles=["2"],
        persistence={"enabled": True, "storageClass": "true"},
    )
    for version in ("1.25", kubernetes_validate.latest_version()):
        kubernetes_validate.validate(chart.one("StatefulSet"), version, strict=True)


def test_pods_are_spread_by_their_own_labels(helm: Helm) -> None:
    chart = scenario(helm, "default")
    found = chart.pod()["spec"]["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in found] == SPREAD
    for each in found:
        assert (
            each["labelSelector"]["matchLabels"].items()
            <= chart.pod()["metadata"]["labels"].items()
        )


def test_sqlite_on_a_volume_is_a_stateful_set_of_one(helm: Helm) -> None:
    chart = scenario(helm, "sqlite")
    spec = chart.one("StatefulSet")["spec"]
    assert not chart.of("Deployment")
    assert spec["replicas"] == 1
    assert spec["volumeClaimTemplates"][0]["metadata"]["name"] == "data"
    assert spec["volumeClaimTemplates"][0]["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "20Gi"}},
    }
    assert "data" not in [each["name"] for each in chart.pod()["spec"]["volumes"]]


def test_several_pods_on_sqlite_are_refused_and_on_postgresql_are_not(each_helm: Helm) -> None:
    kept: dict[str, Any] = {"persistence": {"enabled": True}}
    with pytest.raises(Refused, match="name a PostgreSQL database in config"):
        render(each_helm, **kept, replicas=2)
    with pytest.raises(Refused, match="name a PostgreSQL database in config"):
        render(each_helm, **kept, autoscaling={"enabled": True})
    shared = render(each_helm, **kept, replicas=2, config=FILE + "store: {url: ${URL}}\n")
    assert shared.one("StatefulSet")["spec"]["replicas"] == 2


def test_time_to_end_is_more_than_the_drain_takes(helm: Helm) -> None:
    usual = File.model_fields["drain_seconds"].default
    assert patience(helm, FILE) == usual + 10 + 30
    assert patience(helm, FILE + "drain_seconds: 600\ndrain_grace_seconds: 1.5\n") == 632
    assert patience(helm, FILE + "drain_seconds: 0\n") == 40
    assert patience(helm, FILE, terminationGracePeriodSeconds=900) == 900
    assert patience(helm, FILE + "drain_seconds: ${D}\n", terminationGracePeriodSeconds=99) == 99


@pytest.mark.parametrize(
    ("drain", "seconds", "said"),
    [
        ("600", 639, "would cut streams.* are 640"),
        ("${D:-60}", 0, "say terminationGracePeriodSeconds"),
    ],
)
def test_less_time_than_that_is_refused(helm: Helm, drain: str, seconds: int, said: str) -> None:
    with pytest.raises(Refused, match=said):
        patience(helm, f"{FILE}drain_seconds: {drain}\n", terminationGracePeriodSeconds=seconds)


def test_pods_stay_when_what_changes_takes_effect_in_place(helm: Helm) -> None:
    first = restart(helm, FILE)
    for more in (
        "routes: {support: {variants: {base: {upstream: a}}}}\n",
        "previews: off\nalerts: {slow: {latency_ms: 1}}\n",
        "keys: {app: {sha256: ${DIGEST}}}\nlimits: {max_n: 1}\ndeadlines: {idle: 9}\n",
        "admin: {tokens: {}}\nlog: {exchanges: off}\n",
        "# a comment\n",
        "listen: 127.0.0.1:1\ndata_dir: elsewhere\n",  # the chart says both
    ):
        assert restart(helm, FILE + more) == first, more


RESTARTS = {  # what takes a restart, as turnout has it -> the file that says something else of it
    "admin.names": "admin: {names: [turnout-admin.llm]}",
    "tls": "tls: {certificate: a, key: b}",
    "workers": "workers: 2",
    "store": "store: {keep_days: 3}",
    "host": "host: here",
    "log.format": "log: {format: console}",
    "drain_seconds": "drain_seconds: 90",
    "drain_grace_seconds": "drain_grace_seconds: 3",
}
SAID = {"listen", "admin.listen", "data_dir"}  # by the chart, on the command line


def test_all_that_takes_a_restart_is_known_here() -> None:
    assert set(FIXED) == RESTARTS.keys() | SAID


@pytest.mark.parametrize("more", RESTARTS.values())
def test_pods_are_replaced_when_what_changes_takes_a_restart(helm: Helm, more: str) -> None:
    assert restart(helm, f"{FILE}{more}\n") != restart(helm, FILE)


def test_a_name_is_short_enough_that_pods_are_told_apart_by_their_own(helm: Helm) -> None:
    chart = render(helm, release="a-release-with-a-name-of-no-fewer-than-fifty-chars")
    name = chart.one("Deployment")["metadata"]["name"]
    assert len(f"{name}-0123456789-01234") <= 63  # of a host's name
    assert not name.endswith("-")


def test_nothing_that_can_be_off_is_left_when_it_is(helm: Helm) -> None:
    assert scenario(helm, "bare").names() == {
        ("ConfigMap", "turnout"),
        ("Deployment", "turnout"),
        ("Service", "turnout"),
        ("Pod", "turnout-ready"),
    }
    assert scenario(helm, "bare").pod()["spec"]["serviceAccountName"] == "default"
