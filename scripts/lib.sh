# shellcheck shell=bash
# What the scripts share; they source it. Sets `root`, the checkout's folder, and goes there.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# How everything is built here, so that one build's objects serve the next. Nothing reads the debugger's information.
# shellcheck disable=SC2034  # for those who source this
release=(-c release -debug-info-format none)

say() { printf '==> %s\n' "$*"; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Stops unless a Swift compiler of 6.2 or later is on the path.
need_swift() {
  command -v swift >/dev/null || fail "swift is not on the path; install Swift 6.2 or later from https://swift.org/install"
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
  local major=${version%%.*} minor=${version##*.}
  if [[ -z $version ]] || ((major < 6 || (major == 6 && minor < 2))); then
    fail "Swift ${version:-of an unknown version} is too old; install 6.2 or later from https://swift.org/install"
  fi
  say "Swift $version"
}

has_onednn() {
  local compiler
  for compiler in clang cc gcc; do
    command -v "$compiler" >/dev/null || continue
    printf '#include <dnnl.h>\n' | "$compiler" -E -x c - >/dev/null 2>&1
    return
  done
  [[ -f /usr/include/dnnl.h || -f /usr/local/include/dnnl.h ]]
}

# Runs a command as root: as it is, or through sudo.
as_root() {
  if (($(id -u) == 0)); then
    "$@"
  else
    sudo "$@"
  fi
}

# install_missing COMMAND...: installs oneDNN and each command where it is not there. A command is named like its
# package, or COMMAND:PACKAGE.
install_missing() {
  local missing=() name
  has_onednn || missing+=(libdnnl-dev)
  for name in "$@"; do
    command -v "${name%%:*}" >/dev/null || missing+=("${name##*:}")
  done
  if ((${#missing[@]} == 0)); then
    say "Found oneDNN, ${*%%:*}"
    return
  fi
  if ! command -v apt-get >/dev/null; then
    fail "missing: ${missing[*]} (the Debian names); install them (Homebrew: brew install onednn ffmpeg) and run this again"
  fi
  if (($(id -u) != 0)) && ! command -v sudo >/dev/null; then
    fail "missing: ${missing[*]}; run 'apt-get install ${missing[*]}' as root, then run this again"
  fi
  say "Installing ${missing[*]}"
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}
