"""The image: the last stage of the Containerfile, with the program of this build, on a base with the libraries of this
system instead of one from a registry."""

import re
import shlex
import shutil
import socket

from common import DEPLOY, PROGRAM, commands, findings, run, status, wait_for
from podman import Container, limits, podman, require

PROGRAM_STAGE = """FROM scratch AS build
COPY keydesk /source/target/release/keydesk
COPY empty /data
"""
UNREACHABLE = "postgres://keydesk@127.0.0.1:9/keydesk"


def documented(verb, **replaced):
    """The words after `podman VERB` in docs/operating.md. What this machine replaces must be there."""
    blocks = "".join(commands("Run in a container")).replace("\\\n", " ")
    [line] = [line for line in blocks.splitlines() if line.startswith(f"podman {verb} ")]
    for example, own in replaced.items():
        assert example in line, f"docs/operating.md: {line} has no {example}"
        line = line.replace(example, own)
    return shlex.split(line)[2:]


def free_address():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listener.getsockname()[1]}"


def make_base(folder):
    """A folder with what the base image holds: the C library, the certificates, and the user."""
    root = folder / "base"
    (root / "etc/ssl").mkdir(parents=True)
    for library in re.findall(r"(/\S+)", run(["ldd", PROGRAM])[1]):
        target = root / library.removeprefix("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)
    (root / "etc/passwd").write_text("nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n", encoding="utf-8")
    (folder / "Base").write_text("FROM scratch\nCOPY base /\n", encoding="utf-8")


def with_prebuilt_program(text):
    """Replaces the stage that compiles."""
    arguments, _, last = re.match(r"(.*?)(^FROM \S+ AS build$.*?)(^FROM .*)", text, re.DOTALL | re.MULTILINE).groups()
    return f"{arguments}{PROGRAM_STAGE}{last}"


def build(folder):
    make_base(folder)
    shutil.copy(PROGRAM, folder / "keydesk")
    (folder / "empty").mkdir()
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    (folder / "Containerfile").write_text(with_prebuilt_program(text), encoding="utf-8")
    local = ["build", "--isolation", "chroot", "--pull=never"]
    product = documented("build", **{"deploy/Containerfile": str(folder / "Containerfile"), "keydesk .": f"keydesk {folder}"})
    for words in [
        ["--format", "docker", "--file", folder / "Base", "--tag", "keydesk-base", folder],
        ["--build-arg", "BASE_IMAGE=localhost/keydesk-base", *product],
    ]:
        code, output = podman(*local, *words)
        if code:
            return findings(code, output)
    return []


def image(folder):
    require()
    if found := build(folder):
        return found
    podman("volume", "rm", "--force", "keydesk-check")
    try:
        return described() + refused() + served() + stopped_while_it_waits()
    finally:
        podman("volume", "rm", "--force", "keydesk-check")
        podman("image", "prune", "--force")


def described():
    _, text = podman("image", "inspect", "--format", "{{.User}} {{.Config.Volumes}} {{.HealthCheck.Test}} {{.Size}}", "keydesk")
    user, *_, size = text.split()
    print(f"the image has {int(size) / 1e6:.0f} MB, with a program of {PROGRAM.stat().st_size / 1e6:.0f} MB")
    wanted = ["/data", "[CMD /usr/local/bin/keydesk doctor --quick]"]
    found = [f"the image has no {each}: {text}" for each in wanted if each not in text]
    return found + ([f"the user is {user}"] if user != "65532:65532" else [])


def refused():
    """Without a public URL, the image would serve plain http beyond the container."""
    code, output = podman("run", "--rm", "--read-only", "--network", "none", *limits(), "keydesk")
    return [] if code == 1 and "--allow-plain-http" in output else [f"without a public URL: {code} {output}"]


def served():
    address = free_address()
    # The tests need no network of containers.
    network = f"--network host --env KEYDESK_LISTEN={address}"
    own = {"--detach --name keydesk ": "", "--publish 127.0.0.1:8080:8080": network, "keydesk:/data": "keydesk-check:/data"}
    words = documented("run", **own)
    found = []
    program = "/usr/local/bin/keydesk"
    for start in ("first", "second"):
        with Container("image", *words) as container:
            try:
                wait_for(lambda: status(f"http://{address}/readyz") == 200, "the container is ready")
            except AssertionError:
                return [f"the {start} start: {container.logs()}"]
            if start == "first":
                code, output = container.execute([program, "company", "add", "--name", "Brightwater"])
                found += findings(code, output)
            assert documented("logs") == ["keydesk"], "docs/operating.md"
            found += [] if "Set-up link: https://keys.example.com" in container.logs() or start == "second" else [f"no link: {container.logs()}"]
            code, output = podman("exec", *documented("exec", **{"exec keydesk ": f"exec {container.name} "}))
            found += [] if "Brightwater" in output else [f"the {start} start has no data: {output}"]
            found += healthy(container, program)
            code, output = podman("stop", "--time", "35", container.name)
            code = container.inspect("{{.State.ExitCode}}")
            found += [] if code == "0" else [f"stopped with {code}: {container.logs()}"]
    return found


def healthy(container, program):
    if container.execute([program, "doctor", "--help"])[0]:
        print("health check: NOT CHECKED: this program has no command doctor")
        return []
    code, output = podman("healthcheck", "run", container.name)
    return [] if code == 0 else [f"the health check fails: {output} {container.execute([program, 'doctor', '--quick'])[1]}"]


def stopped_while_it_waits():
    """The first process of a container does not end by a signal that it does not handle."""
    settings = ["--env", "KEYDESK_PUBLIC_URL=https://keys.example.com", "--env", f"KEYDESK_DATABASE_URL={UNREACHABLE}"]
    with Container("waits", "--read-only", "--network", "host", *settings, "keydesk") as container:
        wait_for(lambda: "waiting for the database" in container.logs(), "the container waits")
        podman("stop", "--time", "20", container.name)
        code = container.inspect("{{.State.ExitCode}}")
        return [] if code == "0" else [f"a start that waits is stopped with {code}"]
