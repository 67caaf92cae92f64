#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["jax==0.10.2", "numpy==2.4.6", "polars==2.1.0"]
# ///
"""Times a sweep batched by hand in JAX on the CPU: every run is a column of one weight matrix.

    scripts/peers/jax_fused.py TABLE [--runs K] [--epochs E] [--batch B] [--repeats R]

Logistic regression, sgd with momentum 0.9 and an L2 penalty, learning rates and C varying over the columns,
from random starting weights; features standardized. What makes it fast: one compiled program for the whole
fit (`scan` over epochs and batches); the gradient written out; the intercept as a feature of ones; the
sigmoid through tanh; the columns sharded over one XLA device per core, which beats XLA's own
threading of the small products. The rows left over by whole batches make one shorter step at the end of
an epoch. It is spared what a sweep needs besides: it does not shuffle, score, validate, watch for
divergence or write anything. Compile time is printed apart.
"""

import argparse
import os
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
import environment  # noqa: E402

environment.enter(__file__)

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
# Read once, when jax is imported.
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={CORES}".strip()
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import polars as pl  # noqa: E402
from jax.sharding import NamedSharding, PartitionSpec  # noqa: E402

MOMENTUM = 0.9
REPLICATED, BY_RUN = PartitionSpec(), PartitionSpec(None, "runs")


def load(path: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    """Standardized features with a last column of ones, and the target as a column; float32."""
    frame = pl.read_parquet(path)
    x = frame.drop("y").to_numpy()
    x = (x - x.mean(axis=0, dtype=np.float64)) / x.std(axis=0, dtype=np.float64)
    x = np.column_stack([x, np.ones(len(x))]).astype(np.float32)
    return np.ascontiguousarray(x), frame["y"].to_numpy().astype(np.float32)[:, None]


def sigmoid(z):
    return 0.5 * jnp.tanh(0.5 * z) + 0.5


def fit(batches, rest, w, learning_rate, l2, epochs):
    """w (d + 1, k) after `epochs` passes. `batches` is x (b, rows, d + 1) and y (b, rows, 1); `rest` the rows left over."""

    def step(state, batch):
        w, velocity = state
        x, y = batch
        dz = (sigmoid(x @ w) - y) * (1.0 / x.shape[0])
        velocity = MOMENTUM * velocity + x.T @ dz + l2 * w
        return (w - learning_rate * velocity, velocity), None

    def epoch(state, _):
        state, _ = jax.lax.scan(step, state, batches)
        if rest[0].shape[0]:
            state, _ = step(state, rest)
        return state, None

    (w, _), _ = jax.lax.scan(epoch, (w, jnp.zeros_like(w)), None, length=epochs)
    return w


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=pathlib.Path, help="made by scripts/bench-data")
    parser.add_argument("--runs", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    runs, rows_per_batch = arguments.runs, arguments.batch
    # A number of runs that the cores do not divide is not sharded.
    devices = jax.devices() if runs % CORES == 0 else jax.devices()[:1]

    x, y = load(arguments.table)
    rows, width = x.shape
    whole = rows // rows_per_batch * rows_per_batch
    batches = (x[:whole].reshape(-1, rows_per_batch, width), y[:whole].reshape(-1, rows_per_batch, 1))
    rest = (x[whole:], y[whole:])

    # 8 learning rates x 8 values of C, repeated from other starting weights; cut off at `runs`.
    column = np.arange(runs)
    learning_rate = np.geomspace(1e-3, 1.0, 8)[column % 8].astype(np.float32)[None, :]
    strength = 1.0 / (np.geomspace(1e-4, 1e4, 8)[column // 8 % 8] * rows)
    l2 = np.vstack([np.tile(strength, (width - 1, 1)), np.zeros((1, runs))]).astype(np.float32)
    w = np.random.default_rng(0).normal(0, 0.01, (width, runs)).astype(np.float32)
    w[-1] = 0

    mesh = jax.make_mesh((len(devices),), ("runs",), devices=devices)
    place = lambda value, spec: jax.device_put(value, NamedSharding(mesh, spec))  # noqa: E731
    values = (
        jax.tree.map(lambda value: place(value, REPLICATED), batches),
        jax.tree.map(lambda value: place(value, REPLICATED), rest),
        place(w, BY_RUN),
        place(learning_rate, BY_RUN),
        place(l2, BY_RUN),
    )
    sharded = jax.shard_map(
        lambda *values: fit(*values, arguments.epochs),
        mesh=mesh,
        in_specs=(REPLICATED, REPLICATED, BY_RUN, BY_RUN, BY_RUN),
        out_specs=BY_RUN,
    )
    start = time.perf_counter()
    program = jax.jit(sharded).lower(*values).compile()
    compile_seconds = time.perf_counter() - start
    trained = jax.block_until_ready(program(*values))  # warm caches

    seconds = []
    for _ in range(arguments.repeats):
        start = time.perf_counter()
        trained = jax.block_until_ready(program(*values))
        seconds.append(time.perf_counter() - start)

    print(f"jax {jax.__version__}, {runs} runs, {rows:,} x {width - 1} float32, {arguments.epochs} epochs, "
          f"batch {rows_per_batch}, momentum {MOMENTUM}, {len(devices)} devices")
    print(f"seconds  best {min(seconds):.3f}  median {statistics.median(seconds):.3f}  "
          f"({arguments.repeats} fits; compiling {compile_seconds:.2f})")
    sample = slice(0, min(rows, 50_000))
    z = x[sample] @ np.asarray(trained)
    losses = np.mean(np.logaddexp(0, z) - y[sample] * z, axis=0)
    print(f"log loss on the first {sample.stop:,} rows: best {losses.min():.4f}, worst {losses.max():.4f}")


if __name__ == "__main__":
    main()
