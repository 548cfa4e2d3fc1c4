"""Runs podman with storage of its own in target/."""

import os
import resource
import shutil
import subprocess

from common import TARGET, Skipped, run

FOLDER = TARGET / "deploy"
# Debian installs some programs in /usr/sbin, which not every PATH contains.
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"


def options():
    words = ["podman", "--root", FOLDER / "podman", "--runroot", "/run/keydesk-deploy", "--storage-driver", "vfs"]
    words += ["--cgroup-manager", "cgroupfs", "--events-backend", "none"]
    # Debian's crun refuses machines with both versions of cgroups.
    return words + (["--runtime", "runc"] if shutil.which("runc", path=PATH) else [])


def require():
    """Raises Skipped where containers cannot run."""
    if os.geteuid() != 0:
        raise Skipped("containers need root here")
    if not shutil.which("podman"):
        raise Skipped("podman is missing. Run: tests/install_tools containers")


def podman(*words, timeout=300):
    """Runs podman. Returns its exit code and its output, without podman's own complaints about a missing systemd."""
    code, output = run([*options(), *words], timeout)
    return code, "\n".join(line for line in output.splitlines() if "systemd connection" not in line)


def limits():
    """Limits within those of this process, which podman would raise."""
    words = []
    for name, number in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC)):
        soft, hard = resource.getrlimit(number)
        words += ["--ulimit", f"{name}={min(soft, 4096) if soft > 0 else 4096}:{min(hard, 4096) if hard > 0 else 4096}"]
    return words


class Container:
    """A container that runs in the background. Use as a context manager: the end removes it."""

    def __init__(self, name, *words):
        self.name, self.words = f"keydesk-{name}-{os.getpid()}", words

    def __enter__(self):
        code, output = podman("run", "--detach", "--name", self.name, *limits(), *self.words)
        if code:
            podman("rm", "--force", self.name)
            raise Skipped(f"podman cannot run a container here: {output}")
        return self

    def __exit__(self, *_):
        podman("rm", "--force", "--volumes", "--time", "0", self.name)

    def execute(self, *words, timeout=120):
        return podman("exec", *words[:-1], self.name, *words[-1], timeout=timeout)

    def logs(self):
        return podman("logs", self.name)[1]

    def inspect(self, template):
        return podman("inspect", "--format", template, self.name)[1].strip()

    def host_process(self, inner):
        """The process id outside of a process id inside."""
        first = self.inspect("{{.State.Pid}}")
        namespace = os.readlink(f"/proc/{first}/ns/pid")
        for process in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{process}/ns/pid") != namespace:
                    continue
                with open(f"/proc/{process}/status", encoding="utf-8") as file:
                    ids = next(line for line in file if line.startswith("NSpid:")).split()
            except OSError:
                continue
            if ids[-1] == str(inner):
                return int(process)
        raise LookupError(inner)


def debian(folder, packages):
    """The root file system of a Debian with these packages, made once."""
    root = FOLDER / folder
    mark = FOLDER / f"{folder}.packages"
    if not (mark.exists() and mark.read_text(encoding="utf-8") == packages):
        if not shutil.which("mmdebstrap"):
            raise Skipped("mmdebstrap is missing. Run: tests/install_tools containers")
        FOLDER.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(root, ignore_errors=True)
        print(f"Installing Debian in {root}", flush=True)
        words = ["mmdebstrap", "--variant=minbase", f"--include={packages}", "--mode=root", "bookworm", root]
        try:
            code, output = run(words, 900)
        except subprocess.TimeoutExpired:
            code, output = 1, "it takes longer than a quarter of an hour"
        if code:
            shutil.rmtree(root, ignore_errors=True)
            raise Skipped(f"Debian cannot be installed in a folder: {output[-2000:]}")
        mark.write_text(packages, encoding="utf-8")
    return root
