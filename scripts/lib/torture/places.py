"""Where a store lies, and what its names try."""

import os
import pathlib
import re
import shutil

from .sandbox import CONFIG, Bench, Case, Sandbox

FOLDERS = ["with spaces and (brackets)", "Überprüfung 試験 тест", "x" * 200, "a'b\"c$HOME`id`;ls", "-dash", "a\nline"]

# A store on a disk that takes no writes: 0 for every reader and where there is nothing to do, 4 where there is something.
READ_ONLY = """
mount --bind store store && mount -o remount,ro,bind store || exit 97
for verb in 'compare store' 'show store' 'predict store --data data.csv --out scores.csv' 'run sweep.toml' 'resume store'; do
    "$0" $verb >/dev/null 2>err || { echo "$verb ends with $?: $(cat err)"; exit 1; }
done
"$0" run sweep.toml --set 'sweep.parameters.model.C=[0.1,1.0,10.0]' >/dev/null 2>err
[ $? -eq 4 ] || { echo "more values on a read-only disk: $(cat err)"; exit 1; }
grep -q store err || { echo "no path in: $(cat err)"; exit 1; }
"""

ESCAPES = ["\x1b[31mred", "\x1b]0;title\x07", "a\rb", "a\tb", "\u202eabc", "\x9b31m", "=1+1", "@SUM(A1)", "-2+3", "<script>alert(1)</script>"]
PATHS = ["../../escaped", "/tmp/escaped", "..", "a/../../escaped", "..\\escaped", "%2e%2e%2fescaped", "C:\\escaped", "\x00nul", "con"]


def odd(bench: Bench) -> list[Case]:
    """Odd places: folders with strange names, a store that was moved half way, a disk that takes no writes."""
    cases = []
    for folder in FOLDERS:
        box = Sandbox(bench.program, bench.scratch / "odd" / folder, bench.seed)
        outcome = box.run("run", "sweep.toml", "--quiet")
        complaint = outcome.stderr if outcome.returncode else bench.whole.differences(box.store)
        complaint = complaint or bench.resumed(box)
        cases.append(Case(f"in {folder!r}", complaint))
    cases.append(Case("moved when half done", moved(bench)))
    box = bench.sandbox("read-only")
    shutil.copytree(bench.scratch / "whole" / "store", box.store)
    outcome = box.run(wrap=["unshare", "--mount", "--map-root-user", "sh", "-c", READ_ONLY])
    cases.append(Case("read-only", outcome.stdout + outcome.stderr if outcome.returncode else ""))
    return cases


def moved(bench: Bench) -> str:
    """A store that lost its tables and a part, resumed in another place."""
    box = bench.sandbox("moved")
    shutil.copytree(bench.scratch / "whole" / "store", box.store)
    (box.store / "trials.parquet").unlink()
    sorted((box.store / "parts").glob("*.parquet"))[-1].unlink()
    shutil.rmtree(box.store / "models")
    elsewhere = box.folder / "moved to" / "another place"
    elsewhere.parent.mkdir()
    box.store.rename(elsewhere)
    outcome = box.run("resume", str(elsewhere), "--quiet")
    if outcome.returncode != 0:
        return f"ends with {outcome.returncode}: {outcome.stderr}"
    if box.store.exists():
        return "something was written to the old place"
    return bench.whole.differences(elsewhere)


def hostile(bench: Bench) -> list[Case]:
    """Names that try to be paths or to speak to the terminal, and links that lead out of a store."""
    cases = []
    for number, text in enumerate(ESCAPES):
        cases.append(Case(f"column and label {text!r}", escape(bench, number, text)))
    for number, text in enumerate(PATHS):
        cases.append(Case(f"name {text!r}", path(bench, number, text)))
    for victim in ("manifest.json", "plan.parquet", "trials.parquet", "parts/00001.parquet", "models/best/model.json", "resolved.toml"):
        for kind in ("link", "pipe"):
            cases.append(Case(f"{kind} in place of {victim}", link(bench, victim, kind)))
    return cases


def escape(bench: Bench, number: int, text: str) -> str:
    """A column, a level and a label with this text."""
    box = bench.sandbox(f"escape-{number}", CONFIG.format(epochs=2).replace('"late"', '"the target"'))
    quoted = '"' + text.replace('"', '""') + '"'
    rows = [f"{i % 7},{quoted if i % 3 else 'plain'},{quoted if (i * 7) % 5 < 2 else 'other'}" for i in range(90)]
    content = f"{quoted},kind,the target\n" + "\n".join(rows) + "\n"
    (box.folder / "data.csv").write_text(content, encoding="utf-8", newline="")
    commands = (
        ["run", "sweep.toml"],
        ["show", "store", "best"],
        ["compare", "store"],
        ["explain", "store", "--row", "1"],
        ["run", "sweep.toml", "--set", f"data.target={text}"],
        ["show", text],
    )
    for command in commands:
        if "\x00" in "".join(command):
            continue
        outcome = box.run(*command)
        if outcome.returncode not in (0, 1, 2, 3, 4):
            return f"{command[0]} ends with {outcome.returncode}: {outcome.stderr}"
        for stream in (outcome.stdout, outcome.stderr):
            found = {character for character in stream if is_control(character)}
            if found:
                return f"{command[0]} prints {sorted(found)!r}"
    return ""


def is_control(character: str) -> bool:
    """Whether a terminal could obey it."""
    code = ord(character)
    return (code < 32 and character != "\n") or 127 <= code < 160 or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069


def path(bench: Bench, number: int, text: str) -> str:
    """A sweep whose name wants to lie somewhere else."""
    box = bench.sandbox(f"path-{number}/below/below")
    config = CONFIG.format(epochs=2).replace('dir = "store"', 'dir = "sweeps/{name}"')
    escaped = text.replace("\\", "\\\\").replace("\x00", "\\u0000")
    (box.folder / "sweep.toml").write_text(f'name = "{escaped}"\n{config}', encoding="utf-8")
    outcome = box.run("run", "sweep.toml", "--quiet")
    if outcome.returncode not in (0, 2):
        return f"ends with {outcome.returncode}: {outcome.stderr}"
    top = bench.scratch / f"path-{number}"
    written = [entry for entry in top.rglob("*") if entry.is_file() and box.folder / "sweeps" not in entry.parents]
    outside = {str(entry.relative_to(top)) for entry in written} - {"below/below/data.csv", "below/below/sweep.toml"}
    if outside or pathlib.Path("/tmp/escaped").exists():
        return f"wrote {outside}"
    return ""


def link(bench: Bench, victim: str, kind: str) -> str:
    """A file of a store replaced by a link to a copy outside, or by a pipe that nobody writes to."""
    box = bench.sandbox("link")
    shutil.copytree(bench.scratch / "whole" / "store", box.store)
    file = box.store / victim
    outside = box.folder / "outside"
    shutil.copyfile(file, outside)
    file.unlink()
    if kind == "link":
        file.symlink_to(outside)
    else:
        os.mkfifo(file)
    before = outside.read_bytes()
    if victim.startswith("parts/"):
        # Without a table, the parts are read.
        (box.store / "trials.parquet").unlink()
    refusals = 0
    for command in (["compare", "store"], ["show", "store"], ["predict", "store", "--data", "data.csv", "--out", "s.csv"], ["resume", "store", "--quiet"]):
        outcome = box.run(*command)
        if outcome.returncode not in (0, 2, 4):
            return f"{command[0]} ends with {outcome.returncode}: {outcome.stderr}"
        refusals += outcome.returncode != 0
    if outside.read_bytes() != before:
        return "the file outside was written to"
    return "" if refusals or not file.is_symlink() else "was followed out of the store"


def sockets(bench: Bench) -> list[Case]:
    """No verb opens a socket."""
    box = bench.sandbox("sockets")
    verbs = [
        ["run", "sweep.toml"],
        ["resume", "store"],
        ["check", "sweep.toml"],
        ["plan", "sweep.toml"],
        ["compare", "store"],
        ["show", "store", "best"],
        ["list", "."],
        ["explain", "store", "--row", "1"],
        ["predict", "store", "--data", "data.csv", "--out", "s.parquet"],
        ["evaluate", "store", "--data", "data.csv"],
        ["refit", "store", "--trial", "1"],
        ["gradcheck"],
        ["doctor"],
    ]
    cases = []
    for verb in verbs:
        log = box.folder / "sockets"
        outcome = box.run(*verb, wrap=["strace", "-f", "-qq", "-o", str(log), "-e", "trace=socket,connect,bind,sendto"])
        # strace also notes threads that it lets go of.
        calls = [line for line in log.read_text().splitlines() if re.search(r"\b(socket|connect|bind|sendto)\(", line)]
        opened = "; ".join(calls)
        complaint = f"ends with {outcome.returncode}: {outcome.stderr}" if outcome.returncode not in (0, 2) else ""
        cases.append(Case(" ".join(verb), opened or complaint))
    return cases
