"""The Kubernetes manifests build with kustomize, are hardened, and agree with the code and with each other."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tamis.services.sealer_setup import enrolment_public, sealer_kafka
from tamis.settings_audit import AuditSettings
from tamis.settings_loader import load_settings
from tests.support.command_lines import problem
from tests.support.requirements import require

FOLDER = Path(__file__).resolve().parents[3] / "deploy/k8s"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
DOCUMENTS: list[dict[str, Any]] = [
    document for name in KUSTOMIZATION["resources"] for document in yaml.safe_load_all((FOLDER / name).read_text())
]
POD_OWNERS = [document for document in DOCUMENTS if document["kind"] in {"StatefulSet", "Job"}]
CONTAINERS = [
    pytest.param(owner, container, id=f"{owner['metadata']['name']}/{container['name']}")
    for owner in POD_OWNERS
    for container in owner["spec"]["template"]["spec"]["containers"]
]


def one(kind: str, name: str | None = None) -> dict[str, Any]:
    (found,) = (
        document for document in DOCUMENTS if document["kind"] == kind and name in {None, document["metadata"]["name"]}
    )
    return found


def containers(*owners: str) -> list[dict[str, Any]]:
    return [c for name in owners for c in one("StatefulSet", name)["spec"]["template"]["spec"]["containers"]]


def settings_text() -> str:
    text: str = one("ConfigMap")["data"]["tamis.toml"]
    return text


def test_every_file_is_listed() -> None:
    assert {path.name for path in FOLDER.glob("*.yaml")} == {*KUSTOMIZATION["resources"], "kustomization.yaml"}


def test_kustomize_builds_them() -> None:
    require("kubectl")
    built = subprocess.run(["kubectl", "kustomize", str(FOLDER)], capture_output=True, text=True, check=True).stdout
    kinds = [document["kind"] for document in yaml.safe_load_all(built)]
    assert sorted(kinds) == sorted(document["kind"] for document in DOCUMENTS)
    assert "image: registry.example.com/tamis:" in built


def test_settings_are_valid(tmp_path: Path) -> None:
    file = tmp_path / "tamis.toml"
    file.write_text(settings_text())
    settings = load_settings(str(file), environ={}).settings
    assert settings.kafka.security == "sasl_ssl"
    assert settings.topics.replication == 3


@pytest.mark.parametrize("owner", POD_OWNERS, ids=lambda owner: owner["metadata"]["name"])
def test_pods_are_hardened(owner: dict[str, Any]) -> None:
    pod = owner["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert "hostNetwork" not in pod
    assert not any("hostPath" in volume for volume in pod["volumes"])


@pytest.mark.parametrize(("owner", "container"), CONTAINERS)
def test_containers_are_hardened(owner: dict[str, Any], container: dict[str, Any]) -> None:
    assert owner
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize(("owner", "container"), CONTAINERS)
def test_commands_and_environment_exist(owner: dict[str, Any], container: dict[str, Any]) -> None:
    assert owner
    assert problem(container["args"]) is None
    load_settings(environ={entry["name"]: entry.get("value", "") for entry in container.get("env", [])})


@pytest.mark.parametrize(("owner", "container"), CONTAINERS)
def test_mounts_name_volumes_and_settings_name_mounts(owner: dict[str, Any], container: dict[str, Any]) -> None:
    volumes = {volume["name"] for volume in owner["spec"]["template"]["spec"]["volumes"]}
    volumes |= {claim["metadata"]["name"] for claim in owner["spec"].get("volumeClaimTemplates", [])}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert set(mounts) <= volumes
    settings = tomllib.loads(settings_text())
    assert settings["kafka"]["password_file"].startswith(f"{mounts['kafka']}/")
    if owner["kind"] == "StatefulSet":
        assert settings["paths"]["state_dir"] in {mounts.get("state"), mounts.get("evidence")}
    if container["name"] == "worker":
        assert settings["keys"]["file"].startswith(f"{mounts['keys']}/")
    else:
        assert "keys" not in mounts  # only workers need them


def test_probes_and_policies_use_the_declared_ports() -> None:
    running = containers("tamis-workers", "tamis-sealer")
    ports = {port["name"]: port["containerPort"] for container in running for port in container["ports"]}
    assert len(ports) == len(running)
    for container in running:
        own = {port["name"] for port in container["ports"]}
        (value,) = (entry["value"] for entry in container["env"] if entry["name"] == "TAMIS_TELEMETRY__PORT")
        assert container["livenessProbe"]["httpGet"]["port"] in own
        assert int(value) in {ports[name] for name in own}
    served = [port for name in ("tamis-workers", "tamis-sealer") for port in one("Service", name)["spec"]["ports"]]
    assert {port["targetPort"] for port in served} == set(ports)
    opened = {port["port"] for port in one("NetworkPolicy", "tamis")["spec"]["ingress"][0]["ports"]}
    assert opened == set(ports.values())


def test_egress_reaches_the_brokers() -> None:
    bootstrap = tomllib.loads(settings_text())["kafka"]["bootstrap"]
    host, port = bootstrap.split(":")
    rule = one("NetworkPolicy", "tamis")["spec"]["egress"][-1]
    namespace = rule["to"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    assert re.fullmatch(rf"[a-z-]+\.{namespace}\.svc", host)
    assert rule["ports"][0]["port"] == int(port)


def test_the_volume_holds_the_largest_replica() -> None:
    (claim,) = one("StatefulSet", "tamis-workers")["spec"]["volumeClaimTemplates"]
    size = int(claim["spec"]["resources"]["requests"]["storage"].removesuffix("Gi")) << 30
    assert size > load_settings(environ={}).settings.consent.replica_max_bytes


@pytest.mark.parametrize(
    ("name", "kinds"),
    [("tamis-workers", ("Service", "PodDisruptionBudget")), ("tamis-sealer", ("Service",))],
)
def test_selectors_find_their_pods_and_no_others(name: str, kinds: tuple[str, ...]) -> None:
    labels = one("StatefulSet", name)["spec"]["template"]["metadata"]["labels"]
    selectors = [one("StatefulSet", name)["spec"]["selector"]["matchLabels"]]
    for kind in kinds:
        spec = one(kind, name)["spec"]
        selectors.append(spec["selector"].get("matchLabels", spec["selector"]))
    for selector in selectors:
        assert selector == labels
    assert one("NetworkPolicy", "tamis")["spec"]["podSelector"]["matchLabels"].items() <= labels.items()


def test_both_containers_see_each_others_processes() -> None:
    """LMDB keeps its reader table by process id."""
    assert one("StatefulSet", "tamis-workers")["spec"]["template"]["spec"]["shareProcessNamespace"] is True


def test_the_sealer_shares_no_secret_no_user_and_no_volume_with_the_workers() -> None:
    sealer, workers = (one("StatefulSet", name)["spec"] for name in ("tamis-sealer", "tamis-workers"))
    assert sealer["replicas"] == 1
    users = [spec["template"]["spec"]["securityContext"]["runAsUser"] for spec in (sealer, workers)]
    assert users[0] != users[1]
    secrets = [
        {volume["secret"]["secretName"] for volume in spec["template"]["spec"]["volumes"] if "secret" in volume}
        for spec in (sealer, workers)
    ]
    assert not secrets[0] & secrets[1]


def test_the_sealers_settings_name_its_own_keys_and_principal(tmp_path: Path) -> None:
    (container,) = containers("tamis-sealer")
    file = tmp_path / "tamis.toml"
    file.write_text(settings_text())
    environ = {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}
    settings = load_settings(str(file), environ=environ | {"TAMIS_SEALER__ENROLMENT_KEY": "A" * 43 + "="}).settings
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert settings.sealer.key_file.startswith(f"{mounts['sealer-keys']}/")
    assert settings.sealer.password_file.startswith(f"{mounts['kafka']}/")
    assert settings.sealer.username != settings.kafka.username
    assert settings.sealer_path().startswith(f"{mounts['evidence']}/")
    parts = sealer_kafka(settings), enrolment_public(settings)
    assert (parts[0].username, len(parts[1])) == ("tamis-sealer", 32), "and no root key is needed"
    assert settings.audit.origin != AuditSettings().origin, "the installation has a name of its own"


def test_only_the_sealer_may_ask_the_outside() -> None:
    policy = one("NetworkPolicy", "tamis-sealer-outside")["spec"]
    labels = one("StatefulSet", "tamis-sealer")["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"] == labels
    assert policy["policyTypes"] == ["Egress"]
