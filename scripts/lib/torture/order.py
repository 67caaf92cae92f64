"""In which order the real program asks for writes to last: what the simulated power cuts take for granted."""

import pathlib
import re

from .sandbox import Bench, Case

CALL = re.compile(r"^(\d+)\s+(\w+)\((.*)\)\s+= 0\b")
DESCRIPTOR = re.compile(r"\d+<(.*)>$")


def syncs(bench: Bench) -> list[Case]:
    """Every file of a store is synced before it gets its name, and its folder right after, whatever the verb."""
    box = bench.sandbox("order")
    cases = []
    for verb in (["run", "sweep.toml", "--quiet"], ["refit", "store", "--trial", "1", "--data", "data.csv"], ["calibrate", "store"], ["report", "store"]):
        log = box.folder / "calls"
        trace = ["strace", "-f", "-y", "-qq", "-o", str(log), "-e", "trace=fsync,rename,renameat,renameat2"]
        outcome = box.run(*verb, wrap=trace)
        if outcome.returncode != 0:
            cases.append(Case(verb[0], f"ends with {outcome.returncode}: {outcome.stderr}"))
            continue
        cases += [case._replace(name=f"{verb[0]}: {case.name}") for case in judge(log)]
    return cases


def judge(log: pathlib.Path) -> list[Case]:
    """A case for every rename."""
    calls: dict[str, list[tuple[str, list[str]]]] = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        if found := CALL.match(line):
            arguments = [argument.strip() for argument in found[3].split(", ")]
            calls.setdefault(found[1], []).append((found[2], arguments))
    cases = []
    for own in calls.values():
        for place, (name, arguments) in enumerate(own):
            if name == "fsync":
                continue
            folder, temporary, target = renamed(name, arguments)
            before = synced(own[place - 1]) if place else ""
            after = synced(own[place + 1]) if place + 1 < len(own) else ""
            complaint = ""
            # A part that is set aside keeps its content, which was synced when it was written.
            if before != f"{folder}/{temporary}":
                complaint = f"{temporary} was renamed after {before or 'no sync'}"
            elif after != folder:
                complaint = f"{after or 'nothing'} was synced after the rename, not {folder}"
            cases.append(Case(target, complaint))
    return cases


def renamed(name: str, arguments: list[str]) -> tuple[str, str, str]:
    """Folder, old and new name of a rename."""
    if name == "rename":
        old, new = (pathlib.Path(argument.strip('"')) for argument in arguments[:2])
        return str(old.parent), old.name, new.name
    folder = DESCRIPTOR.match(arguments[0])
    return folder[1] if folder else "", arguments[1].strip('"'), arguments[3].strip('"')


def synced(call: tuple[str, list[str]]) -> str:
    """The path of an fsync."""
    name, arguments = call
    found = DESCRIPTOR.match(arguments[0]) if name == "fsync" else None
    return found[1] if found else ""
