# shellcheck shell=bash
# What scripts/install and scripts/package share: the command as it is shipped, and the tree of files around it.
# Sourced after lib.sh.

# Runs a command as who called sudo, so that nothing in .build comes to belong to root; otherwise as it is.
as_caller() {
  if (($(id -u) == 0)) && [[ ${SUDO_UID:-0} != 0 ]]; then
    sudo -u "#$SUDO_UID" -- env PATH="$PATH" "$@"
  else
    "$@"
  fi
}

# Sets `version`, from the one place that has it.
read_version() {
  version=$(sed -n 's/^ *static let current = "\(.*\)"$/\1/p' Sources/WanCommands/CommandLineTool.swift)
  [[ $version =~ ^[0-9]+(\.[0-9]+)+([.+~-][0-9A-Za-z.+~-]+)?$ ]] ||
    fail "SoftwareVersion.current in Sources/WanCommands/CommandLineTool.swift is no version: '$version'"
}

need_linux() {
  [[ $(uname -s) == Linux ]] || fail "installing and packaging are written for Linux; 'swift build -c release' works"
}

# Sets `runtime` to the flags that link Foundation's libraries as they are, in whatever order they need each other.
# --static-swift-stdlib knows them as well, but compiles every module anew for them.
find_static_runtime() {
  local folder library
  folder=$(swiftc -static-stdlib -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')/linux
  [[ -f $folder/libFoundation.a ]] || fail "this Swift has no static libraries: there is no $folder/libFoundation.a"
  runtime=(-Xlinker --start-group)
  for library in "$folder"/lib*Foundation*.a; do runtime+=(-Xlinker "$library"); done
  runtime+=(-Xlinker --end-group -Xlinker -lstdc++)
}

# Builds the command and sets `binary`. The Swift runtime is linked into it, and it looks for libraries in the system's
# places alone: no folder of the compiler, and not the folder that it lies in.
build_shipped() {
  local runtime flags
  find_static_runtime
  flags=("${release[@]}" --product wan --disable-local-rpath "${runtime[@]}")
  flags+=(-Xlinker -s -Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now)
  say "Building wan (release; the first build takes some minutes)"
  as_caller env WAN_STATIC=1 swift build "${flags[@]}"
  binary=$(as_caller env WAN_STATIC=1 swift build "${flags[@]}" --show-bin-path)/wan
  [[ -x $binary ]] || fail "the build left no command in $binary"
}

# The model's files, by their published names: caches that runs leave beside them stay behind.
model_files() {
  printf '%s\n' README.md sheet.png first_frame.png config.json generation_config.json cinematography.json preview.json \
    diffusion_pytorch_model.safetensors Wan2.2_VAE.pth models_t5_umt5-xxl-enc-bf16.pth
  find Models/nano-ti2v/google/umt5-xxl -type f | sed 's|^Models/nano-ti2v/||'
}

# stage_tree FOLDER ZSH: lays out everything below FOLDER as it goes below a prefix; ZSH is where zsh's completion goes.
stage_tree() {
  local tree=$1 zsh=$2 name
  install -D -m 755 "$binary" "$tree/bin/wan"
  while IFS= read -r name; do
    install -D -m 644 "Models/nano-ti2v/$name" "$tree/share/swift-wan/nano-ti2v/$name"
  done < <(model_files)
  stage_completion "$tree/share/bash-completion/completions/wan" bash
  stage_completion "$tree/$zsh/_wan" zsh
  stage_completion "$tree/share/fish/vendor_completions.d/wan.fish" fish
  mkdir -p "$tree/share/man/man1"
  scripts/manual "$binary" "$tree/share/man/man1"
  for name in LICENSE README.md CHANGELOG.md; do
    install -D -m 644 "$name" "$tree/share/doc/swift-wan/$name"
  done
  chmod -R u=rwX,go=rX "$tree"
}

# A shell reads these files and does not run them: the line that names an interpreter is left out.
stage_completion() {
  mkdir -p "$(dirname "$1")"
  "$binary" --generate-completion-script "$2" | sed '1{/^#!/d;}' >"$1"
}
