"""PostgreSQL on several machines: under Patroni with the files of deploy/patroni, or replicated without it."""

import http.client
import json
import pathlib
import pwd
import signal
import subprocess
import threading
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = PROJECT / "deploy/patroni"
PROGRAMS = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), default=None)
OWNER = pwd.getpwnam("postgres") if "postgres" in {user.pw_name for user in pwd.getpwall()} else None
PASSWORD = "keydesk-fleet"
PATRONI_PORT, ETCD_PORT = 8008, 2379


def wait_until(condition, seconds, what):
    """Returns the first true value of the condition."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise RuntimeError(f"After {seconds} s {what}.")
        time.sleep(0.1)
    return value


def get(machine, port, path):
    """Returns the status and the JSON of an answer; nothing without one."""
    connection = http.client.HTTPConnection(machine.address, port, timeout=1)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, json.load(response)
    except (OSError, ValueError, http.client.HTTPException):
        return None, {}
    finally:
        connection.close()


def environment(name, machine, first):
    """A file of deploy/patroni as systemd passes it, with the addresses and names of this machine."""
    text = (DEPLOY / name).read_text(encoding="utf-8")
    version = PROGRAMS.parent.name
    text = text.replace("postgresql/15/", f"postgresql/{version}/")
    network, own = machine.address.rsplit(".", 1)
    lines = [line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#")]
    values = {}
    for key, value in lines:
        # Lists name all servers; everything else is about the first one.
        if not key.endswith(("_HOSTS", "_CLUSTER")):
            value = value.replace(f"10.0.0.{first}", f"10.0.0.{own}")
        values[key] = value.replace("10.0.0.", f"{network}.")
    for key in ("PATRONI_NAME", "ETCD_NAME"):
        if key in values:
            values[key] = machine.name
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", **values}


class Databases:
    """What both kinds of replication share."""

    def __init__(self, machines, logs):
        self.machines, self.logs = machines, logs

    def log(self, machine):
        return self.logs / f"{machine.name}.log"

    def program(self, machine, name, *words, **options):
        return machine.run([PROGRAMS / name, *words], user=OWNER, **options)

    def sql(self, machine, statement, timeout=10):
        """Runs SQL as the superuser. Returns the rows as text."""
        words = ["--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--set", "ON_ERROR_STOP=1", "--host", "/run/postgresql"]
        return self.program(
            machine, "psql", *words, "--dbname", "postgres", "--command", statement, timeout=timeout
        ).strip()

    def try_sql(self, machine, statement):
        """The rows, or nothing if the server cannot answer."""
        try:
            return self.sql(machine, statement, timeout=3)
        except (RuntimeError, subprocess.TimeoutExpired):
            return ""

    def create_database(self, machine):
        text = (DEPLOY / "database.sql").read_text(encoding="utf-8")
        words = ["--quiet", "--set", "ON_ERROR_STOP=1", "--host", "/run/postgresql", "--set", f"password={PASSWORD}"]
        self.program(machine, "psql", *words, "--dbname", "postgres", input=text)

    def url(self):
        hosts = ",".join(f"{machine.address}:5432" for machine in self.machines)
        return f"postgres://keydesk:{PASSWORD}@{hosts}/keydesk"

    def sync_standby(self, primary):
        """The machine that acknowledged changes are on, if it is connected."""
        name = self.try_sql(primary, "SELECT application_name FROM pg_stat_replication WHERE sync_state = 'sync'")
        return next((machine for machine in self.machines if machine.name == name), None)


class Patroni(Databases):
    def __init__(self, machines, dcs, logs):
        super().__init__(machines, logs)
        self.dcs = dcs
        for machine in dcs:
            machine.start(["/usr/bin/etcd"], self.log(machine), env=environment("etcd.env", machine, 21))
        # Patroni keeps a wrong version of etcd's API if it asks before the servers have agreed on one.
        wait_until(lambda: all(map(self._has_agreed, dcs)), 30, "etcd has no cluster")
        for machine in machines:
            self._install(machine)
            self.start_patroni(machine)
        self.primary = wait_until(self.leader, 60, "Patroni has no leader")
        self.settle()
        self.create_database(self.primary)

    def _install(self, machine):
        certificate = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={machine.name}"]
        machine.run([*certificate, "-keyout", "/etc/patroni/server.key", "-out", "/etc/patroni/server.crt"])
        machine.run(["cp", DEPLOY / "patroni.yml", "/etc/patroni/config.yml"])
        machine.run(["install", "-d", "-m", "0700", "-o", "postgres", f"/var/lib/postgresql/{PROGRAMS.parent.name}"])
        machine.run(["chown", "-R", "postgres", "/etc/patroni", "/var/lib/postgresql", "/run/postgresql"])

    def start_patroni(self, machine):
        variables = {**environment("node.env", machine, 11), "HOME": "/var/lib/postgresql"}
        machine.start(["/usr/bin/patroni", "/etc/patroni/config.yml"], self.log(machine), user=OWNER, env=variables)

    def stop_at_once(self, machine):
        data = environment("node.env", machine, 11)["PATRONI_POSTGRESQL_DATA_DIR"]
        self.program(machine, "pg_ctl", "stop", "--silent", "--mode=immediate", "--no-wait", "--pgdata", data)

    def _has_agreed(self, machine):
        return get(machine, ETCD_PORT, "/version")[1].get("etcdcluster", "not_decided") != "not_decided"

    def status(self, machine):
        """What Patroni says about a machine."""
        return get(machine, PATRONI_PORT, "/patroni")[1]

    def may_take_over(self, machine):
        """Whether Patroni has noted in etcd that the machine has every acknowledged change."""
        return get(machine, PATRONI_PORT, "/synchronous")[0] == 200

    def is_primary(self, machine):
        status = self.status(machine)
        return status.get("role") in ("master", "primary") and status.get("state") == "running"

    def leader(self, without=None):
        return next((each for each in self.machines if each is not without and self.is_primary(each)), None)

    def has_standby(self):
        leader = self.leader()
        return leader is not None and self.sync_standby(leader) is not None

    def settle(self, seconds=90):
        """Waits until one primary has a synchronous standby and all others stream from it."""

        def whole():
            self.primary = self.leader()
            count = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
            others = str(len(self.machines) - 1)
            return (
                self.primary is not None
                and self.try_sql(self.primary, count) == others
                and (standby := self.sync_standby(self.primary)) is not None
                and self.may_take_over(standby)
                and len([each for each in self.machines if self.is_primary(each)]) == 1
            )

        wait_until(whole, seconds, "the databases do not replicate")


class Streaming(Databases):
    """One primary and two standbys without Patroni: nothing stops an old primary. The first standby is synchronous."""

    SETTINGS = [
        "unix_socket_directories = '/run/postgresql'",
        "listen_addresses = '*'",
        "max_connections = 200",
        "wal_keep_size = '256MB'",
        "hot_standby = on",
        "wal_sender_timeout = '3s'",
        "wal_receiver_timeout = '5s'",
        "wal_retrieve_retry_interval = '500ms'",
        "log_line_prefix = '%m [%p] %q%r %u '",
    ]
    DATA = "/var/lib/postgresql/data"

    def __init__(self, machines, logs):
        super().__init__(machines, logs)
        self.primary, *standbys = machines
        for machine in machines:
            machine.run(["chown", "postgres", "/var/lib/postgresql", "/run/postgresql"])
        self.program(self.primary, "initdb", "--pgdata", self.DATA, "--auth=trust", "--locale=C.UTF-8", "--data-checksums")
        settings = "\n".join(self.SETTINGS)
        self._append(self.primary, "postgresql.conf", settings)
        self._append(self.primary, "pg_hba.conf", "host all all 127.9.0.0/24 trust\nhost replication all 127.9.0.0/24 trust")
        self.start(self.primary)
        self.create_database(self.primary)
        self.replicate(self.primary, standbys)

    def _append(self, machine, name, text):
        machine.run(["tee", "--append", f"{self.DATA}/{name}"], user=OWNER, input=f"{text}\n")

    def start(self, machine):
        self.program(machine, "pg_ctl", "start", "--silent", "--wait", "--pgdata", self.DATA, "--log", self._server_log(machine))

    def _server_log(self, machine):
        log = self.log(machine)
        log.touch()
        log.chmod(0o666)
        return log

    def replicate(self, primary, standbys):
        """Copies the primary to the standbys, of which the first becomes the synchronous one."""
        for machine in standbys:
            self._copy(primary, machine)
        self.sql(primary, f"ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 ({standbys[0].name})'")
        self.sql(primary, "SELECT pg_reload_conf()")
        self.settle()

    def rebuild(self, machine):
        """Makes an old primary a standby of the new one."""
        self._copy(self.primary, machine)

    def _copy(self, primary, machine):
        machine.send_signal(signal.SIGKILL)
        machine.run(["rm", "-rf", self.DATA])
        source = f"host={primary.address} user=postgres application_name={machine.name}"
        words = ["--pgdata", self.DATA, "--checkpoint=fast", "--write-recovery-conf", "--dbname", source]
        self.program(machine, "pg_basebackup", *words)
        self.start(machine)

    def settle(self, seconds=30):
        count = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
        others = str(len(self.machines) - 1)

        def whole():
            return self.try_sql(self.primary, count) == others and self.sync_standby(self.primary) is not None

        wait_until(whole, seconds, "the databases do not replicate")

    def follow(self, standby, primary):
        source = f"host={primary.address} user=postgres application_name={standby.name}"
        self.sql(standby, f"ALTER SYSTEM SET primary_conninfo = '{source}'")
        self.sql(standby, "SELECT pg_reload_conf()")

    def promote(self, standby, next_standby):
        """Makes the standby the primary, also if the old one goes on. Returns when it accepts changes."""
        self.sql(standby, f"ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 ({next_standby.name})'")
        self.sql(standby, "SELECT pg_reload_conf()")
        self.follow(next_standby, standby)
        self.program(standby, "pg_ctl", "promote", "--silent", "--wait", "--pgdata", self.DATA)
        promoted = time.monotonic()
        self.primary = standby
        return promoted


class PromotionWatch:
    """Notes when another machine than the old primary became the primary."""

    def __init__(self, databases, old):
        self.at = None
        self.machine = None
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, args=(databases, machine), daemon=True)
            for machine in databases.machines
            if machine is not old
        ]
        for thread in self._threads:
            thread.start()

    def _watch(self, databases, machine):
        while not self._ended.wait(0.1) and self.at is None:
            if databases.is_primary(machine):
                self.at, self.machine = time.monotonic(), machine

    def wait(self, seconds):
        try:
            wait_until(lambda: self.at, seconds, "no standby was promoted")
        finally:
            self._ended.set()
        return self.at
