"""What the checks share."""

import os
import pathlib
import re
import subprocess
import time
import urllib.error
import urllib.request

PROJECT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = PROJECT / "deploy"
TARGET = PROJECT / os.environ.get("CARGO_TARGET_DIR", "target")
PROGRAM = PROJECT / os.environ.get("KEYDESK_BIN", str(TARGET / "debug/keydesk"))

# The program refuses unknown KEYDESK_ variables.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("KEYDESK_")}


class Skipped(Exception):
    """A check cannot run here."""


def run(words, timeout=120, **options):
    """Runs a program. Returns its exit code and its output."""
    options = {"stdin": subprocess.DEVNULL, "text": True, "errors": "replace", **options}
    words = [str(word) for word in words]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False, **options)
    return done.returncode, done.stdout


def commands(heading):
    """The commands of a section of docs/operating.md."""
    text = (PROJECT / "docs/operating.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)[1]
    return re.findall(r"^```sh\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)


def findings(code, output):
    return [] if code == 0 else [output.strip() or f"exit code {code}"]


def status(url, **headers):
    """The status with which a URL answers; None without an answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def wait_for(condition, what, timeout=60):
    """Waits until the condition holds. Returns its value."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what}: not after {timeout} s"
        time.sleep(0.05)
    return value
