# Every task of the project. `make help` lists them.
SHELL := /bin/bash
CARGO ?= cargo
BIN := target/release/sottovoce
# Where `make install` puts things; DESTDIR goes before it, for those who make packages.
PREFIX ?= /usr/local
# Who runs these as root often has no Rust there, since `sudo` has a PATH of its own, or another one: then
# what was built before is taken, which is also what the user means to try out.
RUST := $(if $(and $(SUDO_USER),$(wildcard $(BIN))),,$(shell command -v $(CARGO) 2>/dev/null))
BUILT := $(if $(RUST),build,built)
FLOOD = $(firstword $(shell ls -t target/release/deps/flood-* 2>/dev/null | grep -v '\.d$$'))
UNITS = $(DESTDIR)$(PREFIX)/lib/systemd/system

.DEFAULT_GOAL := help
.PHONY: built help run demo drill soak check features test bench bench-flood bench-meeting deny fuzz wasm wasm-size web test-web web-core test-web-core build static reproduce sbom install deb deb-test setup-build setup-media setup-units setup-judges

help: ## list the tasks
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1|/' | column -t -s '|'

build: setup-build ## the program: target/release/sottovoce
	@scripts/release.sh

static: setup-build ## the same as one file that needs no library, for containers
	@scripts/release.sh --static
	@install -D -m 755 target/$$(uname -m)-unknown-linux-musl/release/sottovoce target/static/sottovoce

reproduce: setup-build ## build it twice in different directories and compare the bytes
	@scripts/reproduce.sh

sbom: ## a list of all that the program is made of: target/sottovoce.cdx.json
	@scripts/sbom.sh

built:
	@test -x $(BIN) || { echo "There is no $(BIN) yet: run \`make build\` first." >&2; exit 1; }

# Builds nothing.
install: built ## put the program that `make build` made, and a systemd unit, under PREFIX (/usr/local)
	install -D -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/sottovoce
	install -d $(UNITS)
	sed 's|/usr/local/bin|$(PREFIX)/bin|' deploy/sottovoce.service >$(UNITS)/sottovoce.service
	chmod 644 $(UNITS)/sottovoce.service
	install -m 644 deploy/sottovoce.socket deploy/sottovoce-identity.service $(UNITS)

deb: build ## a Debian package of it: target/debian/sottovoce_*.deb
	@scripts/deb.sh $(BIN)

deb-test: $(if $(RUST),deb) ## install, stop, upgrade and purge that package in a Debian of its own (as root)
	@scripts/deb-test.sh target/debian/sottovoce_*.deb

run: build ## a relay and the page on this machine, and a link to click
	@scripts/run.sh $(BIN)

demo: build setup-media ## a relay and three participants for 20 s, then a table of what arrived
	@scripts/release.sh --quiet --example demo
	@target/release/examples/demo --sottovoce $(BIN)

drill: $(BUILT) ## seize a relay of your own and look for what it should not have (as root: its memory too)
	@$(BIN) drill

soak: $(BUILT) ## a relay for MINUTES (10): 200 come and go, loss, restarts; then what was found beside its bound (as root: its descriptors too)
	@$(if $(RUST),scripts/release.sh --quiet --example soak,test -x target/release/examples/soak || { echo "There is no soak yet: run \`scripts/release.sh --example soak\` first." >&2; exit 1; })
	@target/release/examples/soak --sottovoce $(BIN) --minutes $(or $(MINUTES),10)

check: setup-build ## the fast loop: format, lints, unit tests
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets --locked -- -D warnings
	$(CARGO) test --lib --locked --quiet

# Clippy takes what `check` has compiled, and lays its warnings on this crate alone.
features: setup-build ## each part of the program builds without the others
	$(CARGO) clippy --quiet --locked --no-default-features -- -D warnings
	$(CARGO) clippy --quiet --locked --no-default-features --features meeting -- -D warnings
	$(CARGO) clippy --quiet --locked --no-default-features --features relay -- -D warnings
	$(CARGO) clippy --quiet --locked --no-default-features --features participant -- -D warnings

test: setup-build web setup-media setup-units setup-judges ## everything that must hold, with real relays, real media, real files
	$(CARGO) test --locked --no-fail-fast

web: ## the page: web/dist
	@scripts/web.sh build

test-web: $(BUILT) ## the page in a real browser: each state, both themes, three widths, six languages (web/tests/screens/)
	@scripts/web.sh test

bench: setup-build ## what a delivered frame costs the relay, next to this machine's floor
	$(CARGO) bench --locked --bench fanout

bench-flood: $(if $(RUST),setup-build) ## what a meeting loses during 100,000 spoofed handshakes a second (as root)
	@$(if $(RUST),$(CARGO) bench --locked --bench flood,$(or $(FLOOD),echo "There is no bench yet: run \`cargo bench --locked --bench flood --no-run\` first." >&2; exit 1))

bench-meeting: setup-build ## what end-to-end encryption costs a participant's device
	$(CARGO) bench --locked --no-default-features --features meeting --bench meeting

deny: ## licences, bans and sources of all dependencies; advisories where they can be fetched
	@scripts/deny.sh

wasm: ## wire and meeting build for browsers (where the target is installed)
	@scripts/wasm.sh

wasm-size: ## what meeting weighs in a browser, as it is and compressed
	@scripts/wasm-size.sh

web-core: ## what a browser needs of this, for a page: web/core/pkg, and its size
	@scripts/web-core.sh

test-web-core: web-core ## the same holds whole meetings in Node, and its logic natively
	$(CARGO) test --locked --quiet -p sottovoce-web
	@scripts/need.sh node
	node --test web/core/tests/

fuzz: ## each decoder's fuzz target for 30 s (needs cargo-fuzz and a nightly toolchain)
	@scripts/fuzz.sh

setup-build:
	@scripts/need.sh build

setup-media:
	@scripts/need.sh media

setup-units:
	@scripts/need.sh units

setup-judges:
	@scripts/judges.sh
