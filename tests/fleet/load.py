"""Load on all nodes: gateways that verify keys, admins who create and revoke them. Every answer is judged."""

import dataclasses
import http.client
import itertools
import random
import subprocess
import threading
import time

from keydesk import Admin

VERIFIERS = 3
PAUSE = 0.04
ACTIVE_KEYS = 40
RECENT = 25


@dataclasses.dataclass(eq=False)
class Key:
    """Times are of the monotonic clock; `None` is not yet."""

    id: str
    name: str
    secret: str
    created: float
    revocation_sent: float | None = None
    revoked: float | None = None


@dataclasses.dataclass
class Answer:
    node: str
    sent: float
    received: float
    status: int | None
    is_good: bool


class Load:
    def __init__(self, nodes, addresses, logs):
        self.nodes = nodes
        self.lock = threading.Lock()
        self.keys, self.answers, self.findings = [], [], []
        self.stale_acceptances = self.wrong_refusals = self.stale_pages = 0
        self.changes = self.false_readiness = 0
        self.numbers = itertools.count(1)
        self.ended = threading.Event()
        self.log = open(logs / "findings.log", "a", encoding="utf-8")
        work = [(self._verify, node) for node in nodes for _ in range(VERIFIERS)]
        work += [(self._administer, Admin(node, address)) for node, address in zip(nodes, addresses)]
        work += [(self._read_pages, Admin(node, address)) for node, address in zip(nodes, addresses[len(nodes) :])]
        work += [(self._revoke_by_command, None)]
        self.threads = [threading.Thread(target=self._run, args=each, daemon=True) for each in work]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def _run(self, work, about):
        try:
            work(about)
        except Exception as error:
            self._find(f"the load failed: {error!r}")
            raise

    def _find(self, text):
        with self.lock:
            self.findings.append(text)
            self.log.write(f"{time.monotonic():.3f} {text}\n")
            self.log.flush()

    def begin_round(self, title):
        """Forgets what earlier rounds counted."""
        with self.lock:
            self.answers, self.findings = [], []
            self.stale_acceptances = self.wrong_refusals = self.stale_pages = 0
            self.changes = self.false_readiness = 0
            self.log.write(f"{time.monotonic():.3f} === {title}\n")

    def active(self):
        return [key for key in self.keys if key.revocation_sent is None]

    def revoked(self):
        return [key for key in self.keys if key.revoked is not None]

    def _pick(self, is_active):
        """A key that should be good, or one that was revoked a short time ago."""
        found = self.active() if is_active else self.revoked()[-RECENT:]
        return random.choice(found) if found else None

    def _verify(self, node):
        client = node.client(timeout=4)
        while not self.ended.wait(PAUSE):
            key = self._pick(random.random() < 0.5)
            if key is not None:
                self._judge(node, key, *self._ask(client, key))

    @staticmethod
    def _ask(client, key):
        sent = time.monotonic()
        try:
            return sent, client.verify(key.secret)
        except (OSError, http.client.HTTPException):
            return sent, None

    def _judge(self, node, key, sent, status):
        received = time.monotonic()
        was_revoked = key.revoked is not None and key.revoked <= sent
        is_active = key.revocation_sent is None
        with self.lock:
            self.answers.append(Answer(node.name, sent, received, status, is_active))
            self.stale_acceptances += was_revoked and status == 200
            self.wrong_refusals += is_active and status == 401
        if was_revoked and status == 200:
            self._find(f"{node.name} accepted {key.name} {sent - key.revoked:.3f} s after its acknowledged revocation")
        if is_active and status == 401:
            self._find(f"{node.name} refused {key.name}, created {sent - key.created:.3f} s before")

    def _administer(self, admin):
        while not self.ended.wait(0.1):
            if len(self.active()) < ACTIVE_KEYS or random.random() < 0.5:
                name = f"Service {next(self.numbers)}"
                created = admin.create(name)
                if created is not None:
                    with self.lock:
                        self.changes += 1
                        self.keys.append(Key(created[0], name, created[1], time.monotonic()))
            else:
                self._revoke(admin.revoke)

    def _revoke(self, send):
        with self.lock:
            found = self.active()
            if not found:
                return
            key = random.choice(found)
            key.revocation_sent = time.monotonic()
        # Without an acknowledgement, the key may be revoked or not: it is not judged any more.
        if send(key.id):
            now = time.monotonic()
            with self.lock:
                key.revoked = now
                self.changes += 1

    def _revoke_by_command(self, _):
        while not self.ended.wait(2):
            node = random.choice(self.nodes)

            def send(key_id, node=node):
                try:
                    node.command("key", "revoke", key_id, timeout=15)
                except (RuntimeError, subprocess.TimeoutExpired):
                    return False
                return True

            self._revoke(send)

    def _read_pages(self, admin):
        while not self.ended.wait(0.3):
            key = self._pick(is_active=False)
            if key is None:
                continue
            sent = time.monotonic()
            if key.revoked <= sent and admin.shows_as_active(key.id, key.name):
                with self.lock:
                    self.stale_pages += 1
                self._find(f"{admin.node.name} shows {key.name} as active {sent - key.revoked:.3f} s after its revocation")

    def expect_not_ready(self, node):
        """Judges what a node that reaches only an old primary says about itself."""
        if node.is_ready() or node.metric("keydesk_primary_lease"):
            with self.lock:
                self.false_readiness += 1
            self._find(f"{node.name} says that it is ready, or has the lease, and reaches only the old primary")

    def good_again(self, node, since):
        """How long the node took until all of its answers were right for a second; `None` if they never were."""
        with self.lock:
            answers = [each for each in self.answers if each.node == node.name and each.is_good and each.sent >= since]
        answers.sort(key=lambda each: each.sent)
        start, count = None, 0
        for each in answers:
            if each.status != 200:
                start, count = None, 0
                continue
            start = each.received if start is None else start
            count += 1
            if count >= 5 and each.received - start >= 1:
                return start - since
        return None

    def longest_gap(self, node, since):
        """The longest time without a right answer to a good key."""
        with self.lock:
            times = [each.received for each in self.answers if each.node == node.name and each.is_good and each.status == 200]
        times = [since, *sorted(each for each in times if each >= since), time.monotonic()]
        return max((later - earlier for earlier, later in itertools.pairwise(times)), default=0)

    def lost_changes(self, since):
        """Asks every node about every key that was changed since then. Returns how many acknowledged changes are missing."""
        with self.lock:
            created = [key for key in self.keys if key.created >= since and key.revocation_sent is None]
            revoked = [key for key in self.keys if key.revoked is not None and key.revoked >= since]
        lost = 0
        for node in self.nodes:
            client = node.client(timeout=4)
            for key, expected in [*((key, 200) for key in created), *((key, 401) for key in revoked)]:
                for _ in range(100):
                    status = self._ask(client, key)[1]
                    if status in (200, 401):
                        break
                    time.sleep(0.1)
                if status != expected and not (expected == 200 and key.revocation_sent is not None):
                    lost += 1
                    self._find(f"{node.name} answers {status} instead of {expected} for {key.name} after the round")
        return lost
