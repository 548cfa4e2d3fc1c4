"""Keydesk on several machines, with one database and one secrets file."""

import http.client
import os
import pathlib
import re
import urllib.parse

from databases import wait_until

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = PROJECT / os.environ.get("KEYDESK_BIN", f"{os.environ.get('CARGO_TARGET_DIR', 'target')}/debug/keydesk")
KEYS = "/administration/company-settings/api-keys"
COMPANY, ADMIN_PASSWORD = "Fleet", "correct horse battery staple fleet"
PORT = 8080

# The program refuses unknown KEYDESK_ variables.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("KEYDESK_")}


class Node:
    """A Keydesk server on its own machine."""

    def __init__(self, machine, folder, logs):
        self.machine, self.folder, self.name = machine, folder, machine.name
        self.log = logs / f"{machine.name}.log"

    def start(self, database_url):
        self.environment = {
            **ENVIRONMENT,
            "KEYDESK_DATABASE_URL": database_url,
            "KEYDESK_SECRETS_FILE": str(self.folder / "secrets"),
            "KEYDESK_DATA_DIR": str(self.folder / f"{self.name}-data"),
            # Sessions are shared, so all nodes have one public URL.
            "KEYDESK_PUBLIC_URL": "http://127.0.0.1:8080",
        }
        words = [PROGRAM, "serve", "--listen", f"{self.machine.address}:{PORT}"]
        self.process = self.machine.start(words, self.log, env=self.environment)
        wait_until(self.is_ready, 60, f"{self.name} is not ready: see {self.log}")

    def is_ready(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended: see {self.log}")
        try:
            return self.client(timeout=3).request("GET", "/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def command(self, *words, **options):
        """Runs a command on the machine of the node."""
        return self.machine.run([PROGRAM, *words], env=self.environment, **options).strip()

    def client(self, timeout=15):
        return Client(self.machine.address, timeout)

    def metric(self, name):
        try:
            text = self.client(timeout=3).request("GET", "/metrics")[2]
        except (OSError, http.client.HTTPException):
            return None
        found = re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)
        return found and float(found[1])


class Client:
    """One connection to a node, kept open."""

    def __init__(self, address, timeout):
        self.connection = http.client.HTTPConnection(address, PORT, timeout=timeout)

    def request(self, method, path, fields=None, headers=None):
        """Sends a request as a browser does. Returns status, headers and text."""
        sent = {"Sec-Fetch-Site": "same-origin", **(headers or {})}
        body = None
        if fields is not None:
            body = urllib.parse.urlencode(fields)
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            self.connection.request(method, path, body, sent)
            response = self.connection.getresponse()
            return response.status, response.headers, response.read().decode()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise

    def verify(self, key):
        """The status that a gateway gets for a key."""
        return self.request("GET", "/v1/whoami", headers={"Authorization": f"Bearer {key}"})[0]


class Admin:
    """An admin who works with the pages of one node."""

    def __init__(self, node, email):
        self.node, self.email, self.cookie = node, email, None
        self.client = node.client()

    def request(self, method, path, fields=None):
        """A request of the signed-in admin. None if the node could not answer, or does not know the session."""
        try:
            if self.cookie is None and not self._sign_in():
                return None
            answer = self.client.request(method, path, fields, {"Cookie": self.cookie})
        except (OSError, http.client.HTTPException):
            return None
        if answer[1].get("Location", "").startswith("/sign-in"):
            self.cookie = None
            return None
        return answer

    def _sign_in(self):
        fields = {"email": self.email, "password": ADMIN_PASSWORD}
        status, headers, _ = self.client.request("POST", "/sign-in", fields)
        if status != 303:
            return False
        cookies = [value.split(";")[0] for value in headers.get_all("Set-Cookie")]
        self.cookie = next(cookie for cookie in cookies if "-device" not in cookie.split("=")[0])
        return True

    def create(self, name):
        """Returns the id and the key, if the page shows it."""
        form = self.request("GET", f"{KEYS}/new")
        submission = form and re.search(r'name="submission" value="([^"]+)"', form[2])
        if not submission:
            return None
        answer = self.request("POST", KEYS, {"name": name, "submission": submission[1]})
        if answer is None or answer[0] != 201:
            return None
        shown = re.search(r'<[^>]*id="new-key"[^>]*>', answer[2])[0]
        return re.search(r'data-key-id="([^"]+)"', shown)[1], re.search(r"goa_[0-9A-Za-z]{38}", answer[2])[0]

    def revoke(self, key_id):
        """Whether the revocation was acknowledged."""
        answer = self.request("POST", f"{KEYS}/{key_id}/revoke", {"reason": "superseded"})
        return answer is not None and answer[0] == 303

    def shows_as_active(self, key_id, name):
        """Whether the page Active Keys lists the key. None without a page."""
        answer = self.request("GET", f"{KEYS}?tab=active&q={urllib.parse.quote(name)}")
        return None if answer is None or answer[0] != 200 else f'id="key-{key_id}"' in answer[2]


def set_up(node):
    """Creates the company and its admins. Returns the admins' addresses."""
    node.command("company", "add", "--name", COMPANY)
    addresses = [f"admin{number}@fleet.example" for number in range(6)]
    for address in addresses:
        user = ["--company", COMPANY, "--name", "Admin", "--email", address, "--role", "admin", "--password-stdin"]
        node.command("user", "add", *user, input=ADMIN_PASSWORD)
    return addresses
