"""Who reaches the pods, on which ports, and how many pods there are for them."""

from typing import Any

import pytest

from proxy import __version__
from tests.helm.chart import Helm, Refused, render, scenario

LABELS = {"app.kubernetes.io/name": "turnout", "app.kubernetes.io/instance": "turnout"}


def test_traffic_and_administration_have_a_service_each(helm: Helm) -> None:
    chart = scenario(helm, "default")
    traffic, admin = chart.one("Service", "turnout"), chart.one("Service", "turnout-admin")
    ports = {each["name"]: each["containerPort"] for each in chart.container()["ports"]}
    assert ports == {"traffic": 8000, "admin": 8001}
    assert traffic["spec"]["ports"] == [
        {"name": "traffic", "port": 8000, "targetPort": "traffic", "appProtocol": "http"}
    ]
    assert admin["spec"]["ports"] == [
        {"name": "admin", "port": 8001, "targetPort": "admin", "appProtocol": "http"}
    ]
    assert traffic["spec"]["selector"] == admin["spec"]["selector"] == LABELS
    assert LABELS.items() <= chart.pod()["metadata"]["labels"].items()


def test_nothing_but_traffic_can_be_had_from_outside(helm: Helm) -> None:
    chart = scenario(helm, "tls")
    assert chart.one("Service", "llm")["spec"]["type"] == "LoadBalancer"
    assert chart.one("Service", "llm")["spec"]["ports"][0]["appProtocol"] == "https"
    assert chart.one("Service", "llm-admin")["spec"]["type"] == "ClusterIP"


def test_the_pod_of_helm_test_is_no_pod_of_the_services(helm: Helm) -> None:
    pod = scenario(helm, "tls").one("Pod")
    assert not LABELS.items() <= pod["metadata"]["labels"].items()
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    placed = scenario(helm, "postgresql")
    for word in ("nodeSelector", "tolerations"):  # its image is the pods'
        assert placed.one("Pod")["spec"][word] == placed.pod()["spec"][word]
    assert pod["spec"]["containers"][0]["args"] == ["ready", "--url=https://llm:443"]


def test_an_ingress_leads_v1_to_the_traffic_and_nothing_else(helm: Helm) -> None:
    ingress = scenario(helm, "watched").one("Ingress")
    assert ingress["spec"] == {
        "ingressClassName": "nginx",
        "tls": [{"secretName": "llm-tls", "hosts": ["llm.example.com"]}],
        "rules": [
            {
                "host": "llm.example.com",
                "http": {
                    "paths": [
                        {
                            "path": "/v1",
                            "pathType": "Prefix",
                            "backend": {
                                "service": {"name": "turnout", "port": {"name": "traffic"}}
                            },
                        }
                    ]
                },
            }
        ],
    }


def test_a_gateways_route_does_so_and_ends_no_stream_by_a_time_of_its_own(helm: Helm) -> None:
    route = scenario(helm, "postgresql").one("HTTPRoute")
    assert route["apiVersion"] == "gateway.networking.k8s.io/v1"
    assert route["spec"] == {
        "parentRefs": [{"name": "gateway", "namespace": "infra"}],
        "hostnames": ["llm.example.com"],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/v1"}}],
                "timeouts": {"request": "0s"},
                "backendRefs": [{"name": "turnout", "port": 8000}],
            }
        ],
    }


@pytest.mark.parametrize(
    "values", [{"ingress": {"enabled": True}}, {"httpRoute": {"enabled": True}}]
)
def test_a_way_in_without_a_name_is_refused(helm: Helm, values: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r"ingress\.hosts: say|httpRoute\.parentRefs: name"):
        render(helm, **values)


def test_a_network_policy_lets_in_who_is_named_and_to_administration_nobody_by_default(
    helm: Helm,
) -> None:
    bare = render(helm, networkPolicy={"enabled": True}).one("NetworkPolicy")["spec"]
    assert bare["podSelector"]["matchLabels"] == LABELS
    assert bare["policyTypes"] == ["Ingress"]
    assert bare["ingress"] == [
        {"ports": [{"port": "traffic", "protocol": "TCP"}]},
        {"ports": [{"port": "admin", "protocol": "TCP"}], "from": [{"podSelector": {}}]},
    ]
    full = scenario(helm, "watched").one("NetworkPolicy")["spec"]
    assert full["policyTypes"] == ["Ingress", "Egress"]
    apps, tester = full["ingress"][0]["from"]
    assert apps == {"namespaceSelector": {"matchLabels": {"apps": "true"}}}
    labels = scenario(helm, "watched").one("Pod")["metadata"]["labels"]
    assert tester["podSelector"]["matchLabels"].items() <= labels.items()
    assert full["ingress"][1]["from"][0]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "monitoring"
    }
    assert len(full["egress"]) == 2


def test_load_decides_how_many_pods_there_are(helm: Helm) -> None:
    chart = scenario(helm, "postgresql")
    scaler = chart.one("HorizontalPodAutoscaler")["spec"]
    assert "replicas" not in chart.one("Deployment")["spec"]  # or each upgrade would set them back
    assert scaler["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "turnout",
    }
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (3, 12)
    assert scaler["metrics"] == [
        {
            "type": "Resource",
            "resource": {
                "name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 60},
            },
        },
        {
            "type": "Pods",
            "pods": {
                "metric": {"name": "turnout_in_flight"},
                "target": {"type": "AverageValue", "averageValue": "200"},
            },
        },
    ]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"autoscaling": {"cpu": 0}}, r"say autoscaling\.cpu or autoscaling\.inFlight"),
        ({"autoscaling": {"maxReplicas": 1}}, "maxReplicas is 1, and less than minReplicas"),
        ({"resources": {"requests": {"cpu": None}}}, "a share of resources.requests.cpu"),
    ],
    ids=str,
)
def test_autoscaling_that_could_not_work_is_refused(
    helm: Helm, values: dict[str, Any], said: str
) -> None:
    scaled = {**values, "autoscaling": {"enabled": True, **values.get("autoscaling", {})}}
    with pytest.raises(Refused, match=said):
        render(helm, **scaled)


def test_drained_nodes_leave_pods_enough(helm: Helm) -> None:
    budget = scenario(helm, "postgresql").one("PodDisruptionBudget")["spec"]
    assert budget == {"maxUnavailable": "25%", "selector": {"matchLabels": LABELS}}
    assert scenario(helm, "default").one("PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_no_pod_has_a_token_of_kubernetes(helm: Helm) -> None:
    chart = scenario(helm, "default")
    assert chart.one("ServiceAccount")["automountServiceAccountToken"] is False
    assert chart.pod()["spec"]["serviceAccountName"] == "turnout"
    assert scenario(helm, "tls").pod()["spec"]["serviceAccountName"] == "proxies"
    assert not scenario(helm, "tls").of("ServiceAccount")


def test_everything_is_made_in_the_namespace_of_the_release(helm: Helm) -> None:
    chart = render(helm, "--namespace", "llm")
    assert {each["metadata"]["namespace"] for each in chart.manifests} == {"llm"}


def test_everything_is_labelled_as_kubernetes_recommends(helm: Helm) -> None:
    for chart in (scenario(helm, "watched"), scenario(helm, "postgresql")):
        for each in chart.manifests:
            labels = each["metadata"]["labels"]
            assert labels["helm.sh/chart"].startswith("turnout-")
            assert labels["app.kubernetes.io/managed-by"] == "Helm"
            if each["kind"] != "Pod":  # the pod of `helm test`, which no Service may find
                assert LABELS.items() <= labels.items()
                assert labels["app.kubernetes.io/version"] == __version__
