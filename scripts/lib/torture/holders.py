"""Many processes that want one directory."""

import socket
import time

from .sandbox import CONFIG, Bench, Case, Sandbox

PROCESSES = 8
# Seconds within which a process that came second says so.
AT_ONCE = 1.0
# Never reached: the winner is killed.
EPOCHS = 2_000_000


def many(bench: Bench) -> list[Case]:
    """Eight processes at once: one goes on, seven say who it is; it is killed, and the next eight find nothing to clean."""
    box = bench.sandbox("holders", CONFIG.format(epochs=EPOCHS))
    return [Case(f"round {number}", one_round(box, bench.within(AT_ONCE))) for number in range(bench.size(3, 50))]


def one_round(box: Sandbox, limit: float) -> str:
    """One round, whose losers end within so many seconds; says what went wrong."""
    start = time.monotonic()
    processes = [box.start("run", "sweep.toml", "--quiet") for _ in range(PROCESSES)]
    ended: dict[int, float] = {}
    while len(ended) < PROCESSES - 1 and time.monotonic() - start < 30:
        for process in processes:
            if process.pid not in ended and process.poll() is not None:
                ended[process.pid] = time.monotonic() - start
        time.sleep(0.002)
    winners = [process for process in processes if process.poll() is None]
    for winner in winners:
        winner.kill()
    said = {process.pid: process.communicate()[1] for process in processes}
    if len(winners) != 1:
        return f"{len(winners)} processes hold the directory: {[process.returncode for process in processes]}"
    holder = f"process {winners[0].pid} on {socket.gethostname()}"
    for process in processes:
        if process is winners[0]:
            continue
        if process.returncode != 5:
            return f"a loser ends with {process.returncode}: {said[process.pid]}"
        if holder not in said[process.pid]:
            return f"a loser does not name {holder}: {said[process.pid]}"
    slowest = max(ended.values())
    return f"the slowest loser took {slowest:.2f} s" if slowest > limit else ""
