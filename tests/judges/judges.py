#!/usr/bin/env python3
"""Programs of others judge a running server: tests/judges/judges.py [--quick] [JUDGE …]

Each judge must have no finding. A judge that does not finish in time fails.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.parse

import monitoring
from server import GATEWAY, KEYS, PROJECT, Server

HERE = pathlib.Path(__file__).resolve().parent
TARGET = PROJECT / "target"
MODULES = HERE / "node_modules"
NODE = next(MODULES.glob("node-linux-*/bin/node"), "node")
MINUTE = 60
TRAIL = "/administration/company-settings/audit-trail"


def run(words, minutes, **options):
    """Runs a program. Returns its exit code and its output."""
    options = {"stdin": subprocess.DEVNULL, "text": True, "errors": "replace", **options}
    try:
        done = subprocess.run(
            [str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=minutes * MINUTE, **options
        )
    except subprocess.TimeoutExpired:
        return 1, f"not done after {minutes} minutes"
    return done.returncode, done.stdout


def by_exit_code(code, output):
    return [] if code == 0 else [output.strip() or f"exit code {code}"]


def installed(name):
    return TARGET / "judges/bin" / name


def description(server, folder):
    """Stores the OpenAPI document in a file."""
    path = folder / "openapi.json"
    path.write_text(server.request("GET", "/v1/openapi.json")[2], encoding="utf-8")
    return path


def environment(server):
    """What the clients of this folder read."""
    values = {"URL": server.url, "KEY": server.key, "GATEWAY": GATEWAY, "CREDENTIAL": server.credential}
    return {**os.environ, **{f"JUDGED_{name}": value for name, value in values.items()}}


def promtool(server, _folder):
    metrics = server.request("GET", "/metrics")[2]
    code, output = run(["promtool", "check", "metrics"], 1, stdin=None, input=metrics)
    return [output.strip()] if code or output.strip() else []


def prometheus(server, folder):
    return monitoring.judge(server, folder, run)


def redocly(server, folder):
    words = [NODE, MODULES / "@redocly/cli/bin/cli.js", "lint", description(server, folder)]
    options = ["--config", HERE / "redocly.yaml", "--format", "json"]
    code, output = run([*words, *options], 3, cwd=folder, env={**os.environ, "REDOCLY_TELEMETRY": "off"})
    start = output.find("{")
    problems = json.loads(output[start : output.rfind("}") + 1])["problems"] if start >= 0 else []
    found = [f"{problem['ruleId']}: {problem['message']} {problem['location'][0].get('pointer')}" for problem in problems]
    return found or by_exit_code(code, output)


def authlib(server, _folder):
    return by_exit_code(*run([installed("python"), HERE / "oauth_client.py"], 2, env=environment(server)))


def openid_client(server, _folder):
    return by_exit_code(*run([NODE, HERE / "openid_client.mjs"], 2, env=environment(server)))


def openapi_generator(server, folder):
    document, client = description(server, folder), folder / "client"
    generator = installed("openapi-generator-cli")
    code, output = run([generator, "validate", "-i", document, "--recommend"], 3)
    if code or "warnings" in output.lower():
        return [output.strip()]
    code, output = run([generator, "generate", "-g", "python", "-i", document, "-o", client], 5)
    if code:
        return [output.strip()]
    program = [installed("python"), HERE / "generated_client.py"]
    return by_exit_code(*run(program, 3, env={**environment(server), "PYTHONPATH": str(client)}))


def schemathesis(server, folder):
    program = TARGET / "schemathesis/bin/schemathesis"
    found = []
    for credential, options in [
        (server.credential, ["--include-path", "/v1/introspect"]),
        # The endpoint accepts every method, which OpenAPI cannot express.
        (server.key, ["--include-path", "/v1/forward-auth", "--exclude-checks", "unsupported_method"]),
        (server.key, ["--exclude-path", "/v1/introspect", "--exclude-path", "/v1/forward-auth"]),
    ]:
        words = [program, "run", f"{server.url}/v1/openapi.json", "--url", server.url, "--max-examples", "100", "--no-color"]
        header = ["--header", f"Authorization: Bearer {credential}"]
        found += by_exit_code(*run([*words, *header, *options], 5, cwd=folder))
    return found


def sqlmap(server, folder):
    signed_in = ["--cookie", server.cookie, "--headers", "Sec-Fetch-Site: same-origin"]
    gateway = ["--headers", f"Authorization: Bearer {server.credential}"]
    key = urllib.parse.quote(server.key)
    requests = [
        (f"{KEYS}?q=erp&sort=name&tab=active&audit=open", signed_in),
        (f"{TRAIL}?from=2026-01-01&until=2026-12-31&user=x&action=api_key.created&key=x", signed_in),
        ("/v1/introspect", [*gateway, "--data", f"token={key}&client_id=x"]),
        ("/v1/revoke", ["--data", "token=goa_1"]),
        ("/sign-in", ["--headers", "Sec-Fetch-Site: same-origin", "--data", "email=a@b.example&password=x"]),
    ]
    words = [installed("sqlmap"), "--batch", "--level", "1", "--technique", "BEUS"]
    # A refusal is an answer, too.
    words += ["--ignore-code", "*", "--timeout", "20", "--threads", "4", "--disable-coloring", "--output-dir", folder]
    found = []
    for path, options in requests:
        code, output = run([*words, "--url", f"{server.url}{path}", *options], 5, cwd=folder)
        injectable = "sqlmap identified the following injection point" in output
        # Without a parameter that was tested, the run says nothing.
        if code or injectable or "do not appear to be injectable" not in output:
            found.append(f"{path}:\n{output.strip()[-3_000:]}")
    return found


def wapiti(server, folder):
    report = folder / "wapiti.json"
    # Ends the session of the scan, or of another judge.
    excluded = ["/sign-out", "/account/sessions/*", "/account/password", "*/delete", "*/role"]
    words = [TARGET / "wapiti/bin/wapiti", "--url", f"{server.url}{KEYS}", "--scope", "domain", "--flush-session", "--color"]
    words += ["--header", f"Cookie: {server.cookie}", "--header", "Sec-Fetch-Site: same-origin"]
    words += ["--depth", "4", "--max-links-per-page", "30", "--max-scan-time", "240", "--max-attack-time", "60"]
    words += ["--store-session", folder / "session", "--store-config", folder / "config", "--no-bugreport"]
    words += ["--module", "common,-https_redirect,-ssl", "--format", "json", "--output", report]
    words += [word for path in excluded for word in ("--exclude", f"{server.url}{path}")]
    code, output = run(words, 10, cwd=folder)
    if code or not report.exists():
        return [output.strip()[-3_000:]]
    result = json.loads(report.read_text(encoding="utf-8"))
    assert result["infos"]["crawled_pages_nbr"] > 20, output
    kinds = {**result["vulnerabilities"], **result["anomalies"]}
    return [f"{kind}: {each['method']} {each['path']}: {each['info']}" for kind, all in kinds.items() for each in all]


QUICK = [promtool, prometheus, redocly, authlib, openid_client]
ALL = [*QUICK, openapi_generator, schemathesis, sqlmap, wapiti]


def judge(server, judges):
    """Returns the number of findings."""
    total = 0
    for each in judges:
        with tempfile.TemporaryDirectory() as folder:
            found = each(server, pathlib.Path(folder))
        print(f"{each.__name__}: {len(found)} findings", flush=True)
        for finding in found:
            print(finding, flush=True)
        total += len(found)
    failures = server.failures()
    print(f"log: {len(failures)} failures", *failures, sep="\n", flush=True)
    return total + len(failures)


def main(words):
    names = [word for word in words if not word.startswith("-")]
    known = {each.__name__: each for each in ALL}
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"There is no judge {', '.join(unknown)}. The judges are: {', '.join(known)}")
    judges = [known[name] for name in names] or (QUICK if "--quick" in words else ALL)
    if {promtool, prometheus} & {*judges} and not (shutil.which("promtool") and shutil.which("prometheus")):
        raise SystemExit("promtool or prometheus is missing. Run: tests/install_tools metrics")
    # The server ends with the judges, also when they are told to stop.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with Server() as server:
        return 1 if judge(server, judges) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
