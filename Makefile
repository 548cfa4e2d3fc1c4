# Everything is checked by `make test`; a server with sample data is `cargo run -- demo`.

CARGO_TEST   := cargo test --locked
BROWSER      := tests/browser/node_modules/.package-lock.json
ROUTES       := web::routes::the_route_table_is_written_down_for_the_browser_tests
SCHEMATHESIS := target/schemathesis/bin/schemathesis

.PHONY: help run fmt lint unit architecture it it-postgres browser judges screens bench bench-trail bench-pages deny test
.DEFAULT_GOAL := help
# One after the other, as each part's answer is wanted whole, and the machine is busy enough with one.
.NOTPARALLEL:

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Serve from ./data with the defaults
	cargo run --locked

test: lint unit architecture it it-postgres browser ## Check everything, as a change must pass it

fmt: ## Lay the sources out
	@tests/install_tools rust
	cargo fmt

lint: ## Check the layout of the sources, and clippy's opinion of them
	@tests/install_tools rust
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

unit: ## Test the library from inside
	$(CARGO_TEST) --lib

architecture: ## Test that imports follow the drawing in ARCHITECTURE.md
	$(CARGO_TEST) --test architecture

it: $(SCHEMATHESIS) ## Test over HTTP, on SQLite
	@tests/install_tools gateways python
	env -u KEYDESK_TEST_POSTGRES_URL $(CARGO_TEST) --test it

it-postgres: ## The same tests on a throw-away PostgreSQL
	@tests/install_tools postgres gateways python
	tests/with_postgres $(CARGO_TEST) --test it

# The integration tests' build leaves the program in target/debug. `cargo build` would make the same program, and
# compile half of its dependencies once more to do so, as they are then wanted with fewer features. One of them writes
# down the route table, from which the browser tests know what they have to look at.
browser: $(BROWSER) ## Walk through the pages in Chromium and Firefox, and look at each page once
	@tests/install_tools browser
	$(CARGO_TEST) --test it -- --quiet --exact $(ROUTES)
	cd tests/browser && npm test --silent

judges: $(BROWSER) ## Look at each page in both themes and all widths, and ask Lighthouse
	@tests/install_tools browser judges
	$(CARGO_TEST) --test it -- --quiet --exact $(ROUTES)
	cd tests/browser && npm run judges --silent

screens: $(BROWSER) ## Draw every page into ./screens, light and dark, wide and narrow
	@tests/install_tools browser
	$(CARGO_TEST) --test it --no-run
	cd tests/browser && npm run screens --silent

# BENCH="--only sqlite --seconds 1": what it takes is listed by BENCH=--help.
bench: ## Measure how fast keys are verified, beside a handler that does nothing
	@tests/install_tools bench
	tests/with_postgres --measured target/bench/postgres cargo bench --locked --bench verification -- $(BENCH)

bench-trail: ## Measure how fast the audit trail is checked, beside hashing the same bytes alone
	@tests/install_tools postgres
	tests/with_postgres --measured target/bench/postgres-trail cargo bench --locked --bench trail -- $(BENCH)

bench-pages: ## Measure how fast the list is drawn, beside a static page of the same bytes, and its template alone
	@tests/install_tools bench
	tests/with_postgres --measured target/bench/postgres-pages cargo bench --locked --bench pages -- $(BENCH)
	cargo bench --locked --bench list_page

$(SCHEMATHESIS): tests/schemathesis.txt
	@tests/install_tools python
	python3 -m venv target/schemathesis
	target/schemathesis/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(BROWSER): tests/browser/package.json tests/browser/package-lock.json
	@tests/install_tools browser
	cd tests/browser && npm ci --silent
	@touch $@

deny: ## Check licences, sources and advisories of the dependencies
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --locked check; \
	else echo "cargo-deny is not installed here: cargo install --locked cargo-deny"; fi
