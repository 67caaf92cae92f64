"""target/reliability.json: the figures of scripts/torture and scripts/mutants, each of which replaces its own."""

import datetime
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def target_directory() -> pathlib.Path:
    """Where cargo puts what it builds."""
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return pathlib.Path(json.loads(output)["target_directory"])


def write(script: str, options: dict, figures: list[dict]) -> None:
    """Writes the figures of a script, and what it was called with, beside those of the other."""
    path = target_directory() / "reliability.json"
    others = []
    if path.exists():
        others = json.loads(path.read_text(encoding="utf-8")).get("figures", [])
    own = [{"script": script, **figure} for figure in figures]
    record = {
        "command": f"{script} {' '.join(sys.argv[1:])}".strip(),
        **options,
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "figures": [*own, *[figure for figure in others if figure.get("script", script) != script]],
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
