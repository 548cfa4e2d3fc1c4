#!/usr/bin/env python3
"""Fills a database with an older program, and stores it for the test of upgrades:

    tests/with_postgres tests/upgrade/record.py PROGRAM NAME

writes tests/upgrade/states/NAME/{sqlite,postgres}: the database, compressed, and facts.json with its secrets and with
what must be true after an upgrade. The secrets were made for this and belong to no installation.
"""

import base64
import datetime
import gzip
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse

STATES = pathlib.Path(__file__).resolve().parent / "states"
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("KEYDESK_")}
KEYS = "/administration/company-settings/api-keys"
USERS = "/administration/access-control/users"
COMPANY, EMAIL, PASSWORD = "Brightwater Foods", "maria@brightwater.example", "violet tram hums loudly"
AUDITOR = "jonas@brightwater.example"


class Installation:
    """An installation of the older program, which serves while this is a context."""

    def __init__(self, program, folder, url):
        self.program, self.folder, self.url = program, folder, url
        self.cookies, self.keys = {}, []

    def __enter__(self):
        words = [self.program, "serve", "--listen", "127.0.0.1:0", "--data-dir", self.folder, "--database-url", self.url]
        self.log = open(self.folder / "log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=self.log, text=True, env=ENVIRONMENT)
        printed = [self.process.stdout.readline().strip() for _ in range(2)]
        self.address = printed[0].removeprefix("Listening on http://")
        self.set_up = printed[1][printed[1].index("/setup") :]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(timeout=60) == 0

    def command(self, *words):
        """Runs a command; returns its output, or None if this version does not have it."""
        words = [self.program, *words, "--data-dir", self.folder, "--database-url", self.url]
        done = subprocess.run(words, env=ENVIRONMENT, text=True, capture_output=True, check=False)
        if done.returncode == 2:
            return None
        assert done.returncode == 0, done.stderr
        return done.stdout

    def request(self, method, path, fields=None, headers=None, cookies=None):
        cookies = self.cookies if cookies is None else cookies
        connection = http.client.HTTPConnection(self.address, timeout=60)
        sent = {"Sec-Fetch-Site": "same-origin", **(headers or {})}
        if cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        body = None
        if fields is not None:
            body, sent["Content-Type"] = urllib.parse.urlencode(fields), "application/x-www-form-urlencoded"
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        text = response.read().decode()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            cookies[name] = value
        connection.close()
        return response.status, text

    def post(self, path, fields, status=303, **options):
        answer, text = self.request("POST", path, fields, **options)
        assert answer == status, f"{path} answered {answer}: {text[:2000]}"
        return text

    def has(self, path):
        return self.request("GET", path)[0] == 200

    def form(self, path):
        """The hidden fields of a form."""
        text = self.request("GET", path)[1]
        return dict(re.findall(r'type="hidden" name="(submission|version)" value="([^"]*)"', text))

    def show_key(self, page, name, until=None, state="active"):
        """Notes a key that a page shows."""
        key = re.search(r"goa_[0-9A-Za-z]{38}", page)[0]
        key_id = re.search(r'id="new-key"[^>]*data-key-id="([^"]+)"|data-key-id="([^"]+)"[^>]*id="new-key"', page)
        self.keys.append({"id": key_id[1] or key_id[2], "key": key, "name": name, "state": state, "until": until})
        return self.keys[-1]

    def create_key(self, name, expires="none"):
        fields = {"name": name, "expires": expires, **self.form(f"{KEYS}/new")}
        until = {"none": None, "365d": in_days(364)}[expires]
        return self.show_key(self.post(KEYS, fields, 201), name, until)

    def rotate(self, key, overlap):
        fields = {"overlap": overlap, "expires": "none", **self.form(f"{KEYS}/{key['id']}/rotate")}
        page = self.post(f"{KEYS}/{key['id']}/rotate", fields, 201)
        key.update({"until": in_days(29)} if overlap == "30d" else {"state": "revoked"})
        return self.show_key(page, key["name"])

    def revoke(self, key, reason, comment):
        self.post(f"{KEYS}/{key['id']}/revoke", {"reason": reason, "comment": comment})
        key["state"] = "revoked"

    def use(self, key, times=1):
        for _ in range(times):
            self.request("GET", "/v1/whoami", headers={"Authorization": f"Bearer {key['key']}"})


def in_days(days):
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def totp(secret):
    digest = hmac.digest(base64.b32decode(secret + "=" * (-len(secret) % 8)), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1)
    offset = digest[-1] & 15
    return f"{(struct.unpack_from('>I', digest, offset)[0] & 0x7FFFFFFF) % 1_000_000:06}"


def fill_with_keys(installation):
    keys = [installation.create_key(name) for name in ("ERP Sync", "Café Łódź", "Reporting Dashboard", "_Stock-Feed 7")]
    expiring = installation.create_key("Route Planning", "365d") if installation.has(f"{KEYS}/{keys[0]['id']}/rotate") else None
    installation.use(keys[0], 5)
    installation.revoke(keys[2], "compromised", "In a ticket")
    installation.use(keys[2], 3)
    if expiring:
        installation.rotate(keys[1], "none")
        installation.rotate(keys[3], "30d")
        form = installation.form(f"{KEYS}/{keys[0]['id']}/edit")
        owner = re.search(r'<option value="([^"]+)" selected', installation.request("GET", f"{KEYS}/{keys[0]['id']}/edit")[1])
        fields = {"name": "ERP Synchronisation", "owner": owner[1], **form}
        installation.post(f"{KEYS}/{keys[0]['id']}/edit", fields)
        keys[0]["name"] = fields["name"]


def fill_with_users(installation, facts):
    """Adds an auditor with a second factor, an open invitation, and a user who created a key and was deleted."""
    if not installation.has(USERS):
        return

    def invite(name, email, role):
        page = installation.post(USERS, {"name": name, "email": email, "role": role}, 201)
        return re.search(r"/invitation\?token=[^\"<\s]+", page)[0]

    admin, auditor, leaving = installation.cookies, {}, {}
    installation.post(invite("Jonas Bakke", AUDITOR, "auditor"), {"password": PASSWORD}, cookies=auditor)
    invite("Elif Demir", "elif@brightwater.example", "admin")
    installation.post(invite("Anders Holm", "anders@brightwater.example", "admin"), {"password": PASSWORD}, cookies=leaving)
    installation.cookies = leaving
    installation.create_key("Legacy Importer")
    installation.cookies = auditor
    page = installation.request("GET", "/account/second-factor")[1]
    secret = re.sub("<[^>]*>", "", re.search(r'id="second-factor-secret"[^>]*>(.*?)</code>', page)[1])
    fields = {"code": totp(secret)} | ({"current_password": PASSWORD} if 'name="current_password"' in page else {})
    codes = installation.post("/account/second-factor", fields, 201)
    facts["auditor"] = {"email": AUDITOR, "recovery_code": re.search(r"<li><code>([^<]+)</code>", codes)[1]}
    installation.cookies = admin
    users = installation.request("GET", USERS)[1]
    (anders,) = re.findall(rf"{USERS}/([0-9a-f-]+)/delete", users[users.index("Anders Holm") :])[:1]
    page = installation.request("GET", f"{USERS}/{anders}/delete")[1]
    heir = re.search(r'<option value="([^"]+)"', page)[1]
    installation.post(f"{USERS}/{anders}/delete", {"revoke_keys": "no", "new_owner": heir})


def fill(installation):
    """Returns what must be true of the database."""
    facts = {"company": COMPANY, "email": EMAIL, "password": PASSWORD}
    fields = {"company_name": COMPANY, "name": "Maria Lindqvist", "email": EMAIL, "password": PASSWORD}
    installation.post(installation.set_up, fields)
    fill_with_keys(installation)
    fill_with_users(installation, facts)
    for _ in range(3):
        installation.post("/sign-in", {"email": EMAIL, "password": "not this one"}, 422, cookies={})
    credential = installation.command("gateway", "add", "edge")
    facts["gateway"] = credential and credential.strip()
    installation.command("company", "add", "--name", "Northwind")
    checkpoint = installation.command("audit", "checkpoint", "--company", COMPANY)
    facts["checkpoint"], facts["public_key"] = checkpoint, checkpoint and installation.command("audit", "public-key")
    # Usage is written every few seconds, and at the end. A revoked key is refused after the checkpoint, too.
    installation.use(installation.keys[2], 1)
    time.sleep(4)
    return facts


def compress(path, content):
    with open(path, "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as archive:
        archive.write(content)


def dump_sqlite(url, target):
    connection = sqlite3.connect(url.removeprefix("sqlite://"), isolation_level=None)
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    compress(target / "database.gz", pathlib.Path(url.removeprefix("sqlite://")).read_bytes())


def dump_postgres(url, target):
    words = ["pg_dump", "--no-owner", "--no-privileges", "--inserts", "--rows-per-insert=100", f"--dbname={url}"]
    text = subprocess.run(words, check=True, text=True, stdout=subprocess.PIPE).stdout
    # Newer versions write two lines that only psql reads.
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith(("\\restrict ", "\\unrestrict "))]
    compress(target / "database.gz", "".join(lines).encode())


def record(program, target, url, dump):
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder) / "data"
        folder.mkdir(mode=0o700)
        url = url or f"sqlite://{folder}/keydesk.db"
        with Installation(program, folder, url) as installation:
            facts = fill(installation)
        facts["keys"] = installation.keys
        facts["secrets"] = json.loads((folder / "secrets").read_text(encoding="utf-8"))
        dump(url, target)
    (target / "facts.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main(program, name):
    program = pathlib.Path(program).resolve()
    record(program, STATES / name / "sqlite", None, dump_sqlite)
    server = os.environ["KEYDESK_TEST_POSTGRES_URL"]
    database = f"record_{os.getpid()}"
    subprocess.run(["psql", "--quiet", server, "--command", f"CREATE DATABASE {database}"], check=True)
    record(program, STATES / name / "postgres", server.rsplit("/", 1)[0] + f"/{database}", dump_postgres)


if __name__ == "__main__":
    main(*sys.argv[1:])
