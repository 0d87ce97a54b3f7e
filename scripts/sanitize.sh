#!/usr/bin/env bash
# The crate under the tools that watch memory: Miri over the tests of what is `unsafe`, then AddressSanitizer over
# random input, then every fuzz target for a while. Needs nightly Rust; brings what is missing.
#
#   scripts/sanitize.sh [seconds for each fuzz target = 180] [target ...]
set -euo pipefail
cd "$(dirname "$0")/.."

SECONDS_EACH=${1:-180}
shift || true
CARGO_FUZZ_VERSION=0.13.2
HOST=$(rustc -vV | sed -n 's/^host: //p')
step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

step "tools"
rustup toolchain list | grep -q '^nightly' || rustup toolchain install nightly --profile minimal
rustup component add --toolchain nightly miri rust-src
[ "$(cargo-fuzz --version 2>/dev/null)" = "cargo-fuzz $CARGO_FUZZ_VERSION" ] ||
  cargo install --quiet --locked cargo-fuzz --version $CARGO_FUZZ_VERSION

step "Miri: the rooms of unsafe code, and what lies on them"
# Floats without Miri's random errors: some tests compare bits.
MIRIFLAGS="-Zmiri-strict-provenance -Zmiri-symbolic-alignment-check -Zmiri-deterministic-floats" \
  cargo +nightly miri test -p segrad --lib -- simd:: tile:: walk:: exports:: interleaved:: batch:: census::

step "AddressSanitizer: every check on random input"
(cd crate/fuzz && RUSTFLAGS=-Zsanitizer=address FUZZ_RUNS=${FUZZ_RUNS:-5000} \
  cargo +nightly test --release --no-default-features --target "$HOST")

step "AddressSanitizer and libFuzzer"
cd crate
logs=$(mktemp -d)
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(cargo +nightly fuzz list)
for target in "${targets[@]}"; do
  echo "-- $target"
  # Inputs are short: their first bytes seed the random numbers that make up a batch.
  cargo +nightly fuzz run "$target" -- -max_total_time="$SECONDS_EACH" -max_len=96 -len_control=0 -timeout=60 \
    -print_final_stats=1 2>&1 | tee "$logs/$target.log" | grep -E 'stat::|ERROR|panicked|SUMMARY|Test unit'
done
