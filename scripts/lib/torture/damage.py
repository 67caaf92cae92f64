"""Stores that were damaged at rest: flipped bytes, cut and missing files."""

import json
import pathlib
import random
import shutil

from .sandbox import Bench, Case, Sandbox

# Every command that shows a number of a store.
READERS = (
    ["compare", "store", "--format", "json"],
    ["show", "store", "--format", "json"],
    ["show", "store", "best"],
    ["predict", "store", "--data", "data.csv", "--out", "scores.csv"],
)


def damaged(bench: Bench) -> list[Case]:
    """Damages one file of a finished store: readers say the same as before or name the file, and resuming makes it whole."""
    source = bench.scratch / "whole"
    sound = Sandbox(bench.program, source, bench.seed)
    expected = [answer(sound, reader) for reader in READERS]

    def judge(index: int, _: object) -> Case:
        rng = bench.rng("damage", index)
        box = bench.sandbox(f"damage-{index}")
        shutil.copytree(source / "store", box.store)
        # The model's card is the user's to edit.
        files = sorted(file for file in box.store.rglob("*") if file.is_file() and file.name != "README.md")
        victim = rng.choice(files)
        how = harm(victim, rng)
        name = f"case {index}: {victim.relative_to(box.store)} {how}"
        complaint = ""
        for reader, whole in zip(READERS, expected, strict=True):
            found = answer(box, reader)
            if found[0] == 0 and found != whole:
                complaint = complaint or f"{reader[0]} says something else and no error"
            elif found[0] not in (0, 2, 4):
                complaint = complaint or f"{reader[0]} ends with {found[0]}: {found[1]}"
        outcome = box.run("resume", "store", "--quiet")
        if outcome.returncode in (2, 3, 4):
            # A named error: what it advises is to run the config again, without a manifest that cannot be read.
            if not outcome.stderr.startswith("error: "):
                complaint = complaint or f"resume ends with {outcome.returncode} and no error: {outcome.stderr}"
            if "manifest.json" in outcome.stderr:
                (box.store / "manifest.json").unlink(missing_ok=True)
            outcome = box.run("run", "sweep.toml", "--quiet")
        if outcome.returncode != 0:
            complaint = complaint or f"going on ends with {outcome.returncode}: {outcome.stderr.strip()}"
        complaint = complaint or without_old_parts(bench.whole.differences(box.store))
        box.clear()
        return Case(name, complaint)

    return bench.each(list(range(bench.size(24, 500))), judge)


def answer(box: Sandbox, reader: list[str]) -> tuple[int, str]:
    """What a reader says; of predictions, the file."""
    scores = box.folder / "scores.csv"
    scores.unlink(missing_ok=True)
    outcome = box.run(*reader)
    if outcome.returncode != 0:
        return outcome.returncode, outcome.stderr
    if reader == READERS[1]:
        # The list of files tells of the damage itself.
        return 0, json.dumps({key: value for key, value in json.loads(outcome.stdout).items() if key != "files"})
    return 0, scores.read_text() if reader[0] == "predict" else outcome.stdout


def without_old_parts(differences: str) -> str:
    """Parts of a store that lost its manifest are kept under another name on purpose."""
    kept = [entry for entry in differences.split("; ") if not (entry.startswith("parts/") and ".old " in entry)]
    return "; ".join(kept)


def harm(file: pathlib.Path, rng: random.Random) -> str:
    """Damages a file; says how."""
    content = bytearray(file.read_bytes())
    way = rng.choice(["flip", "flip", "flip", "cut", "zeros", "gone", "longer"])
    at = rng.randrange(max(1, len(content)))
    if way == "flip" and content:
        bit = 1 << rng.randrange(8)
        content[at] ^= bit
        way = f"byte {at} ^ {bit}"
    elif way == "cut":
        del content[at:]
        way = f"cut to {at}"
    elif way == "zeros":
        end = min(len(content), at + 512)
        content[at:end] = bytes(end - at)
        way = f"zeros from {at} to {end}"
    elif way == "longer":
        content += rng.randbytes(64)
    file.unlink()
    if way != "gone":
        file.write_bytes(content)
    return way
