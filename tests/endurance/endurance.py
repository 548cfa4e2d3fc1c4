#!/usr/bin/env python3
"""Measures the figures of docs/endurance.md with full counts: tests/endurance/endurance.py [ROW …]

Without rows, all of them; `it` means all whose test is one of tests/it. The exit code is 0 if every figure is reached.
"""

import os
import pathlib
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field

PROJECT = pathlib.Path(__file__).resolve().parents[2]
# A line of a test, such as `R9 postgresql: 0 of 4812 …`.
FIGURE = re.compile(r"^(?:test .* \.\.\. )?([LRSC]\d+) (sqlite|postgresql): (.*)$")
# A line of a benchmark's table with a target.
TARGET = re.compile(r"^\| (.+?) \| .* \| (yes|\*\*no\*\*) \|$")
NOT_TESTED = re.compile(r"NOT TESTED|NOT CHECKED|SKIPPED|is not installed")
ENVIRONMENT = {**os.environ, "KEYDESK_ENDURANCE": "full"}


@dataclass
class Row:
    name: str
    test: str
    database: str
    figures: list = field(default_factory=list)
    outcome: str = ""
    seconds: float = 0.0

    def command(self):
        if self.test.startswith("make "):
            return ["sh", "-c", self.test.replace("make ", "make --no-print-directory ", 1)]
        test = ["cargo", "test", "--locked", "--test", "it", "--", "--nocapture", "--include-ignored", "--test-threads=1", self.test]
        return ["tests/with_postgres", *test] if self.database == "postgresql" else test

    def run(self):
        """Runs the test, shows what it prints, and keeps its figures."""
        print(f"\n== {self.name} {self.database}: {self.test}", flush=True)
        began = time.monotonic()
        environment = {name: value for name, value in ENVIRONMENT.items() if name != "KEYDESK_TEST_POSTGRES_URL"}
        process = subprocess.Popen(
            self.command(), cwd=PROJECT, env=environment, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        missed, ran, skipped = False, self.test.startswith("make "), False
        for line in process.stdout:
            print(line, end="", flush=True)
            line = line.rstrip()
            if (found := FIGURE.match(line)) and found[1] == self.name:
                self.figures.append(found[3])
            if found := TARGET.match(line):
                self.figures.append(f"{found[1]}: {'reached' if found[2] == 'yes' else 'MISSED'}")
                missed |= found[2] != "yes"
            ran |= bool(re.match(r"running [1-9]\d* tests?$", line))
            skipped |= bool(NOT_TESTED.search(line))
        failed = process.wait() != 0 or missed or not ran
        self.outcome = "FAILED" if failed else "not tested" if skipped else "reached"
        self.seconds = time.monotonic() - began


def rows():
    """One for each row of the tables and each database that it is about."""
    found = []
    for line in (PROJECT / "docs/endurance.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) != 6 or not re.match(r"[LRSC]\d+$", cells[0]):
            continue
        name, _, test, on = cells[:4]
        test = test.strip("`")
        # A target of make chooses its databases itself.
        databases = ["sqlite", "postgresql"] if on == "both" and not test.startswith("make ") else [on.lower().replace("both", "all")]
        found += [Row(name, test, database) for database in databases]
    return found


def main(names):
    chosen = [row for row in rows() if not names or row.name in names or ("it" in names and not row.test.startswith("make "))]
    if unknown := set(names) - {row.name for row in rows()} - {"it"}:
        raise SystemExit(f"docs/endurance.md has no row {', '.join(sorted(unknown))}")
    for row in chosen:
        row.run()
    print("\n| row | on | figure | | time |\n| --- | --- | --- | --- | --- |")
    for row in chosen:
        figures = row.figures or [row.test]
        for number, figure in enumerate(figures):
            outcome, seconds = (row.outcome, f"{row.seconds:.0f} s") if number == 0 else ("", "")
            print(f"| {row.name} | {row.database} | {figure} | {outcome} | {seconds} |")
    failed = [f"{row.name} {row.database}" for row in chosen if row.outcome == "FAILED"]
    print(f"\n{len(chosen) - len(failed)} of {len(chosen)} reached" + (f"; FAILED: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
