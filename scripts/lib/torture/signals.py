"""Signals that ask a sweep to stop."""

import signal
import subprocess
import time

from .kills import KINDS, kind_of, undisturbed
from .sandbox import CONFIG, Bench, Case, Sandbox

# Seconds within which a sweep that was asked to stop has stopped.
PROMPT = 2.0
# And one that was interrupted twice.
AT_ONCE = 0.5


def asked(bench: Bench) -> list[Case]:
    """SIGINT, SIGTERM or SIGUSR1 at a random time: 75 within two seconds, and the rest gives the same; SIGINT twice: 130."""
    kinds = undisturbed(bench)

    def judge(index: int, _: object) -> Case:
        rng = bench.rng("signals", index)
        kind = kind_of(index)
        whole, duration = kinds[kind]
        box = bench.sandbox(f"signal-{index}", KINDS[kind])
        chosen = rng.choice([signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
        name = f"case {index}, {kind}: {chosen.name}"
        process = box.start("run", "sweep.toml", "--quiet")
        complaint = stop(process, chosen, rng.uniform(0.1, 1.0) * duration, bench.within(PROMPT))
        if not complaint:
            rest = box.finish()
            complaint = whole.differences(box.store) if rest.returncode == 0 else f"{rest.returncode}: {rest.stderr}"
        box.clear()
        return Case(name, complaint)

    cases = bench.each(list(range(bench.size(6, 50))), judge)
    return [*cases, Case("SIGINT twice", twice(bench.sandbox("twice", CONFIG.format(epochs=2_000_000)), bench))]


def stop(process: subprocess.Popen, which: signal.Signals, seconds: float, limit: float) -> str:
    """Sends a signal after so many seconds; says what is wrong with the end of the process."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(which)
    sent = time.monotonic()
    said = process.communicate()[1]
    took = time.monotonic() - sent
    if process.returncode not in (0, 75) and process.returncode != -which:
        return f"ends with {process.returncode}: {said}"
    if process.returncode == 75 and "resume" not in said and "goes on" not in said:
        return f"does not say how to go on: {said}"
    return f"took {took:.2f} s" if took > limit else ""


def twice(box: Sandbox, bench: Bench) -> str:
    """Interrupts a sweep twice. One that stops in order before the second signal reaches it ends with 75."""
    process = box.start("run", "sweep.toml", "--quiet")
    deadline = time.monotonic() + 20
    while not (box.store / "manifest.json").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    sent = time.monotonic()
    # Both may arrive as one: the second is sent until the process has gone.
    while process.poll() is None and time.monotonic() - sent < bench.within(PROMPT):
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)
    took = time.monotonic() - sent
    said = process.communicate()[1]
    if process.returncode not in (75, 130):
        return f"ends with {process.returncode}: {said}"
    return f"took {took:.2f} s" if took > bench.within(AT_ONCE) else ""
