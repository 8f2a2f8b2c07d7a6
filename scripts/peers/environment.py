"""The two sides made ready, and what is worth knowing of the machine."""

import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import venv
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
REQUIREMENTS = FOLDER / "requirements.txt"
# Instruction sets that decide how fast products are, as Linux names them.
INSTRUCTION_SETS = ["avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_bf16", "amx_int8"]


class PeerError(Exception):
    """What went wrong and what to do about it, for the user."""


def output(*command):
    """What a command prints, or nothing where it is not there or fails."""
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def build_wan():
    # The flags of scripts/lib.sh, so that one build serves all scripts.
    flags = ["swift", "build", "-c", "release", "-debug-info-format", "none"]
    try:
        subprocess.run([*flags, "--product", "wan"], cwd=ROOT, check=True)
        folder = subprocess.run([*flags, "--show-bin-path"], cwd=ROOT, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise PeerError(f"cannot build wan ({error}); scripts/test checks what a build needs") from None
    return Path(folder.stdout.strip()) / "wan"


def peer_python():
    """The interpreter of the peers' virtual environment, which is made where it is not there."""
    folder = Path(os.environ.get("WAN_PEER_ENV") or ROOT / ".build" / "peers")
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"==> Making {folder}", flush=True)
        venv.create(folder, with_pip=True)
    if not install(python, REQUIREMENTS, "import torch, diffusers, transformers, accelerate"):
        raise PeerError(
            f"pip cannot install {REQUIREMENTS.relative_to(ROOT)}; the +cpu builds of torch lie in PyTorch's own "
            "index, which PIP_EXTRA_INDEX_URL or pip.conf must name. --sides ours measures without the peers"
        )
    return python


def install(python, requirements, check):
    """Installs what a file lists unless a line of Python runs; whether it runs now."""
    def runs():
        return subprocess.run([python, "-c", check], capture_output=True).returncode == 0

    if runs():
        return True
    print("==> Installing " + ", ".join(requirements.read_text().split()), flush=True)
    return subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements]).returncode == 0 and runs()


def missing_peers(python, sides):
    """Which of the sides' peers cannot be run here; what they lack is said, and the rest is measured."""
    who = {side.split("-")[0] for side in sides}
    found = {
        "openvino": "openvino" in who and no_openvino(python),
        "compiled": "compiled" in who and no_compiler(python),
    }
    for name, reason in found.items():
        if reason:
            print(f"{name}: left out: {reason}", flush=True)
    return frozenset(name for name, reason in found.items() if reason)


def no_openvino(python):
    requirements = FOLDER / "requirements-openvino.txt"
    if install(python, requirements, "import openvino, nncf"):
        return None
    return f"pip cannot install {requirements.relative_to(ROOT)}, see above"


def no_compiler(python):
    """What torch.compile lacks to build its C++, after an attempt to install a compiler, or None."""
    if not (os.environ.get("CXX") or shutil.which("g++")):
        if subprocess.run(["bash", "-c", "source scripts/lib.sh && install_missing g++"], cwd=ROOT).returncode:
            return "torch.compile needs g++, which cannot be installed, see above"
    where = "import os, sysconfig; print(os.path.join(sysconfig.get_paths()['include'], 'Python.h'))"
    header = output(python, "-c", where)
    return None if os.path.exists(header) else f"torch.compile needs {header}; install python3-dev (its Debian name)"


def session():
    """Machine, compiler and command line."""
    compiler = re.search(r"Swift version (\S+)", output("swift", "--version"))
    return dict(
        machine=machine(),
        swift=compiler.group(1) if compiler else "unknown",
        python=platform.python_version(),
        command=command_line(),
    )


def command_line():
    """As it was given, without the options that name files of this machine."""
    words = iter(sys.argv[1:])
    kept = ["scripts/bench-peers"]
    for word in words:
        if word in ("--wan", "--output"):
            next(words, None)
        elif not word.startswith(("--wan=", "--output=")):
            kept.append("FOLDER" if kept[-1] == "--model" else word)
    return shlex.join(kept)


def machine():
    facts = dict(re.findall(r"^([^:\n]+):\s*(.*)$", output("lscpu"), re.M))
    flags = facts.get("Flags", "").split()
    return dict(
        model=facts.get("Model name") or platform.processor() or platform.machine(),
        family=facts.get("CPU family", ""),
        cores=os.cpu_count(),
        sets=[name for name in INSTRUCTION_SETS if name in flags],
        cache=facts.get("L3 cache", "").split(" (")[0],
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        system=f"{platform.system()} {platform.machine()}",
    )


def commit():
    """The checkout's commit, marked where its sources differ from it."""
    changed = "+" if output("git", "status", "--porcelain", "--", "Sources", "Package.swift") else ""
    return output("git", "rev-parse", "--short=10", "HEAD") + changed
