# shellcheck shell=bash
# Sourced by scripts/quickstart and scripts/test: makes sure of what the build needs besides Rust, that is
# OpenBLAS, pkg-config and a C compiler. Installs only what is missing, with the system's package manager,
# and says so; on the second call it finds everything in place.

say() {
    printf '%s\n' "$*" >&2
}

fail() {
    say "error: $1"
    shift
    for hint in "$@"; do
        say "  help: $hint"
    done
    exit 1
}

# Runs a command with the rights to install packages.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        say "  sudo $*"
        sudo "$@"
    else
        fail "installing packages needs root, and there is no sudo" "run as root: $*"
    fi
}

# Homebrew keeps its OpenBLAS where pkg-config does not look by itself.
show_brew_openblas() {
    local prefix
    if command -v brew >/dev/null 2>&1 && prefix="$(brew --prefix openblas 2>/dev/null)"; then
        export PKG_CONFIG_PATH="$prefix/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
    fi
}

# The parts that are not there yet, one word each.
missing_parts() {
    local missing=""
    command -v cc >/dev/null 2>&1 || missing="$missing C-compiler"
    command -v pkg-config >/dev/null 2>&1 || missing="$missing pkg-config"
    pkg-config --exists openblas 2>/dev/null || missing="$missing OpenBLAS"
    printf '%s' "${missing# }"
}

install_parts() {
    if command -v apt-get >/dev/null 2>&1; then
        # A stale list of some other repository is no reason to stop.
        as_root apt-get update -q || say "  apt-get update failed; going on with the lists that are there"
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q libopenblas-dev pkg-config gcc libc6-dev
    elif command -v dnf >/dev/null 2>&1; then
        as_root dnf install -y openblas-devel pkgconf-pkg-config gcc
    elif command -v pacman >/dev/null 2>&1; then
        as_root pacman -S --needed --noconfirm openblas pkgconf gcc
    elif command -v brew >/dev/null 2>&1; then
        command -v cc >/dev/null 2>&1 || fail "there is no C compiler" "xcode-select --install"
        brew install openblas pkgconf
        show_brew_openblas
    else
        fail "no apt-get, dnf, pacman or brew to install $1 with" \
            "install OpenBLAS with its development files, pkg-config and a C compiler, then run this again"
    fi
}

# Where cargo puts what it builds, whichever of its settings says so.
target_directory() {
    cargo metadata --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
}

set_up() {
    # A fresh rustup is on the PATH only of shells started after it.
    if ! command -v cargo >/dev/null 2>&1 && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
        PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    fi
    command -v cargo >/dev/null 2>&1 ||
        fail "cargo is not installed" "install Rust from https://rustup.rs and run this again"

    show_brew_openblas
    local missing
    missing="$(missing_parts)"
    if [ -n "$missing" ]; then
        say "Installing what the build needs: $missing"
        install_parts "$missing" >&2
        missing="$(missing_parts)"
        [ -z "$missing" ] || fail "still missing after the installation: $missing" \
            "pkg-config --exists openblas and cc --version must both succeed"
    fi
    say "OpenBLAS $(pkg-config --modversion openblas), $(cargo --version)"
}
