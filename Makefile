# `make quick` checks a commit, `make test` checks a change before it lands.
# `cargo run -- demo` starts a server with sample data.

CARGO_TEST   := cargo test --locked
BROWSER      := tests/browser/node_modules/.package-lock.json
ROUTES       := web::routes::the_route_table_is_written_for_the_browser_tests
REFERENCE    := cli::reference::the_reference_matches_the_help
SCHEMATHESIS := target/schemathesis/bin/schemathesis
GATEWAYS     := target/gateways/bin/hypercorn
LITESTREAM   := target/litestream/bin/litestream
DEPLOY       := target/deploy/venv/.installed
JUDGES       := target/judges/.installed tests/judges/node_modules/.package-lock.json
WAPITI       := target/wapiti/bin/wapiti

.PHONY: help run quick test fmt reference lint unit architecture it it-postgres browser audits screens
.PHONY: endurance fuzz deploy two-versions fleet fleet-quick judges judges-quick bench bench-lease bench-trail bench-writes bench-pages bench-backup deny
.DEFAULT_GOAL := help
# Targets run one after the other: their output stays readable, and each one uses all processors.
.NOTPARALLEL:

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Serve from ./data with the defaults
	cargo run --locked

quick: lint unit architecture ## Check formatting, lints, unit tests and layers: before every commit

test: lint unit architecture it it-postgres deploy fleet-quick judges-quick browser ## Check everything: before a change lands

fmt: ## Format the sources
	@tests/install_tools rust
	cargo fmt

reference: ## Write docs/reference.md from the program's help
	UPDATE_REFERENCE=1 $(CARGO_TEST) --test it -- --quiet --exact $(REFERENCE)

lint: ## Check formatting and clippy
	@tests/install_tools rust
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

unit: ## Run the unit tests of the library
	$(CARGO_TEST) --lib

architecture: ## Check that imports follow the layers and form no cycle
	$(CARGO_TEST) --test architecture

it: $(SCHEMATHESIS) $(GATEWAYS) $(LITESTREAM) ## Run the HTTP tests on SQLite
	@tests/install_tools gateways python page
	env -u KEYDESK_TEST_POSTGRES_URL $(CARGO_TEST) --test it

it-postgres: $(GATEWAYS) ## Run the HTTP tests on a temporary PostgreSQL server
	@tests/install_tools postgres pooler pgbackrest gateways python page
	tests/with_postgres $(CARGO_TEST) --test it

# The browser tests use the program that the build of the integration tests leaves in target/debug. `cargo build` would
# compile many dependencies again, with fewer features. One integration test writes the route table to a file.
browser: $(BROWSER) ## Test the pages in Chromium and Firefox, and audit each page once
	@tests/install_tools browser
	$(CARGO_TEST) --test it -- --quiet --exact $(ROUTES)
	cd tests/browser && npm test --silent

fuzz: ## Feed mutated input to every parser for ten minutes each; FUZZ=files runs some
	$(CARGO_TEST) --test it --no-run
	KEYDESK_FUZZ_SECONDS=600 $(CARGO_TEST) --test it -- --nocapture fuzz::$(FUZZ)

# The tables of docs/endurance.md say what is measured.
endurance: $(GATEWAYS) $(LITESTREAM) $(JUDGES) ## Measure every figure of docs/endurance.md with full counts; ROWS="R1 R9" measures some
	@tests/install_tools gateways python postgres page
	python3 tests/endurance/endurance.py $(ROWS)

# Needs root for its containers. Without, it says what it did not check.
deploy: $(DEPLOY) ## Check the files in deploy/: the systemd unit, the manifests of Kubernetes, the image
	@tests/install_tools systemd containers
	$(CARGO_TEST) --test it --no-run
	$(dir $(DEPLOY))bin/python tests/deploy/deploy.py $(CHECK)

# The version before, of which tests/upgrade has a database.
PREVIOUS := 0bf8a27
two-versions: ## Run this version and the one before on one PostgreSQL under load
	@tests/install_tools postgres
	mkdir -p target/previous/source
	git archive $(PREVIOUS) | tar --extract --directory target/previous/source
	cd target/previous/source && CARGO_TARGET_DIR=.. cargo build --locked
	KEYDESK_TEST_OLD_PROGRAM=$(CURDIR)/target/previous/debug/keydesk \
		tests/with_postgres $(CARGO_TEST) --test it -- --nocapture two_versions

# Needs root for its network namespaces. Without, it says that it tested nothing.
fleet-quick: ## Fail over three times under load, with three servers and PostgreSQL under Patroni
	@tests/install_tools fleet
	$(CARGO_TEST) --test it --no-run
	python3 tests/fleet/fleet.py --quick

fleet: ## The same with 30 faults; FAULT="kill partition" runs some
	@tests/install_tools fleet
	$(CARGO_TEST) --test it --no-run
	python3 tests/fleet/fleet.py $(FAULT)

judges-quick: $(JUDGES) ## Let promtool, Prometheus, redocly, Authlib and openid-client judge a running server
	@tests/install_tools metrics
	$(CARGO_TEST) --test it --no-run
	python3 tests/judges/judges.py --quick

judges: $(JUDGES) $(SCHEMATHESIS) $(WAPITI) ## The same with openapi-generator, schemathesis, sqlmap and wapiti; JUDGE="sqlmap" runs one
	@tests/install_tools metrics java
	$(CARGO_TEST) --test it --no-run
	python3 tests/judges/judges.py $(JUDGE)

audits: $(BROWSER) ## Audit each page in both themes and all widths, and run Lighthouse
	@tests/install_tools browser audits
	$(CARGO_TEST) --test it -- --quiet --exact $(ROUTES)
	cd tests/browser && npm run audits --silent

screens: $(BROWSER) ## Take screenshots of every page into ./screens, in both themes and four widths
	@tests/install_tools browser
	$(CARGO_TEST) --test it --no-run
	cd tests/browser && npm run screens --silent

# BENCH passes options to a benchmark: BENCH="--only sqlite --seconds 1". BENCH=--help lists them.
bench: ## Measure verification of keys, compared with an empty handler
	@tests/install_tools bench
	tests/with_postgres --measured target/bench/postgres cargo bench --locked --bench verification -- $(BENCH)

bench-lease: ## Measure verification of a key under a lease, with a synchronous standby, compared with one without
	@tests/install_tools bench
	tests/with_postgres --measured target/bench/postgres --standby cargo bench --locked --bench verification -- \
		--only postgres --rows lease $(BENCH)

bench-trail: ## Measure checks of the audit trail, compared with hashing the same bytes
	@tests/install_tools postgres
	tests/with_postgres --measured target/bench/postgres-trail cargo bench --locked --bench trail -- $(BENCH)

bench-writes: ## Measure creations and revocations of keys, compared with one-row transactions of one connection
	@tests/install_tools bench
	tests/with_postgres --measured target/bench/postgres-writes cargo bench --locked --bench writes -- $(BENCH)

bench-backup: ## Measure how much a backup of SQLite disturbs verification and changes
	@tests/install_tools bench
	cargo bench --locked --bench backup -- $(BENCH)

bench-pages: ## Measure the list of keys, compared with a static page of the same size
	@tests/install_tools bench
	tests/with_postgres --measured target/bench/postgres-pages cargo bench --locked --bench pages -- $(BENCH)
	cargo bench --locked --bench list_page

$(SCHEMATHESIS): tests/schemathesis.txt
	@tests/install_tools python
	python3 -m venv target/schemathesis
	target/schemathesis/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# Gateways of which Debian has no package or an old one, and a platform behind them.
$(GATEWAYS): tests/gateways.txt
	@tests/install_tools python
	python3 -m venv target/gateways
	target/gateways/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(LITESTREAM): tests/litestream.txt
	@tests/install_tools python
	python3 -m venv target/litestream
	target/litestream/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(DEPLOY): tests/deploy/requirements.txt
	@tests/install_tools python
	python3 -m venv $(dir $@)
	$(dir $@)bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

target/judges/.installed: tests/judges/requirements.txt
	@tests/install_tools python
	python3 -m venv target/judges
	target/judges/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# wapiti needs older versions of some packages.
$(WAPITI): tests/judges/wapiti.txt
	@tests/install_tools python
	python3 -m venv target/wapiti
	target/wapiti/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

tests/judges/node_modules/.package-lock.json: tests/judges/package.json tests/judges/package-lock.json
	@tests/install_tools node
	cd tests/judges && npm ci --silent
	@touch $@

$(BROWSER): tests/browser/package.json tests/browser/package-lock.json
	@tests/install_tools browser
	cd tests/browser && npm ci --silent
	@touch $@

deny: ## Check licences, sources and advisories of dependencies
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --locked check; \
	else echo "cargo-deny is not installed. Run: cargo install --locked cargo-deny"; fi
