"""The systemd unit, run by a real systemd, installed by the commands of docs/operating.md."""

import os
import re
import subprocess
import sys
import time

from common import DEPLOY, PROGRAM, commands, wait_for
from podman import Container, debian, require

PACKAGES = "systemd,systemd-sysv,nginx-light,curl,openssl,procps"
# What a reader of the page has.
CERTIFICATE = """
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=keys.example.com -addext subjectAltName=DNS:keys.example.com \\
    -keyout /etc/ssl/private/keys.example.com.key -out /etc/ssl/certs/keys.example.com.pem
"""
# The time of the file is half a minute.
SHORT_WATCHDOG = """
printf '[Service]\\nWatchdogSec=3\\n' > /etc/systemd/system/keydesk.service.d/watchdog.conf
systemctl daemon-reload
systemctl restart keydesk
"""
URL = "https://keys.example.com"
# Stops a thread by ptrace until this program ends.
STOP_THREAD = """
import ctypes, os, signal, sys
libc, thread = ctypes.CDLL(None), int(sys.argv[1])
seize, interrupt, any_thread = 0x4206, 0x4207, 0x40000000
if libc.ptrace(seize, thread, 0, 0) == 0 and libc.ptrace(interrupt, thread, 0, 0) == 0:
    os.waitpid(thread, any_thread)
    print("stopped", flush=True)
    signal.pause()
"""


class Machine:
    """A Debian in a container, whose first process is systemd."""

    def __init__(self, container):
        self.container = container

    def shell(self, script):
        """Runs a script. Returns its output; a failure of any command is a finding."""
        code, output = self.container.execute("--workdir", "/root", ["bash", "-euo", "pipefail", "-c", script])
        assert code == 0, f"{script}\n{output}"
        return output

    def show(self, name):
        return self.shell(f"systemctl show --value --property={name} keydesk").strip()

    def status(self, path, *options):
        words = " ".join(options)
        return self.shell(f"curl --silent --cacert /etc/ssl/certs/keys.example.com.pem --output /dev/null --write-out '%{{http_code}}' {words} '{URL}{path}'")


def service(_folder):
    require()
    root = debian("debian", PACKAGES)
    # The program and the files are where a build leaves them.
    volumes = ["--volume", f"{PROGRAM}:/root/target/release/keydesk:ro", "--volume", f"{DEPLOY}:/root/deploy:ro"]
    words = ["--systemd=always", "--privileged", "--network", "none", "--add-host", "keys.example.com:127.0.0.1", *volumes]
    with Container("service", *words, "--rootfs", f"{root}:O", "/lib/systemd/systemd") as container:
        machine = Machine(container)
        wait_for(lambda: container.execute(["systemctl", "is-system-running"])[1].strip() in ("running", "degraded"), "systemd")
        try:
            return installed(machine) + hangup(machine) + hung(machine) + upgraded(machine) + stopped(machine)
        except AssertionError as error:
            log = container.execute(["journalctl", "--unit", "keydesk", "--no-pager", "--output", "cat"])[1]
            return [f"{error}\n{log[-4000:]}"]


def installed(machine):
    machine.shell(CERTIFICATE)
    for block in commands("Install on a server"):
        output = machine.shell(block)
    assert machine.show("StatusText") == "Serving on http://127.0.0.1:8080", machine.show("StatusText")
    link = re.search(rf"Set-up link: {URL}(\S+)", machine.shell("journalctl --unit keydesk --output cat"))[1]
    assert machine.status(link) == "200"
    form = {"company_name": "Brightwater", "name": "Maria", "email": "maria@brightwater.example", "password": "violet tram hums loudly"}
    fields = " ".join(f"--data-urlencode '{name}={value}'" for name, value in form.items())
    assert machine.status(link, "--header 'Sec-Fetch-Site: same-origin'", fields) == "303"
    assert machine.status("/readyz") == "404", "monitors do not go through nginx"
    return [] if "Brightwater" in machine.shell(commands("Install on a server")[-1]) else [f"the last command says: {output}"]


def hangup(machine):
    process = machine.show("MainPID")
    machine.shell("systemctl kill --signal=HUP keydesk")
    assert machine.status("/sign-in") == "200"
    return [] if machine.show("MainPID") == process else ["SIGHUP ended the server"]


def hung(machine):
    """A worker hangs, and systemd ends and starts the server."""
    machine.shell(SHORT_WATCHDOG)
    process = machine.container.host_process(machine.show("MainPID"))
    workers = [thread for thread in os.listdir(f"/proc/{process}/task") if comm(process, thread).startswith("actix-rt|system")]
    tracer = subprocess.Popen([sys.executable, "-c", STOP_THREAD, workers[0]], stdout=subprocess.PIPE, text=True)
    if tracer.stdout.readline() != "stopped\n":
        print("watchdog: NOT CHECKED: no thread can be stopped here")
        return []
    started = time.monotonic()
    wait_for(lambda: machine.show("Result") == "watchdog", "the watchdog", 30)
    print(f"systemd ended the hung server after {time.monotonic() - started:.0f} s, with WatchdogSec=3")
    # A process with a traced thread does not end before its tracer.
    tracer.kill()
    tracer.wait()
    wait_for(lambda: machine.show("NRestarts") == "1" and machine.show("ActiveState") == "active", "the restart")
    return [] if machine.status("/sign-in") == "200" else ["the server does not serve after its restart"]


def comm(process, thread):
    with open(f"/proc/{process}/task/{thread}/comm", encoding="utf-8") as file:
        return file.read()


def upgraded(machine):
    """Another file takes the place of the program while it runs."""
    process = machine.show("MainPID")
    machine.shell(commands("Upgrade")[0])
    serves = machine.show("MainPID") not in (process, "0") and machine.status("/sign-in") == "200"
    return [] if serves else ["the server does not serve after its upgrade"]


def stopped(machine):
    machine.shell("systemctl stop keydesk")
    result = machine.show("Result"), machine.show("ExecMainStatus")
    return [] if result == ("success", "0") else [f"the stop ends with {result}"]
