"""The manifests of Kubernetes: valid by its schemas, tied together, and with settings that the program takes."""

import os
import pathlib
import re
import signal
import subprocess

import yaml

from common import DEPLOY, ENVIRONMENT, PROGRAM, TARGET, findings, run, status, wait_for

MANIFESTS = DEPLOY / "kubernetes"
# What Kubernetes sets in a pod beside a Service of this name.
SERVICE_VARIABLES = {
    "KEYDESK_SERVICE_HOST": "10.96.7.7",
    "KEYDESK_SERVICE_PORT": "80",
    "KEYDESK_SERVICE_PORT_HTTP": "80",
    "KEYDESK_PORT": "tcp://10.96.7.7:80",
    "KEYDESK_PORT_80_TCP": "tcp://10.96.7.7:80",
    "KEYDESK_PORT_80_TCP_PROTO": "tcp",
    "KEYDESK_PORT_80_TCP_PORT": "80",
    "KEYDESK_PORT_80_TCP_ADDR": "10.96.7.7",
}


def manifests():
    texts = [path.read_text(encoding="utf-8") for path in sorted(MANIFESTS.glob("*.yaml"))]
    found = [document for text in texts for document in yaml.safe_load_all(text)]
    return {document["kind"]: document for document in found}


def check(folder):
    files = sorted(MANIFESTS.glob("*.yaml"))
    found = findings(*run([TARGET / "deploy/venv/bin/kubernetes-validate", "--strict", *files]))
    kinds = manifests()
    wanted = {"ConfigMap", "Deployment", "Job", "NetworkPolicy", "PodDisruptionBudget", "Secret", "Service"}
    assert kinds.keys() == wanted, kinds.keys()
    return found + ties(kinds) + hardening(kinds) + served(kinds, folder)


def pods(kinds):
    return [kinds[kind]["spec"]["template"]["spec"] for kind in ("Deployment", "Job")]


def ties(kinds):
    """What one manifest says of another one."""
    deployment = kinds["Deployment"]
    template, selector = deployment["spec"]["template"], deployment["spec"]["selector"]["matchLabels"]
    (container,) = template["spec"]["containers"]
    (port,) = container["ports"]
    listen = kinds["ConfigMap"]["data"]["KEYDESK_LISTEN"]
    drain = int(environment(kinds, container)["KEYDESK_DRAIN"].removesuffix("s"))
    probes = {name: container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    rules = {
        "the Deployment selects its pods": selector == template["metadata"]["labels"],
        "the Service selects the pods": kinds["Service"]["spec"]["selector"] == selector,
        "the Service leads to the port": kinds["Service"]["spec"]["ports"][0]["targetPort"] == port["name"],
        "the budget selects the pods": kinds["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == selector,
        "a pod is left": kinds["PodDisruptionBudget"]["spec"]["minAvailable"] < deployment["spec"]["replicas"],
        "the program listens on the port": listen == f"0.0.0.0:{port['containerPort']}",
        "probes use the port": {probe["port"] for probe in probes.values()} == {port["name"]},
        "ready to verify": probes["readinessProbe"]["path"] == "/readyz?for=verification",
        "alive": probes["livenessProbe"]["path"] == probes["startupProbe"]["path"] == "/healthz",
        "time to stop": template["spec"]["terminationGracePeriodSeconds"] >= drain + 35,
        "servers migrate nothing": environment(kinds, container)["KEYDESK_MIGRATE"] == "never",
        "one image": len({pod["containers"][0]["image"] for pod in pods(kinds)}) == 1,
    }
    for pod in pods(kinds):
        mounts = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
        rules["volumes are mounted"] = mounts.keys() == {volume["name"] for volume in pod["volumes"]}
        for name, value in environment(kinds, pod["containers"][0]).items():
            folder, _, key = value.rpartition("/")
            if name in ("KEYDESK_SECRETS_FILE", "KEYDESK_DATABASE_URL_FILE"):
                rules[f"{value} is in the secret"] = folder == mounts["installation"] and key in kinds["Secret"]["stringData"]
            if name == "KEYDESK_DATA_DIR":
                rules["the data folder is in the volume"] = folder == mounts["data"]
    return [f"not so: {rule}" for rule, holds in rules.items() if not holds]


def hardening(kinds):
    """The Restricted level of the Pod Security Standards, and a root file system that is read-only."""
    found = []
    for pod in pods(kinds):
        of_pod, of_container = pod["securityContext"], pod["containers"][0]["securityContext"]
        rules = {
            "runs as 65532": of_pod["runAsNonRoot"] and of_pod["runAsUser"] == of_pod["runAsGroup"] == of_pod["fsGroup"] == 65532,
            "seccomp": of_pod["seccompProfile"] == {"type": "RuntimeDefault"},
            "no escalation": of_container["allowPrivilegeEscalation"] is False,
            "no capabilities": of_container["capabilities"] == {"drop": ["ALL"]},
            "read-only root": of_container["readOnlyRootFilesystem"] is True,
            "no token of the API": pod["automountServiceAccountToken"] is False,
        }
        found += [f"not so: {rule}" for rule, holds in rules.items() if not holds]
    return found


def environment(kinds, container):
    assert container["envFrom"] == [{"configMapRef": {"name": kinds["ConfigMap"]["metadata"]["name"]}}]
    return {**kinds["ConfigMap"]["data"], **{variable["name"]: variable["value"] for variable in container["env"]}}


def served(kinds, folder):
    """Runs the Job and then the server with the settings of the manifests, where only the places are others."""
    (job, server) = (kinds[kind]["spec"]["template"]["spec"]["containers"][0] for kind in ("Job", "Deployment"))
    secrets, data = folder / "run", folder / "data"
    secrets.mkdir()
    data.mkdir(mode=0o700)
    url = f"sqlite://{data}/keydesk.db"
    for key in kinds["Secret"]["stringData"]:
        file = secrets / key
        file.write_text(url, encoding="utf-8")
        file.chmod(0o440)
    # The installation exists before, as README.md says.
    first = [PROGRAM, "company", "add", "--name", "Brightwater", "--data-dir", data, "--database-url", url]
    code, output = run(first, env=ENVIRONMENT)
    assert code == 0, output
    (secrets / "secrets").unlink()
    (data / "secrets").rename(secrets / "secrets")
    if os.geteuid() == 0:
        # As the files of a Secret with an fsGroup.
        (secrets / "secrets").chmod(0o440)

    def placed(container):
        variables = environment(kinds, container) | SERVICE_VARIABLES | {"KEYDESK_LISTEN": "127.0.0.1:0"}
        places = {"/run/keydesk": str(secrets), "/data": str(folder)}
        for name, value in variables.items():
            for old, new in places.items():
                variables[name] = re.sub(rf"^{old}/", f"{new}/", variables[name])
        return ENVIRONMENT | variables

    code, output = run([PROGRAM, *job["args"]], env=placed(job))
    if code:
        return [f"the Job: {output}"]
    environment_of_server = placed(server) | {"KEYDESK_DRAIN": "1s"}
    with open(folder / "log", "w+", encoding="utf-8") as log:
        process = subprocess.Popen([PROGRAM], env=environment_of_server, stdout=subprocess.PIPE, stderr=log, text=True)
        line = process.stdout.readline()
        if not line.startswith("Listening on "):
            process.kill()
            return [f"the server: {pathlib.Path(log.name).read_text(encoding='utf-8')}"]
        url = line.split()[-1]
        found = []
        for name in ("startupProbe", "livenessProbe", "readinessProbe"):
            path = server[name]["httpGet"]["path"]
            if (answer := status(url + path)) != 200:
                found.append(f"{name} {path} answers {answer}")
        process.send_signal(signal.SIGTERM)
        wait_for(lambda: status(f"{url}/readyz?for=verification") == 503, "the draining server is not ready")
        code = process.wait(timeout=server_stop_seconds(kinds))
        return found + ([f"exit code {code}"] if code else [])


def server_stop_seconds(kinds):
    return kinds["Deployment"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]


