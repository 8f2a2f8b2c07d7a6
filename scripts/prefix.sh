# shellcheck shell=bash
# What scripts/install and scripts/uninstall share: the prefix, and the list of what was installed below it.
# Sourced after lib.sh.

: "${caller:?is the folder that the script was called from}"

# The list, below the prefix. A line is a file, or a folder that the installation made: those end with a slash, and the
# prefix itself and those above it are ./, ../ and so on.
manifest=share/swift-wan/installed

# read_prefix [PREFIX]: sets `prefix`, absolute, and `target`, the folder that stands for it now (empty for /).
read_prefix() {
  if [[ ${1:-} == -h || ${1:-} == --help ]]; then
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
    exit 0
  fi
  (($# <= 1)) || fail "one PREFIX at most, but $# arguments were given; put a name with spaces into quotes"
  if (($# == 1)); then
    prefix=$1
  elif (($(id -u) == 0)); then
    prefix=/usr/local
  else
    prefix=${HOME:?is not set, so name a PREFIX}/.local
  fi
  [[ -n $prefix ]] || fail "PREFIX is empty"
  [[ $prefix != -* ]] || fail "unknown option '$prefix'; the only argument is PREFIX"
  [[ $prefix == /* ]] || prefix=$caller/$prefix
  prefix=$(realpath -ms -- "$prefix")
  target=$prefix
  if [[ -n ${DESTDIR:-} ]]; then
    [[ $DESTDIR == /* ]] || DESTDIR=$caller/$DESTDIR
    target=$(realpath -ms -- "$DESTDIR/$prefix")
  fi
  [[ $target != / ]] || target=
}

# A folder on the way to the prefix, or below it, as the list names it.
from_prefix() {
  local folder=$1 name=./ above=${target:-/}
  if [[ $folder == "$target"/* ]]; then
    printf '%s/\n' "${folder#"$target"/}"
    return
  fi
  while [[ $above != "$folder" ]]; do
    above=$(dirname "$above")
    if [[ $name == ./ ]]; then name=../; else name=../$name; fi
  done
  printf '%s\n' "$name"
}

# Sets `installed`, the files, and `made`, the folders, as the list of an installation has them; both empty without one.
# A list with names that lead out of the prefix is refused.
read_manifest() {
  local line
  installed=() made=()
  [[ -e $target/$manifest ]] || return 0
  while IFS= read -r line || [[ -n $line ]]; do
    [[ $line =~ ^(\.\./)+$ || ! /$line/ =~ /\.\./ && $line != /* ]] ||
      fail "$target/$manifest is damaged: '$line' leads out of the prefix"
    case $line in
    '' | '#'*) ;;
    */) made+=("$line") ;;
    *) installed+=("$line") ;;
    esac
  done <"$target/$manifest"
  was_made=("${made[@]}")
}

is_installed() {
  local name
  for name in "${installed[@]}"; do
    [[ $name != "$1" ]] || return 0
  done
  return 1
}

# write_manifest FILE...: the files, the folders of an earlier installation, and those `made` now. `new` names what is
# not in place yet.
write_manifest() {
  new=$(mktemp "$target/$manifest.XXXXXX")
  {
    printf '# What scripts/install of swift-wan put below this prefix; scripts/uninstall goes by it.\n'
    printf '%s\n' "$@" "${was_made[@]}" "${made[@]}" | sed '/^$/d' | LC_ALL=C sort -u
  } >"$new"
  chmod 644 "$new"
  mv -f "$new" "$target/$manifest"
}
