"""Machines on one computer, with links that can be cut.

A machine is a network namespace, in which the usual folders of PostgreSQL, Patroni and etcd are its own. Keydesk speaks
to PostgreSQL without TLS at loopback addresses only. So the machines have such addresses, and the kernel routes them.
"""

import os
import pathlib
import signal
import subprocess

NETWORK = "127.9.0"
HUB = f"{NETWORK}.1"
OWN_FOLDERS = ["/etc/patroni", "/var/lib/postgresql", "/run/postgresql", "/var/lib/etcd"]


def ip(words):
    subprocess.run(["ip", *words.split()], check=True, stdin=subprocess.DEVNULL)


def prepare_interfaces(names, address):
    """Lets addresses in 127.0.0.0/8 leave the machine."""
    ip("link set lo up")
    for name in ["all", "default", *names]:
        pathlib.Path(f"/proc/sys/net/ipv4/conf/{name}/route_localnet").write_text("1", encoding="ascii")
    # The address of the interface makes all of 127.0.0.0/8 local.
    ip("address flush dev lo")
    ip("address add 127.0.0.1/32 dev lo")
    ip(f"address add {address}/32 dev {names[0] if names else 'lo'}")


class Network:
    """Routes between the machines. The caller is its hub, which no cut concerns."""

    def __init__(self, folder):
        self.folder = folder
        self.machines = []
        self.rules = set()
        pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1", encoding="ascii")
        prepare_interfaces([], HUB)

    def add(self, name, number):
        machine = Machine(name, number, self.folder)
        self.machines.append(machine)
        return machine

    def cut(self, here, there):
        """Drops every packet between two machines, without a sign to either."""
        for source, target in [(here, there), (there, here)]:
            rule = f"from {source.address} to {target.address} priority 100 blackhole"
            if rule not in self.rules:
                self.rules.add(rule)
                ip(f"rule add {rule}")

    def heal(self):
        while self.rules:
            ip(f"rule delete {self.rules.pop()}")

    def clear(self):
        """Ends all processes on all machines and removes their files."""
        self.heal()
        for machine in self.machines:
            machine.send_signal(signal.SIGCONT)
            machine.send_signal(signal.SIGKILL)
            machine.run(["find", *OWN_FOLDERS, "-mindepth", "1", "-delete"])


class Machine:
    def __init__(self, name, number, folder):
        self.name, self.address, self.folder = name, f"{NETWORK}.{number}", folder
        link = f"m{number}"
        # The namespaces exist as long as this process.
        self.holder = subprocess.Popen(["unshare", "--net", "--mount", "sleep", "infinity"], stdin=subprocess.DEVNULL)
        while self._namespace(self.holder.pid) in (None, self._namespace(os.getpid())):
            pass
        ip(f"link add {link} type veth peer name eth0 netns {self.holder.pid}")
        ip(f"link set {link} up")
        pathlib.Path(f"/proc/sys/net/ipv4/conf/{link}/route_localnet").write_text("1", encoding="ascii")
        ip(f"route add {self.address}/32 dev {link} src {HUB}")
        self.run(["python3", __file__, self.address])

    @staticmethod
    def _namespace(pid):
        try:
            return os.readlink(f"/proc/{pid}/ns/net")
        except OSError:
            return None

    def _words(self, words, user):
        inside = ["nsenter", f"--target={self.holder.pid}", "--net", "--mount", f"--wd={self.folder}"]
        if user is not None:
            inside += ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        return [*inside, *(str(word) for word in words)]

    def run(self, words, user=None, timeout=60, check=True, **options):
        """Runs a program to its end. Returns what it printed."""
        options = {"stdin": None if "input" in options else subprocess.DEVNULL, "text": True, **options}
        done = subprocess.run(
            self._words(words, user), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, **options
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"{self.name}: {words[0]} failed with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self, words, log, user=None, **options):
        """Starts a program, whose messages are appended to the file `log`."""
        with open(log, "a", encoding="utf-8") as messages:
            options = {"stdin": subprocess.DEVNULL, "stdout": messages, "stderr": messages, "text": True, **options}
            # In a session of its own: the end of a terminal would resume what is frozen.
            return subprocess.Popen(self._words(words, user), start_new_session=True, **options)

    def processes(self, name=""):
        """The processes of the machine whose command line contains the name."""
        here, found = self._namespace(self.holder.pid), []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == self.holder.pid or self._namespace(entry.name) != here:
                continue
            try:
                if name in (entry / "cmdline").read_text(encoding="utf-8", errors="replace"):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def send_signal(self, number, name=""):
        """Sends a signal to processes of the machine, until none is left if it kills."""
        while processes := self.processes(name):
            for process in processes:
                try:
                    os.kill(process, number)
                except ProcessLookupError:
                    continue
            if number != signal.SIGKILL:
                return


def become_machine(address):
    """Runs inside the new namespaces."""
    prepare_interfaces(["eth0"], address)
    ip("link set eth0 up")
    ip(f"route add {HUB}/32 dev eth0 src {address}")
    ip(f"route add {NETWORK}.0/24 via {HUB} dev eth0 src {address} onlink")
    for folder in OWN_FOLDERS:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "keydesk-fleet", folder], check=True)


if __name__ == "__main__":
    import sys

    become_machine(sys.argv[1])
