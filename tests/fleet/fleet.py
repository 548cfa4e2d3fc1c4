#!/usr/bin/env python3
"""Breaks the database of three servers under load, and judges every answer: tests/fleet/fleet.py [--quick] [DATABASES] [FAULT …]

No acknowledged change may be lost, no answer may be older than an acknowledged change, and every server must answer
again within 5 s after a promotion, by itself.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import rounds
from databases import OWNER, PROGRAMS, PROJECT, Patroni, Streaming
from keydesk import PROGRAM, Node, set_up
from load import Load
from network import Network

# In seconds. A quick run is part of all tests, also on machines that are busy, so it is not about speed.
BACK = 20 if "--quick" in sys.argv else 5
# How often a round begins anew if the databases do not start or replicate, which says nothing of Keydesk.
ATTEMPTS = 3
LOGS = PROJECT / os.environ.get("CARGO_TARGET_DIR", "target") / "fleet"
INSIDE = "FLEET_INSIDE"
# The end of the first process ends all others: nothing is left behind, however the run ends.
NAMESPACES = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
COLUMNS = "{:>5}  {:<9} {:<25} {:>9} {:>9} {:>8} {:>9} {:>8} {:>5} {:>10} {:>8} {:>6}  {}"
HEADINGS = ["round", "databases", "fault", "usable", "back", "without", "answers", "changes"]
HEADINGS += ["lost", "accepted", "refused", "pages", ""]


class Fleet:
    """Three nodes and their databases under load."""

    def __init__(self, network, machines, kind, folder):
        self.network, self.folder = network, folder
        folder.mkdir()
        databases = machines["db"][:2] if kind == "two" else machines["db"]
        if kind == "unfenced":
            self.databases = Streaming(databases, LOGS)
        else:
            self.databases = Patroni(databases, machines["dcs"], LOGS)
        self.nodes = [Node(machine, folder, LOGS) for machine in machines["node"]]
        for node in self.nodes:
            node.start(self.databases.url())
        self.load = Load(self.nodes, set_up(self.nodes[0]), LOGS).start()


def failures_of(load, lost, back):
    """What the round broke, as words."""
    found = {
        "changes were lost": lost,
        "revoked keys were accepted": load.stale_acceptances,
        "good keys were refused": load.wrong_refusals,
        "pages showed a revoked key as active": load.stale_pages,
        "nodes said that they were ready": load.false_readiness,
        "nodes came back too late": sum(each is None or each > BACK for each in back.values()),
        "threads of the load failed": sum("the load failed" in each for each in load.findings),
    }
    return [f"{count} {words}" for words, count in found.items() if count]


def seconds(value):
    return "never" if value is None else f"{value:.1f} s"


def run_round(fleet, number, kind, fault):
    """Returns whether the round passed."""
    load = fleet.load
    load.begin_round(f"round {number}: {kind}, {fault.__name__}")
    started = time.monotonic()
    time.sleep(2)
    begun, since = fault(fleet)
    back = {node.name: load.good_again(node, at) for node, at in since.items()}
    without = max(load.longest_gap(node, begun) for node in fleet.nodes)
    answers, changes = len(load.answers), load.changes
    fleet.databases.settle()
    lost = load.lost_changes(started)
    failures = failures_of(load, lost, back)
    worst = None if None in back.values() else max(back.values())
    figures = [seconds(min(since.values()) - begun), seconds(worst), seconds(without), answers, changes, lost]
    figures += [load.stale_acceptances, load.wrong_refusals, load.stale_pages]
    print(COLUMNS.format(number, kind, fault.__name__, *figures, "FAILED" if failures else "ok"), flush=True)
    for each in failures:
        print(f"       {each}", flush=True)
    if any(each is None or each > BACK for each in back.values()):
        print("       back:", ", ".join(f"{name} {seconds(each)}" for name, each in back.items()), flush=True)
    for finding in load.findings[:5]:
        print(f"       {finding}", flush=True)
    return not failures


def run_kind(kind, faults, first, network, machines, folder):
    """Runs the rounds of one kind of fleet. Returns how many failed."""
    fleet, failed = None, 0
    for number, fault in enumerate(faults, first):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                fleet = fleet or Fleet(network, machines, kind, folder / f"{kind}-{number}-{attempt}")
                failed += not run_round(fleet, number, kind, fault)
                if number == first + len(faults) - 1:
                    fleet.load.stop()
                    # The trail is whole after all the fail-overs.
                    fleet.nodes[-1].command("audit", "verify", timeout=120)
                break
            except (RuntimeError, subprocess.SubprocessError) as error:
                is_last = attempt == ATTEMPTS
                failed += is_last
                verdict = "FAILED" if is_last else "begins anew"
                print(f"{number:>5}  {kind:<9} {fault.__name__:<25} {verdict}: {error}", flush=True)
                if fleet is not None:
                    fleet.load.stop()
                    fleet = None
                network.clear()
    network.clear()
    return failed


def run_all(plan, network, machines, folder):
    """Returns how many rounds failed."""
    print(COLUMNS.format(*HEADINGS), flush=True)
    failed, first = 0, 1
    for kind, faults in plan:
        failed += run_kind(kind, faults, first, network, machines, folder)
        first += len(faults)
    return failed


def plan_of(words):
    plan = rounds.QUICK if "--quick" in words else rounds.ALL
    kinds = {kind for kind, _ in rounds.ALL}
    faults = {fault.__name__ for _, all_faults in rounds.ALL for fault in all_faults}
    names = {word for word in words if not word.startswith("-")}
    if unknown := names - kinds - faults:
        choices = ", ".join(sorted(kinds | faults))
        raise SystemExit(f"Neither databases nor a fault: {', '.join(unknown)}. Choose among {choices}.")
    if names & kinds:
        plan = [(kind, each) for kind, each in plan if kind in names]
    if names & faults:
        plan = [(kind, [fault for fault in each if fault.__name__ in names]) for kind, each in plan]
    return [(kind, each) for kind, each in plan if each]


def missing():
    """What this machine lacks, as a sentence."""
    if os.geteuid() != 0 or subprocess.run([*NAMESPACES, "true"], capture_output=True, check=False).returncode != 0:
        return "It makes network namespaces, which this user may not. Run it as root."
    programs = ["patroni", "etcd", "openssl", "ip", "nsenter", "setpriv"]
    if PROGRAMS is None or OWNER is None or not all(shutil.which(name) for name in programs):
        return "Patroni, etcd or PostgreSQL is missing. Run: tests/install_tools fleet"
    return None


def main(words, folder):
    plan = plan_of(words)
    network = Network(folder)
    groups = {"db": 11, "dcs": 21, "node": 31}
    machines = {kind: [network.add(f"{kind}{n + 1}", first + n) for n in range(3)] for kind, first in groups.items()}
    failed = run_all(plan, network, machines, folder)
    print(f"{failed} rounds failed. The logs are in {LOGS}", flush=True)
    return 1 if failed else 0


def as_first_process(words, folder):
    """Takes over the processes whose parents have ended, as Patroni's servers do."""
    child = os.fork()
    if child == 0:
        os._exit(main(words, folder))
    while True:
        ended, status = os.wait()
        if ended == child:
            return os.waitstatus_to_exitcode(status)


def in_namespaces(words):
    """Runs this program again in namespaces of its own, which end with it."""
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="keydesk-fleet-", dir="/tmp") as folder:
        pathlib.Path(folder).chmod(0o755)
        command = [*NAMESPACES, sys.executable, __file__, *words]
        with subprocess.Popen(command, env={**os.environ, INSIDE: folder}, start_new_session=True) as process:
            try:
                return process.wait()
            finally:
                process.kill()


if __name__ == "__main__":
    if os.environ.get(INSIDE):
        sys.exit(as_first_process(sys.argv[1:], pathlib.Path(os.environ[INSIDE])))
    plan_of(sys.argv[1:])
    if sentence := missing():
        print(f"\n*** SKIPPED: fail-over was NOT tested. {sentence} ***\n", file=sys.stderr)
        sys.exit(0)
    if not PROGRAM.exists():
        sys.exit(f"{PROGRAM} is missing. Run: cargo test --test it --no-run")
    sys.exit(in_namespaces(sys.argv[1:]))
