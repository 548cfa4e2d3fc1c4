#!/usr/bin/env python3
"""Checks the files in deploy/ with the programs that read them: tests/deploy/deploy.py [CHECK …]

Each check must have no finding. A check that cannot run here says so, loudly.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import kubernetes
from common import DEPLOY, PROGRAM, TARGET, Skipped, findings, run
from containers import image
from service import service


def unit(folder):
    """systemd-analyze reads the unit: no mistake in it, and little is exposed."""
    text = (DEPLOY / "keydesk.service").read_text(encoding="utf-8")
    file = folder / "keydesk.service"
    file.write_text(text.replace("/usr/local/bin/keydesk", str(PROGRAM)), encoding="utf-8")
    code, output = run(["systemd-analyze", "verify", "--man=no", file])
    found = findings(code, output)
    # It exits with 0 where it ignores a line.
    found += [output.strip()] if output.strip() and not found else []
    limit = 15
    words = ["systemd-analyze", "security", "--offline=yes", f"--threshold={limit}", "--no-pager", file]
    code, output = run(words, env={**os.environ, "SYSTEMD_COLORS": "0"})
    exposure = next((line for line in output.splitlines() if "exposure level" in line), output)
    print(f"{exposure.strip()} (at most {limit / 10})")
    return found + ([exposure] if code else [])


def containerfile(_folder):
    """hadolint reads the Containerfile."""
    return findings(*run([TARGET / "deploy/venv/bin/hadolint", DEPLOY / "Containerfile"]))


CHECKS = {"unit": unit, "kubernetes": kubernetes.check, "containerfile": containerfile, "image": image, "service": service}


def main(names):
    if unknown := [name for name in names if name not in CHECKS]:
        raise SystemExit(f"There is no check {', '.join(unknown)}. The checks are: {', '.join(CHECKS)}")
    if not PROGRAM.exists():
        raise SystemExit(f"{PROGRAM} is missing. Run: make deploy")
    total = 0
    for name in names or CHECKS:
        with tempfile.TemporaryDirectory(prefix="keydesk-deploy-") as folder:
            try:
                found = CHECKS[name](pathlib.Path(folder))
            except Skipped as reason:
                print(f"{name}: NOT CHECKED: {reason}", flush=True)
                continue
            except subprocess.TimeoutExpired as error:
                found = [str(error)]
        print(f"{name}: {len(found)} findings", *found, sep="\n", flush=True)
        total += len(found)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
