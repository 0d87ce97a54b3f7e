#!/usr/bin/env bash
# Brings the WebAssembly toolchain to a machine: the wasm32 standard library, wasm-bindgen and wasm-pack.
# Idempotent: seconds when all is there. `eval "$(scripts/toolchain.sh --env)"` prints the variables a build needs.
#
# 1. A rustup toolchain that can add the target is used as it is.
# 2. Otherwise, on Debian and as root, Debian's own Rust (rustc-web) serves, and the standard
#    library for wasm32 is built once from its source.
# 3. Otherwise one message says what is missing.
set -euo pipefail

WASM_BINDGEN_VERSION=0.2.130   # must equal the pin in Cargo.toml; the glue and the crate speak one protocol
WASM_PACK_VERSION=0.15.1
TARGET=wasm32-unknown-unknown
LINKED=debian                  # the name rustup gives to Debian's toolchain

say() { echo "toolchain: $*" >&2; }

has_target() { # toolchain ("" = the default one)
  local sysroot
  sysroot=$(rustc ${1:+"+$1"} --print sysroot 2>/dev/null) || return 1
  compgen -G "$sysroot/lib/rustlib/$TARGET/lib/libstd-*.rlib" >/dev/null
}

build_std_with_debian() {
  if ! dpkg -s rustc-web cargo-web rust-web-src libstd-rust-web-dev lld-22 >/dev/null 2>&1; then
    say "installing Debian's Rust with its library source"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq rustc-web cargo-web rust-web-src libstd-rust-web-dev lld-22 >/dev/null
  fi
  rustup toolchain list | grep -q "^$LINKED" || rustup toolchain link "$LINKED" /usr
  say "building the standard library for $TARGET"
  local work; work=$(mktemp -d)
  mkdir -p "$work/src"
  : >"$work/src/lib.rs"
  cat >"$work/Cargo.toml" <<'TOML'
[package]
name = "std_for_wasm"
version = "0.0.0"
edition = "2021"
[lib]
crate-type = ["cdylib"]
[profile.release]
panic = "abort"
TOML
  (cd "$work" && RUSTC_BOOTSTRAP=1 cargo "+$LINKED" build --release --quiet -Zbuild-std=std,panic_abort --target $TARGET)
  mkdir -p "/usr/lib/rustlib/$TARGET/lib"
  cp "$work/target/$TARGET/release/deps/"*.rlib "/usr/lib/rustlib/$TARGET/lib/"
  rm -rf "$work"
}

toolchain() { # prints the name to use, "" for the default one
  if has_target ""; then echo ""; return; fi
  if has_target "$LINKED"; then echo "$LINKED"; return; fi
  if timeout 120 rustup target add $TARGET >&2 2>/dev/null && has_target ""; then echo ""; return; fi
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    build_std_with_debian >&2
    has_target "$LINKED" && { echo "$LINKED"; return; }
  fi
  say "no Rust toolchain here has $TARGET. Run 'rustup target add $TARGET', or on Debian run this script as root."
  exit 1
}

install_tool() { # crate, version, binary
  [ "$("$3" --version 2>/dev/null | awk '{print $2}')" = "$2" ] && return
  say "installing $1 $2"
  cargo install --quiet "$1" --version "$2" >&2
}

command -v rustup >/dev/null || { say "rustup is not installed; get it from https://rustup.rs"; exit 1; }
export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
NAME=$(toolchain)
install_tool wasm-bindgen-cli $WASM_BINDGEN_VERSION wasm-bindgen
install_tool wasm-pack $WASM_PACK_VERSION wasm-pack

if [ "${1:-}" = --env ]; then
  echo "export PATH=\"${CARGO_HOME:-$HOME/.cargo}/bin:\$PATH\""
  [ -z "$NAME" ] || echo "export RUSTUP_TOOLCHAIN=$NAME"
else
  say "ready: $(rustc ${NAME:+"+$NAME"} --version), wasm-bindgen $WASM_BINDGEN_VERSION, wasm-pack $WASM_PACK_VERSION"
fi
