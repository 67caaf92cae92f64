"""Jobs on 20,000,000 x 28 rows: one epoch straight from Parquet, and the same under a memory limit.

Needs some 7 GB of disk: the table, its prepared rows in a cache of their own, and a file that measures the disk.
"""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import threading
import time

ROWS = 20_000_000
LIMIT = 512 << 20

EPOCH = """
version = 1
[data]
train = "{table}"
target = "y"
[train]
solver = "sgd"
momentum = 0.9
batch_rows = 4096
epochs = {epochs}
[validation]
strategy = "none"
[metrics]
report = ["log_loss"]
[output]
save_models = "none"
[sweep.parameters]
train.learning_rate = {{ min = 1e-3, max = 0.3, num = {rates}, log = true }}
model.C = {{ min = 1e-4, max = 1e3, num = {strengths}, log = true }}
"""


def epoch(table, rates, strengths, epochs=1):
    """A config of rates x strengths runs of some epochs."""
    return EPOCH.format(table=table, rates=rates, strengths=strengths, epochs=epochs)


def run(program, config, folder, environment, *sets):
    """One run: what it answers, seconds from start to exit, and the most anonymous memory it had."""
    path, store = folder / "job.toml", folder / "store"
    path.write_text(config, encoding="utf-8")
    shutil.rmtree(store, ignore_errors=True)
    command = [program, "run", str(path), "--set", f"output.dir={store}", "--format", "json", "--quiet"]
    command += [word for one in sets for word in ("--set", one)]
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    most = [0]

    def watch():
        while process.poll() is None:
            try:
                for line in pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines():
                    if line.startswith("RssAnon:"):
                        most[0] = max(most[0], int(line.split()[1]) * 1024)
            except OSError:
                return
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, err = process.communicate()
    watcher.join()
    seconds = time.perf_counter() - start
    if process.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{err}")
    return json.loads(out), seconds, most[0]


def tables(folder):
    """A hash per table of a store, without what measures time."""
    import polars as pl

    found = {}
    for path in sorted((folder / "store").glob("*.parquet")):
        frame = pl.read_parquet(path)
        kept = [name for name in frame.columns if "seconds" not in name]
        found[path.name] = hashlib.sha256(frame.select(kept).write_csv().encode()).hexdigest()
    return found


def disk_rates(folder, size=1 << 30):
    """Bytes per second that the disk writes and, its pages dropped from memory, reads."""
    path, block = folder / "disk", os.urandom(1 << 24)
    start = time.perf_counter()
    with open(path, "wb") as file:
        for _ in range(size // len(block)):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    written = size / (time.perf_counter() - start)
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        start = time.perf_counter()
        while file.read(1 << 24):
            pass
    read = size / (time.perf_counter() - start)
    path.unlink()
    return written, read


def main(program, table, folder, environment, rounds):
    """Prints the table of the large jobs."""
    folder.mkdir(parents=True, exist_ok=True)
    cache = folder / "cache"
    own = {**environment, "XDG_CACHE_HOME": str(cache)}
    print(f"\n{ROWS:,} x 28 from {table.name}, warm; seconds from start to exit, medians of {rounds}\n")
    print("| job | s | load s | train s | anonymous MB |")
    print("|---|---|---|---|---|")
    table.read_bytes()

    def measured(name, config, *sets):
        done = sorted((run(program, config, folder, own, *sets) for _ in range(rounds)), key=lambda one: one[1])
        answer, seconds, anonymous = done[len(done) // 2]
        print(f"| {name} | {seconds:.2f} | {answer['seconds']['load']:.2f} | {answer['seconds']['train']:.2f} | "
              f"{max(one[2] for one in done) / 1e6:.0f} |", flush=True)
        return seconds, tables(folder)

    measured("sgd epoch from Parquet, 64 runs", epoch(table, 8, 8))
    measured("sgd epoch from Parquet, 256 runs", epoch(table, 16, 16))
    whole, expected = measured("64 runs, 3 epochs, no limit", epoch(table, 8, 8, 3))
    shutil.rmtree(cache, ignore_errors=True)
    limit = f"run.memory_limit={LIMIT >> 20}MiB"
    answer, seconds, anonymous = run(program, epoch(table, 8, 8, 3), folder, own, limit)
    written = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
    print(f"| 64 runs, 3 epochs, {LIMIT >> 20} MiB, cache made | {seconds:.2f} | {answer['seconds']['load']:.2f} | "
          f"{answer['seconds']['train']:.2f} | {anonymous / 1e6:.0f} |", flush=True)
    same = tables(folder) == expected
    again, _ = measured(f"64 runs, 3 epochs, {LIMIT >> 20} MiB, cache there", epoch(table, 8, 8, 3), limit)
    write, read = disk_rates(folder)
    # Rows are written to their buckets, read, written in order, and read by the passes.
    allowed = 1.5 * whole + 2 * written / write + 2 * written / read
    print(f"\ndisk: writes {write / 1e6:.0f} MB/s, reads {read / 1e6:.0f} MB/s; cache {written / 1e6:.0f} MB")
    print(f"tables under the limit: {'identical' if same else 'DIFFERENT'}")
    print(f"anonymous memory: {anonymous / (1 << 20):.0f} MiB of {1.15 * LIMIT / (1 << 20):.0f} allowed")
    print(f"time under the limit: {seconds:.2f} s of {allowed:.2f} allowed (1.5 x {whole:.2f} and the disk's own time); "
          f"{again:.2f} s with the cache there")
    shutil.rmtree(folder, ignore_errors=True)
