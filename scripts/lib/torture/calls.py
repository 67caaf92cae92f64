"""Harm at a chosen system call, by strace: a kill before it, or an error in its place."""

import re
import typing

from .sandbox import Bench, Case, Sandbox

# What changes a file system. `openat` counts where it creates.
WRITING = (
    "openat write pwrite64 writev fsync fdatasync rename renameat renameat2 link linkat unlink unlinkat mkdir mkdirat rmdir "
    "ftruncate fallocate"
).split()
FILE = re.compile(r"/LOCK>")
LINE = re.compile(r"^(\d+) +(\w+)\((.*)$")


class Call(typing.NamedTuple):
    """A call that writes into the store: the `number`-th of its name in its thread."""

    name: str
    number: int
    text: str
    counts: dict[str, int]
    # The most calls of that name by any other thread, which wake their pools by writing.
    elsewhere: dict[str, int]


def trace(box: Sandbox, *arguments: str) -> list[Call]:
    """The calls in which a command changes the store, in order."""
    log = box.folder / "trace"
    wrap = ["strace", "-f", "-y", "-qq", "-s", "0", "-o", str(log), "-e", f"trace={','.join(WRITING)}"]
    box.run(*arguments, wrap=wrap)
    counts: dict[str, dict[str, int]] = {}
    calls = []
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        match = LINE.match(line)
        if match is None:
            continue
        thread, name, rest = match.groups()
        own = counts.setdefault(thread, {})
        own[name] = own.get(name, 0) + 1
        is_reading = name == "openat" and "O_CREAT" not in rest
        if not is_reading and (str(box.store) in rest or '"store' in rest):
            calls.append((thread, Call(name, own[name], rest.split(" = ")[0], dict(own), {})))
    log.unlink()
    for thread, call in calls:
        for other in counts.values():
            if other is not counts[thread]:
                for name, count in other.items():
                    call.elsewhere[name] = max(count, call.elsewhere.get(name, 0))
    return [call for _, call in calls]


def inject(box: Sandbox, call: Call, what: str, is_lasting: bool = False) -> list[str]:
    """The strace command that does `what` at a call, or to every writing call from it on."""
    wrap = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={','.join(WRITING)}"]
    if call.number <= call.elsewhere.get(call.name, 0) and FILE.search(call.text):
        # Other threads make as many such calls: only those on the lock's file, the one whose name is known, count.
        return [*wrap, "-P", str(box.store / "LOCK"), "-e", f"inject={call.name}:{what}:when=1{'+' if is_lasting else ''}"]
    if not is_lasting:
        return [*wrap, "-e", f"inject={call.name}:{what}:when={call.number}"]
    for name in WRITING:
        # Opening stays possible: a disk that is full still reads.
        if name != "openat" or call.name == "openat":
            first = max(call.counts.get(name, 0) + (name != call.name), call.elsewhere.get(name, 0) + 1)
            wrap += ["-e", f"inject={name}:{what}:when={first}+"]
    return wrap


def kills(bench: Bench) -> list[Case]:
    """kill -9 before every call that changes the store, in a first run and again while the rest is resumed."""
    calls = trace(bench.sandbox("trace"), "run", "sweep.toml", "--quiet")
    step = max(1, len(calls) // bench.size(24, len(calls)))
    chosen = calls[:: step]

    def judge(index: int, call: Call) -> Case:
        box = bench.sandbox(f"kill-{index}")
        outcome = box.run("run", "sweep.toml", "--quiet", wrap=inject(box, call, "signal=KILL"))
        name = f"kill before {call.name} #{call.number} {call.text}"
        if outcome.returncode == 0:
            return Case(name, "the process was not killed")
        complaint = bench.resumed(box)
        if not complaint and box.run("run", "sweep.toml", "--quiet").returncode != 0:
            complaint = "running it once more does not end with 0"
        box.clear()
        return Case(name, complaint)

    return bench.each(chosen, judge)


def errors(bench: Bench) -> list[Case]:
    """An error in place of every call that changes the store, once and from then on."""
    calls = trace(bench.sandbox("trace"), "run", "sweep.toml", "--quiet")
    # An error in the place of another thread's call, which wakes its pool, would not be a disk's.
    calls = [call for call in calls if call.number > call.elsewhere.get(call.name, 0) or FILE.search(call.text)]
    cases = []
    for error in ("ENOSPC", "EIO", "EDQUOT", "EMFILE", "EINTR"):
        for is_lasting in (False, True):
            # A call that is interrupted for ever is not a disk's fault.
            if not (error == "EINTR" and is_lasting):
                cases += [(call, error, is_lasting) for call in calls]
    step = max(1, len(cases) // bench.size(36, 10**9))
    offset = bench.rng("errors").randrange(step)

    def judge(index: int, case: tuple[Call, str, bool]) -> Case:
        call, error, is_lasting = case
        box = bench.sandbox(f"error-{index}")
        wrap = inject(box, call, f"error={error}", is_lasting)
        outcome = box.run("run", "sweep.toml", "--quiet", wrap=wrap)
        name = f"{error} {'from' if is_lasting else 'at'} {call.name} #{call.number} {call.text}"
        complaint = ""
        if "failed to wake I/O driver" in outcome.stderr:
            # How often pools wake each other differs from run to run: the error hit that, not the store. It has to go on.
            name += " (hit a thread's wake-up)"
        elif outcome.returncode not in (0, 4):
            complaint = f"ends with {outcome.returncode}: {outcome.stderr.strip()}"
        elif outcome.returncode == 4 and "store" not in outcome.stderr:
            complaint = f"the message names no path: {outcome.stderr.strip()}"
        elif outcome.returncode == 0 and (found := bench.whole.differences(box.store)):
            complaint = f"claims success: {found}"
        complaint = complaint or bench.resumed(box)
        box.clear()
        return Case(name, complaint)

    return bench.each(cases[offset::step], judge)


def box_is_clean(box: Sandbox) -> None:
    """Gives the scratch space back."""
    box.clear()
