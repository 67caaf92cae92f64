"""A sweep of a hundred thousand runs on next to no data: what does not grow with the runs, and how fast they are read."""

import json
import signal
import subprocess
import time

from .sandbox import ENVIRONMENT, PATIENCE, Bench, Case, Sandbox

CONFIG = """version = 1
[data]
train = "data.csv"
target = "late"
exclude = ["kind"]
[train]
solver = "sgd"
epochs = 2
batch_rows = 64
[validation]
folds = 5
[sweep.parameters]
model.C = {{ min = 1.0, max = 1e4, num = {values}, log = true }}
train.learning_rate = {{ min = 1e-3, max = 0.1, num = {rates}, log = true }}
[output]
dir = "store"
"""
MOST_FILES = 50
COMPARE_SECONDS = 2.0
START_SECONDS = 0.5
# The quickest of several is the one that least disturbed it.
TRIES = 5


def runs(bench: Bench) -> list[Case]:
    """At most 50 files, `compare` within 2 s, and training goes on, or has nothing to do, within 0.5 s of `resume`."""
    config = CONFIG.format(values=bench.size(40, 200), rates=100)
    box = bench.sandbox("many", config)
    cases = []

    def case(name: str, value: float, limit: float) -> None:
        complaint = "" if value <= limit else f"{value:.2f}, and {limit:.2f} are allowed"
        cases.append(Case(f"{name}: {value:.2f}", complaint))

    begin = box.start("run", "sweep.toml", "--quiet", "--log", "log.jsonl")
    if stopped := stop_in_training(box, begin):
        return [Case("stopping it", stopped)]
    case("seconds until a stopped sweep trains", min(seconds_to_train(box) for _ in range(TRIES)), bench.within(START_SECONDS))
    outcome = box.finish()
    if outcome.returncode != 0:
        return [*cases, Case("going on", outcome.stderr)]
    files = sum(1 for path in box.store.rglob("*") if path.is_file())
    case("files", files, MOST_FILES)
    for verb, limit in ((["compare", "store"], COMPARE_SECONDS), (["resume", "store", "--quiet"], START_SECONDS)):
        case(f"seconds of {verb[0]}", min(seconds_of(box, verb) for _ in range(TRIES)), bench.within(limit))
    return cases


def stop_in_training(box: Sandbox, process: subprocess.Popen) -> str:
    """Interrupts a sweep when its first epochs have ended; says what is wrong."""
    log = box.folder / "log.jsonl"
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        if log.exists() and '"epoch_finished"' in log.read_text(encoding="utf-8"):
            process.send_signal(signal.SIGINT)
            break
        time.sleep(0.01)
    _, said = process.communicate()
    return "" if process.returncode == 75 else f"ended with {process.returncode}: {said}"


def seconds_to_train(box: Sandbox) -> float:
    """From the start of `resume` to the moment at which the runs to train are known; what it trains then is lost."""
    log = box.folder / "log.jsonl"
    log.unlink(missing_ok=True)
    start = time.monotonic()
    process = box.start("resume", "store", "--quiet", "--log", "log.jsonl")
    seconds = float("inf")
    while process.poll() is None:
        if log.exists() and any(event(line) == "planned" for line in log.read_text(encoding="utf-8").splitlines()):
            seconds = time.monotonic() - start
            break
        time.sleep(0.002)
    process.kill()
    process.communicate()
    return seconds


def event(line: str) -> str:
    """What a line of the log tells; nothing of one that is being written."""
    try:
        return json.loads(line)["event"]
    except json.JSONDecodeError:
        return ""


def seconds_of(box: Sandbox, verb: list[str]) -> float:
    """What a command takes."""
    start = time.monotonic()
    outcome = subprocess.run(
        [str(box.program), *verb], cwd=box.folder, env=ENVIRONMENT, capture_output=True, timeout=PATIENCE, check=False
    )
    return time.monotonic() - start if outcome.returncode == 0 else float("inf")
