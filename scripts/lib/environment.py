"""Runs a script with the packages that its PEP 723 header pins.

A script starts with a `# /// script` block and calls `environment.enter(__file__)` before it imports
anything that is not in the standard library. Where the running Python already has those versions (as
under `uv run`), nothing happens. Otherwise the script is started again from a virtual environment in
the cache directory, which is made, and given what it lacks, on first use.
"""

import importlib
import importlib.metadata
import os
import pathlib
import re
import subprocess
import sys
import venv

# Set for a script that was started again, to the environment's folder.
RESTARTED = "GRADSWEEP_ENVIRONMENT"


def pinned(script: str) -> list[str]:
    """The `name==version` entries of a script's PEP 723 header."""
    text = pathlib.Path(script).read_text(encoding="utf-8")
    block = re.search(r"^# /// script$(.*?)^# ///$", text, re.MULTILINE | re.DOTALL)
    if block is None:
        sys.exit(f"{script}: no `# /// script` block that names its packages")
    return re.findall(r'"([A-Za-z0-9_.-]+==[^"]+)"', block.group(1))


def is_installed(requirement: str) -> bool:
    """True where the running Python has exactly this version."""
    name, version = requirement.split("==")
    try:
        return importlib.metadata.version(name) == version
    except importlib.metadata.PackageNotFoundError:
        return False


def folder(name: str = "venv") -> pathlib.Path:
    """Where the environment lives: outside the repository, so that no clean-up of it costs a download."""
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(cache) / "gradsweep" / name


def enter(script: str, name: str = "venv") -> None:
    """Returns once the pinned packages can be imported, in this process or in one started for it.

    Scripts whose packages do not go together name an environment of their own.
    """
    if sys.version_info < (3, 11):
        sys.exit(f"{script}: needs Python 3.11 or newer, this is {sys.version.split()[0]}")
    missing = [requirement for requirement in pinned(script) if not is_installed(requirement)]
    if not missing:
        return
    if RESTARTED in os.environ:
        print(f"Installing {', '.join(missing)} into {os.environ[RESTARTED]}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *missing], check=True)
        importlib.invalidate_caches()
        return

    python = folder(name) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        print(f"Making a Python environment in {folder(name)}", file=sys.stderr)
        venv.create(folder(name), with_pip=True)
    inside = dict(os.environ, **{RESTARTED: str(folder(name))})
    sys.exit(subprocess.run([python, script, *sys.argv[1:]], env=inside).returncode)
