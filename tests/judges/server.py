"""A server with the sample company on loopback, with a key and a gateway, for the judges."""

import http.client
import os
import pathlib
import re
import subprocess
import tempfile
import urllib.parse

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = PROJECT / os.environ.get("KEYDESK_BIN", f"{os.environ.get('CARGO_TARGET_DIR', 'target')}/debug/keydesk")
KEYS = "/administration/company-settings/api-keys"
GATEWAY = "judges"

# The program refuses unknown KEYDESK_ variables.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("KEYDESK_")}


class Server:
    """Use as a context manager: the end stops the server and removes its data."""

    def __init__(self, flags=(), has_log_reader=True):
        self.flags, self.has_log_reader = flags, has_log_reader

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="keydesk-judges-")
        self.log = open(pathlib.Path(self.folder.name) / "log", "w+", encoding="utf-8")
        # An https public URL: pages carry the headers and cookies that they have behind a proxy with TLS.
        words = ["demo", "--listen", "127.0.0.1:0", "--public-url", "https://keydesk.example", *self.flags]
        data = pathlib.Path(self.folder.name) / "data"
        data.mkdir()
        self.process = subprocess.Popen(
            [PROGRAM, *words],
            stdout=subprocess.PIPE,
            stderr=self.log if self.has_log_reader else subprocess.PIPE,
            text=True,
            env={**ENVIRONMENT, "TMPDIR": str(data)},
        )
        if not self.has_log_reader:
            self.process.stderr.close()
        printed = dict(self._read_line() for _ in range(3))
        self.url = printed["Listening on"]
        self.address = urllib.parse.urlsplit(self.url)
        self.credentials = {"email": printed["Email"], "password": printed["Password"]}
        (self.data_dir,) = data.iterdir()
        self.credential = self.command("gateway", "add", GATEWAY)
        self.cookie = self._sign_in()
        self.key, _ = self.create_key("Judged Service")
        return self

    def __exit__(self, *_):
        self.stop()
        self.log.close()
        self.folder.cleanup()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)

    def _read_line(self):
        line = self.process.stdout.readline().strip()
        found = re.match(r"(Listening on|Email|Password):? (.*)", line)
        if not found:
            self.log.seek(0)
            raise SystemExit(f"The server did not start: {line!r}\n{self.log.read()}")
        return found.groups()

    def command(self, *words):
        """Runs a command on the server's data. Returns its output."""
        done = subprocess.run(
            [PROGRAM, *words, "--data-dir", self.data_dir], env=ENVIRONMENT, text=True, capture_output=True, check=True
        )
        return done.stdout.strip()

    def request(self, method, path, fields=None, headers=None):
        """Sends a request as a browser does. Returns status, headers and text."""
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=60)
        body = urllib.parse.urlencode(fields) if fields is not None else None
        sent = {"Sec-Fetch-Site": "same-origin", **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, response.headers, text

    def _sign_in(self):
        status, headers, _ = self.request("POST", "/sign-in", self.credentials)
        assert status == 303, f"sign-in answered {status}"
        cookies = [value.split(";")[0] for value in headers.get_all("Set-Cookie")]
        (session,) = [cookie for cookie in cookies if "-device" not in cookie.split("=")[0]]
        return session

    def create_key(self, name, expires="none"):
        """Returns the key and its id."""
        signed_in = {"Cookie": self.cookie}
        form = self.request("GET", f"{KEYS}/new", headers=signed_in)[2]
        submission = re.search(r'name="submission" value="([^"]+)"', form)[1]
        fields = {"name": name, "expires": expires, "submission": submission}
        status, _, page = self.request("POST", KEYS, fields, signed_in)
        assert status == 201, f"adding a key answered {status}"
        key = re.search(r"[a-z][a-z0-9]{1,9}_[0-9A-Za-z]{38}", page)[0]
        return key, re.search(r'data-key-id="([^"]+)"', page)[1]

    def failures(self):
        """The lines in which the server reports a failure of its own."""
        self.log.flush()
        text = pathlib.Path(self.log.name).read_text(encoding="utf-8", errors="replace")
        return [line for line in text.splitlines() if re.search(r"\bERROR\b|panicked at", line)]
