"""A real Prometheus scrapes the server: rules, alerts and the dashboard in deploy/ are judged with its answers."""

import concurrent.futures
import contextlib
import datetime
import json
import pathlib
import re
import sqlite3
import subprocess
import time
import urllib.parse
import urllib.request

import alerts
from server import KEYS, PROJECT, Server

DEPLOY = PROJECT / "deploy"
RULE_FILES = [DEPLOY / "prometheus/rules.yml", DEPLOY / "prometheus/alerts.yml"]
DASHBOARD = DEPLOY / "grafana/keydesk.json"
# The demo has no witness.
MAY_BE_EMPTY = ["keydesk_checkpoint_unwitnessed_seconds"]
# The alerts whose incident is caused here. Unit tests cause those of all alerts.
CAUSED = {
    "KeydeskDown",
    "KeydeskKeysExpireSoon",
    "KeydeskLogLinesDropped",
    "KeydeskRevokedKeyInUse",
    "KeydeskServerErrors",
    "KeydeskSignInsRefused",
    "KeydeskStoreErrors",
    "KeydeskVerificationUnavailable",
}
TIMEOUT = 150


class Prometheus:
    """Use as a context manager. Scrapes and evaluates each second, and has rules without delays."""

    def __init__(self, folder, servers):
        self.folder, self.servers = folder, servers

    def __enter__(self):
        for file in RULE_FILES:
            text = file.read_text(encoding="utf-8")
            text = re.sub(r"\[\d+[mh]\]", "[10s]", re.sub(r"\bfor: \d+m\b", "for: 0s", text))
            (self.folder / file.name).write_text(text, encoding="utf-8")
        targets = [server.address.netloc for server in self.servers]
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [file.name for file in RULE_FILES],
            "scrape_configs": [{"job_name": "keydesk", "static_configs": [{"targets": targets}]}],
        }
        (self.folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
        self.log = open(self.folder / "log", "w+", encoding="utf-8")
        words = ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0"]
        self.process = subprocess.Popen(words, cwd=self.folder, stdout=self.log, stderr=self.log)
        self.url = wait_for(self._address, "Prometheus starts")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=60)
        self.log.close()

    def _address(self):
        text = (self.folder / "log").read_text(encoding="utf-8")
        if self.process.poll() is not None:
            raise SystemExit(f"Prometheus did not start:\n{text}")
        found = re.search(r'"?Listening on"? address=(127\.0\.0\.1:[1-9]\d*)', text)
        return found and f"http://{found[1]}"

    def get(self, path, **parameters):
        """Returns the data of an answer, or raises with Prometheus's reason."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(json.load(error).get("error")) from error

    def query(self, expression):
        return self.get("query", query=expression)["result"]

    def firing(self):
        return {alert["labels"]["alertname"] for alert in self.get("alerts")["alerts"] if alert["state"] == "firing"}


def wait_for(condition, what):
    deadline = time.monotonic() + TIMEOUT
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise SystemExit(f"Not in time: {what}")
        time.sleep(0.2)
    return result


def load(server):
    """Sends a few requests of each kind. Failures are part of incidents."""
    signed_in = {"Cookie": server.cookie}
    for path in [KEYS, f"{KEYS}?tab=revoked", "/account"]:
        server.request("GET", path, headers=signed_in)
    for _ in range(10):
        server.request("GET", "/v1/whoami", headers={"Authorization": f"Bearer {server.key}"})
    server.request("GET", "/v1/whoami", headers={"Authorization": "Bearer nonsense"})
    server.request("GET", "/readyz")


def dashboard_queries():
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def judge_queries(prometheus, server):
    """Runs each query of the dashboard until it has data. Returns those that fail or stay empty."""
    found = []
    for query in dashboard_queries():
        expression = query.replace("$__rate_interval", "10s").replace("$instance", ".*")

        def has_data(expression=expression):
            load(server)
            return any(sample["value"][1] != "NaN" for sample in prometheus.query(expression))

        try:
            if any(name in query for name in MAY_BE_EMPTY):
                prometheus.query(expression)
            else:
                wait_for(has_data, f"data for {query}")
        except (ValueError, SystemExit) as error:
            found.append(f"{query}: {error}")
    return found


def cause_incidents(server):
    """Keys expire soon, a revoked key is in use, passwords are guessed, the log has no reader, the database fails."""
    signed_in = {"Cookie": server.cookie}
    soon = (datetime.date.today() + datetime.timedelta(days=3)).isoformat()
    server.create_key("Expiring Service", expires=soon)
    revoked, page = server.create_key("Revoked Service")
    server.request("POST", f"{KEYS}/{page}/revoke", {"reason": "compromised"}, signed_in)
    with contextlib.closing(sqlite3.connect(server.data_dir / "keydesk.db", timeout=30)) as database:

        def outage():
            database.execute("ALTER TABLE api_keys RENAME TO hidden")
            database.commit()
            for _ in range(10):
                load(server)
            database.execute("ALTER TABLE hidden RENAME TO api_keys")
            database.commit()

        while True:
            load(server)
            server.request("GET", "/v1/whoami", headers={"Authorization": f"Bearer {revoked}"})
            guess = {"email": "maria@nowhere.example", "password": "a wrong password"}
            with concurrent.futures.ThreadPoolExecutor(8) as guessers:
                list(guessers.map(lambda _: server.request("POST", "/sign-in", guess), range(200)))
            outage()
            yield


def judge_alerts(prometheus, server):
    """Causes incidents until each alert has fired. Returns those that did not."""
    fired, incidents = set(), cause_incidents(server)
    deadline = time.monotonic() + TIMEOUT
    caused = CAUSED - {"KeydeskDown"}
    while not caused <= fired and time.monotonic() < deadline:
        next(incidents)
        for _ in range(10):
            fired |= prometheus.firing()
            time.sleep(0.3)
    incidents.close()
    server.stop()
    while "KeydeskDown" not in fired and time.monotonic() < deadline + 30:
        fired |= prometheus.firing()
        time.sleep(0.3)
    return [f"{alert} does not fire" for alert in sorted(CAUSED - fired)]


def judge_rules(folder, run):
    """Checks the files with promtool and runs the unit tests of the alerts."""
    found = []
    names = set(re.findall(r"- alert: (\w+)", RULE_FILES[1].read_text(encoding="utf-8")))
    if names != set(alerts.INCIDENTS):
        found.append(f"alerts without a unit test, or the reverse: {names ^ set(alerts.INCIDENTS)}")
    described = (PROJECT / "docs/operating.md").read_text(encoding="utf-8")
    found += [f"docs/operating.md does not name {name}" for name in sorted(names) if name not in described]
    tests = folder / "tests.yml"
    tests.write_text(alerts.unit_tests(RULE_FILES), encoding="utf-8")
    for words in [
        ["promtool", "check", "rules", *RULE_FILES],
        ["promtool", "check", "config", DEPLOY / "prometheus/prometheus.yml"],
        ["promtool", "test", "rules", tests],
    ]:
        code, output = run(words, 2)
        found += [output.strip()] if code else []
    return found


def judge(server, folder, run):
    """Returns the findings about rules, dashboard and alerts."""
    found = judge_rules(folder, run)
    with Server(["--log-level", "trace"], has_log_reader=False) as failing:
        with Prometheus(pathlib.Path(folder), [server, failing]) as prometheus:
            found += judge_queries(prometheus, server)
            early = (prometheus.firing() & CAUSED) - {"KeydeskLogLinesDropped", "KeydeskKeysExpireSoon"}
            found += [f"{alert} fires without its incident" for alert in sorted(early)]
            found += judge_alerts(prometheus, failing)
    return found
