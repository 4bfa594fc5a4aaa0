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

# What the tray app is built with on Debian.
# shellcheck disable=SC2034 # for the callers
TRAY_PACKAGES=(pkg-config libwebkit2gtk-4.1-dev libayatana-appindicator3-dev librsvg2-dev)

# What the tests have a screen with: X, a window manager, a tray, somebody who reads the picture and clicks, and the driver of
# the window.
# shellcheck disable=SC2034
SCREEN_PACKAGES=(xvfb openbox xfce4-panel xdotool xclip imagemagick tesseract-ocr tesseract-ocr-eng webkit2gtk-driver dbus
  adwaita-icon-theme fonts-dejavu-core)

# with_tray: whether the tray app can be built here. macOS brings what it needs; elsewhere it is WebKitGTK.
with_tray() { [ "$(uname)" = Darwin ] || pkg-config --exists webkit2gtk-4.1 2>/dev/null; }

# features: in FEATURES what cargo is told to build here: the tray app, after its window, or the headless core. Every command of
# a run takes the same, for another set would compile most dependencies once more.
features() {
  # shellcheck disable=SC2034 # for the callers
  if with_tray; then
    scripts/ui >&2
    FEATURES=(--features gatehouse/tray)
  else
    FEATURES=(--no-default-features)
  fi
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

# cargo_tool NAME VERSION: builds a program from crates.io, once, and prints where it is. For what is part of no toolchain, and of
# which Debian, PyPI and npm have no version that would do.
cargo_tool() {
  local folder=$CACHE/tools/$1-$2
  if ! [ -x "$folder/bin/$1" ]; then
    CARGO_TARGET_DIR=$folder/build cargo install --quiet --locked --debug --root "$folder" "$1@$2" >&2 || return
    rm -rf "$folder/build"
  fi
  printf '%s\n' "$folder/bin/$1"
}

# pinned NAME: a version that the product pins, read where it stands.
pinned() {
  local version
  version=$(sed -n "s/^pub const $1: &str = \"\(.*\)\";\$/\1/p" src-tauri/crates/openclaw/src/install.rs)
  [ -n "$version" ] || die "no $1 in src-tauri/crates/openclaw/src/install.rs"
  printf '%s\n' "$version"
}
