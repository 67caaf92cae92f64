"""A small sweep, what a whole store of it looks like, and how a store under test differs from that."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import typing

import polars

# One thread per pool, so that calls come in the same order every time; a case may ask for more with run.threads.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
ENVIRONMENT |= {"POLARS_MAX_THREADS": "1", "NO_COLOR": "1", "RUST_BACKTRACE": "0"}

# A hang is a failure like any other.
PATIENCE = 120

TABLES = ("trials", "runs", "history", "coefficients", "predictions")
# The share of the clock that a run took is the one cell that may differ.
VOLATILE = {"seconds"}

CONFIG = """version = 1
[data]
train = "data.csv"
target = "late"
[train]
epochs = {epochs}
batch_rows = 64
restarts = 2
init = {{ kind = "normal", std = 0.1 }}
[validation]
folds = 3
[sweep.parameters]
train.solver = ["adam", "sgd", "lbfgs"]
model.C = [0.1, 10.0]
[run]
threads = 1
[output]
dir = "store"
"""


class Case(typing.NamedTuple):
    """What became of one case: empty `complaint` if all was as it should be."""

    name: str
    complaint: str


def write_data(path: pathlib.Path, seed: int, rows: int = 400) -> None:
    """A table with numbers, a category, gaps and a label that depends on some of them."""
    rng = random.Random(seed)
    lines = ["a,b,c,d,kind,late"]
    for _ in range(rows):
        a, b, c, d = (rng.gauss(0, 1) for _ in range(4))
        kind = rng.choice(["red", "green", "blue"])
        score = a - 0.5 * b + (1 if kind == "red" else 0) + rng.gauss(0, 1)
        gap = "" if rng.random() < 0.05 else f"{c:.4f}"
        lines.append(f"{a:.4f},{b:.4f},{gap},{d:.4f},{kind},{'yes' if score > 0 else 'no'}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


class Sandbox:
    """A directory with data and a config, in which the program is run."""

    def __init__(self, program: pathlib.Path, folder: pathlib.Path, seed: int, config: str | None = None):
        self.program = program
        self.folder = folder
        self.store = folder / "store"
        folder.mkdir(parents=True, exist_ok=True)
        write_data(folder / "data.csv", seed)
        (folder / "sweep.toml").write_text(config or CONFIG.format(epochs=6), encoding="utf-8")

    def run(self, *arguments: str, wrap: list[str] | None = None) -> subprocess.CompletedProcess:
        """Runs the program here, below `wrap` if there is such."""
        command = [*(wrap or []), str(self.program), *arguments]
        try:
            return subprocess.run(
                command, cwd=self.folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 999, "", f"still running after {PATIENCE} s")

    def start(self, *arguments: str) -> subprocess.Popen:
        """Starts the program here in a process group of its own."""
        return subprocess.Popen(
            [str(self.program), *arguments],
            cwd=self.folder,
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def finish(self, *more: str) -> subprocess.CompletedProcess:
        """Goes on as a user would: by the store where there is one, by the config otherwise."""
        if (self.store / "manifest.json").exists():
            return self.run("resume", "store", "--quiet", *more)
        return self.run("run", "sweep.toml", "--quiet", *more)

    def clear(self) -> None:
        """Forgets the store."""
        shutil.rmtree(self.store, ignore_errors=True)


class Whole:
    """What a store holds that nothing happened to."""

    def __init__(self, store: pathlib.Path):
        self.tables = {name: table(store, name) for name in TABLES}
        self.model = model(store)
        self.names = {entry for entry in names(store) if not entry.startswith("parts/")}

    def differences(self, store: pathlib.Path) -> str:
        """How another store differs from it; empty if it does not."""
        found = []
        for name, own in self.tables.items():
            other = table(store, name)
            if (own is None) != (other is None):
                found.append(f"{name} is {'there' if own is None else 'missing'}")
            elif own is not None and not own.equals(other, null_equal=True):
                found.append(f"{name} has other cells")
        if model(store) != self.model:
            found.append("the best model is another")
        for entry in names(store):
            is_part = entry.startswith("parts/") and entry.endswith((".parquet", ".damaged"))
            if entry not in self.names and not is_part:
                found.append(f"{entry} was left over")
        return "; ".join(found)


def table(store: pathlib.Path, name: str) -> polars.DataFrame | None:
    """A table in row order, without what may differ."""
    path = store / f"{name}.parquet"
    if not path.exists():
        return None
    frame = polars.read_parquet(path)
    return frame.drop([column for column in frame.columns if column in VOLATILE])


def model(store: pathlib.Path) -> dict[str, str]:
    """The files of the best model, each by its hash."""
    folder = store / "models" / "best"
    files = sorted(folder.glob("*")) if folder.is_dir() else []
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def names(store: pathlib.Path) -> list[str]:
    """Everything in a store, by its path in it."""
    return sorted(str(entry.relative_to(store)) for entry in store.rglob("*") if entry.is_file())


class Bench:
    """What every figure needs: the program, a scratch directory, the seed and the size."""

    def __init__(self, program: pathlib.Path, seed: int, is_short: bool, jobs: int):
        self.program = program
        self.seed = seed
        self.is_short = is_short
        self.jobs = jobs
        # In memory where that is possible: the syncs are made, only not waited for.
        ram = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="gradsweep-torture-", dir=ram))
        self.whole = self._whole()

    def _whole(self) -> Whole:
        first = self.sandbox("whole")
        outcome = first.run("run", "sweep.toml", "--quiet")
        if outcome.returncode != 0:
            raise SystemExit(f"the sweep itself ends with {outcome.returncode}: {outcome.stderr}")
        return Whole(first.store)

    def sandbox(self, name: str, config: str | None = None) -> Sandbox:
        """A fresh directory."""
        folder = self.scratch / name
        shutil.rmtree(folder, ignore_errors=True)
        return Sandbox(self.program, folder, self.seed, config)

    def rng(self, *key: object) -> random.Random:
        """Random numbers that depend on the seed and the case alone, not on the order of cases."""
        return random.Random(json.dumps([self.seed, *map(str, key)]))

    def undisturbed(self, name: str, config: str) -> tuple[Whole, float]:
        """What a sweep leaves that nothing happens to, and the seconds it takes."""
        box = self.sandbox(name, config)
        start = time.monotonic()
        outcome = box.run("run", "sweep.toml", "--quiet")
        if outcome.returncode != 0:
            sys.exit(f"the sweep itself ends with {outcome.returncode}: {outcome.stderr}")
        return Whole(box.store), time.monotonic() - start

    def within(self, seconds: float) -> float:
        """A limit in seconds; the short form, which runs among other work, allows ten times as many."""
        return 10 * seconds if self.is_short else seconds

    def size(self, short: int, full: int) -> int:
        """How many cases."""
        return short if self.is_short else full

    def each(self, cases: list, judge: typing.Callable[[int, typing.Any], Case]) -> list[Case]:
        """Judges all cases, some at a time."""
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(judge, range(len(cases)), cases))

    def resumed(self, box: Sandbox) -> str:
        """Finishes a store that something happened to; says what is wrong with the outcome."""
        outcome = box.finish()
        if outcome.returncode != 0:
            return f"going on ends with {outcome.returncode}: {outcome.stderr.strip()}"
        return self.whole.differences(box.store)

    def close(self) -> None:
        """Removes the scratch directory."""
        shutil.rmtree(self.scratch, ignore_errors=True)
