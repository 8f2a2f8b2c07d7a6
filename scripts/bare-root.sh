# shellcheck shell=bash
# A root folder with nothing but the least of this machine's distribution, to try packages in. Sourced after lib.sh.
#
# Mounts are made in a namespace of their own and vanish with the command that needs them.

bare_roots=${root:?is set by lib.sh}/.build/bare-root
bare_root=

# Says why no bare root can be made here, or nothing.
bare_root_obstacle() {
  if (($(id -u) != 0)); then
    echo "making one needs root"
  elif ! command -v apt-get >/dev/null; then
    echo "it is made of Debian or Ubuntu, and this is neither"
  elif ! unshare --mount --pid --fork true 2>/dev/null; then
    echo "mounting is not allowed here"
  fi
}

# The address and suite that apt takes this distribution's packages from.
host_mirror() {
  # shellcheck source=/dev/null
  suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
  # shellcheck disable=SC2016
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
    awk -v suite="$suite" '$2 == suite { print $1; exit }')
  [[ -n $mirror ]] || fail "apt has no source of $suite; 'apt-get indextargets' shows what it has"
  components=main
  [[ ! $mirror =~ ubuntu|ports ]] || components="main universe"
}

# Lets apt in the root fetch as it does here: the same mirror, proxies, checks and passwords.
configure_apt() {
  echo "deb $mirror $suite $components" >"$base/etc/apt/sources.list"
  apt-config dump | grep -E '^Acquire::(http|https|ftp|Check|Retries|Force)' >"$base/etc/apt/apt.conf.d/99host" || true
  cp -a /etc/apt/auth.conf.d "$base/etc/apt/" 2>/dev/null || true
  cp -a /etc/apt/trusted.gpg.d "$base/etc/apt/" 2>/dev/null || true
  cp /etc/resolv.conf /etc/hosts "$base/etc/" 2>/dev/null || true
  if [[ -f /etc/ssl/certs/ca-certificates.crt ]]; then
    install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$base/etc/ssl/certs/ca-certificates.crt"
  fi
}

# Makes the root that the others are copies of, once.
make_base() {
  local log=$bare_roots/log
  [[ ! -e $base.complete ]] || return 0
  install_missing debootstrap
  say "Making a bare root of $suite in $base"
  rm -rf "$base"
  mkdir -p "$base"
  local http_proxy=${http_proxy:-}
  eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
  http_proxy=$http_proxy debootstrap --variant=minbase --components="${components// /,}" "$suite" "$base" "$mirror" \
    >"$log" 2>&1 || fail "debootstrap failed: $(tail -n 3 "$log")"
  configure_apt
  touch "$base.complete"
}

# Sets `bare_root` to a fresh root that may be written to, and `base` to what it is a copy of.
make_bare_root() {
  local suite mirror components
  host_mirror
  base=$bare_roots/$suite
  make_base
  bare_root=$bare_roots/trial
  rm -rf "$bare_root"
  cp -a --reflink=auto "$base" "$bare_root"
  apt_in_root update
}

# Runs a command in the bare root, with its own /proc.
in_bare_root() {
  # shellcheck disable=SC2016
  unshare --mount --pid --fork --kill-child sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' \
    "$bare_root" "$@"
}

# Packages that were fetched are kept with the base for the next time.
apt_in_root() {
  local log=$bare_roots/log
  in_bare_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
    apt-get -q -y --no-install-recommends "$@" >"$log" 2>&1 ||
    fail "apt-get $* failed in the bare root: $(tail -n 20 "$log")"
  cp -n "$bare_root"/var/cache/apt/archives/*.deb "$base/var/cache/apt/archives/" 2>/dev/null || true
}

drop_bare_root() {
  [[ -z $bare_root ]] || rm -rf "$bare_root"
}
