"""Writes golden files: JSON with one problem per line, and the versions of everything that had a part in it."""

import importlib.metadata
import json
import pathlib
import platform

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "data" / "golden"


def versions(*packages: str) -> dict[str, str]:
    """Python's version and those of the packages."""
    found = {"python": platform.python_version()}
    return found | {name: importlib.metadata.version(name) for name in packages}


def write(name: str, about: str, made_with: dict[str, str], key: str, entries: list) -> None:
    """data/golden/NAME.json. Floats are written with the fewest digits that give the same float back."""
    head = {"about": about, "made_by": f"scripts/golden/{name}.py", "versions": made_with}
    lines = [f"  {json.dumps(field)}: {json.dumps(value)}," for field, value in head.items()]
    body = ",\n".join("    " + json.dumps(entry, separators=(",", ":")) for entry in entries)
    path = FOLDER / f"{name}.json"
    path.write_text("{\n" + "\n".join(lines) + f'\n  "{key}": [\n{body}\n  ]\n}}\n', encoding="utf-8")
    print(f"{path.relative_to(ROOT)}: {len(entries)} {key}, {path.stat().st_size / 1e3:.0f} kB")
