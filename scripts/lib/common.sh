# shellcheck shell=bash
# What the scripts share. Sourced, never run; the caller then stands in the repository's root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# shellcheck disable=SC2034 # for the callers
# What is downloaded or built once and outlives the target folder.
CACHE=${GATEHOUSE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gatehouse}
# shellcheck disable=SC2034
TARGET=${CARGO_TARGET_DIR:-target}

say() { printf '\n==> %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
in_ci() { [ "${CI:-}" = true ]; }

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    die "this needs root, and there is no sudo: $*"
  fi
}

# debian_packages PACKAGE...: installs those that are missing.
debian_packages() {
  local package missing=()
  for package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "Installing from Debian: ${missing[*]}"
  as_root apt-get -qq update
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

# rust: cargo in PATH, by rustup where there is none. The version is the one in rust-toolchain.toml.
rust() {
  # shellcheck disable=SC1091 # written by rustup
  ! [ -f "$HOME/.cargo/env" ] || . "$HOME/.cargo/env"
  if ! have cargo; then
    say "Installing Rust with rustup"
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --default-toolchain none
    # shellcheck disable=SC1091
    . "$HOME/.cargo/env"
  fi
}

# pinned NAME: a version that the product pins, read where it stands.
pinned() {
  local version
  version=$(sed -n "s/^pub const $1: &str = \"\(.*\)\";\$/\1/p" src-tauri/crates/openclaw/src/install.rs)
  [ -n "$version" ] || die "no $1 in src-tauri/crates/openclaw/src/install.rs"
  printf '%s\n' "$version"
}
