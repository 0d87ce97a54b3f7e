#!/usr/bin/env bash
# What the project is built from: licences and sources of every crate, known vulnerabilities of crates and packages.
# The databases of vulnerabilities are on the network. Where they cannot be reached this says so and goes on:
# a build without a network is no reason to fail, a known vulnerability is.
set -euo pipefail
cd "$(dirname "$0")/.."

CARGO_DENY_VERSION=0.20.2
ADVISORIES=https://github.com/RustSec/advisory-db

skip() { echo "audit: SKIPPED, $*"; }

export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
if [ "$(cargo-deny --version 2>/dev/null)" != "cargo-deny $CARGO_DENY_VERSION" ]; then
  # Unoptimised: a minute instead of four, and it runs for a second.
  cargo install --quiet --debug --locked cargo-deny --version $CARGO_DENY_VERSION ||
    skip "licences, sources and advisories of crates: cargo-deny cannot be installed"
fi
if command -v cargo-deny >/dev/null; then
  checks=(bans licenses sources)
  if GIT_TERMINAL_PROMPT=0 timeout 30 git ls-remote --exit-code $ADVISORIES main >/dev/null 2>&1; then
    checks+=(advisories)
  else
    skip "advisories of crates: $ADVISORIES cannot be reached"
  fi
  # What a licence is allowed for differs between the two, so one of them always finds something unused.
  for manifest in Cargo.toml crate/fuzz/Cargo.toml; do
    echo "audit: $manifest"
    cargo deny --manifest-path $manifest --locked --config deny.toml check --allow license-exception-not-encountered "${checks[@]}"
  done
fi

# What users install must have no known vulnerability; of what only builds and tests, none that is critical.
for scope in "--omit=dev --audit-level=low" "--audit-level=critical"; do
  # shellcheck disable=SC2086
  if report=$(timeout 60 npm audit --json $scope 2>/dev/null); then
    echo "audit: npm $scope: none"
  elif grep -q '"auditReportVersion"' <<<"$report"; then
    # shellcheck disable=SC2086
    npm audit $scope
  else
    skip "npm $scope: the registry does not answer"
  fi
done
