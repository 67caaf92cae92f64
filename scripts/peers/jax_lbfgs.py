#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["jax==0.10.2", "numpy==2.4.6", "polars==2.1.0", "scikit-learn==1.9.1"]
# ///
"""Times 64 values of C (1e-4 to 1e4) x 5 stratified folds batched by hand in JAX on the CPU: 320 fits are columns.

    scripts/peers/jax_lbfgs.py TABLE [--groups G] [--repeats R] [--tol T]

What makes it fast: one compiled program; rows sorted by fold, so that a fold's rows multiply only the columns that train
on them; tiles of rows, so that scores stay in the cache; the columns sharded over one XLA device per core; the sigmoid
through tanh; no loss while fitting (line searches look at the slope).

Ten pairs a column, with H0 = Q (s Lambda + l2)^-1 Q' from one eigendecomposition of the Gram matrix, s = mean p(1-p) of
the column. The strengths are solved in `--groups` groups, strong penalties first, each group started from the nearest fit
of the one before. Batched Newton steps (all Hessians as one product of the products of features) were slower: 0.080 s
against 0.056 s on 456 x 30.

Timed: fitting and validation log loss, the eigendecomposition included. Not timed: reading, standardizing, sorting,
compiling (printed apart). The certificate is the gradient over all training rows in float64.
"""

import argparse
import os
import pathlib
import statistics
import sys
import time
from functools import partial

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import environment  # noqa: E402

environment.enter(__file__)

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
# Read once, when jax is imported.
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={CORES}".strip()
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import sweep  # noqa: E402
from jax.sharding import PartitionSpec  # noqa: E402

MEMORY, MOST_STEPS = 10, 300
OTHERS = jnp.array([[fold for fold in range(sweep.FOLDS) if fold != held_out] for held_out in range(sweep.FOLDS)])


def tiles(x, y, fold, rows):
    """x (folds, tiles, rows, d + 1) with a last column of ones, y (folds, tiles, rows, 1), and the rows of each fold.
    Rows that fill up the last tile are zeros, the one included: they add nothing to a gradient."""
    sizes = np.bincount(fold)
    count = -(-sizes.max() // rows)
    rows = -(-sizes.max() // count)
    xs = np.zeros((sweep.FOLDS, count * rows, x.shape[1] + 1), dtype=np.float32)
    ys = np.zeros((sweep.FOLDS, count * rows, 1), dtype=np.float32)
    for one in range(sweep.FOLDS):
        xs[one, : sizes[one], :-1], xs[one, : sizes[one], -1] = x[fold == one], 1
        ys[one, : sizes[one], 0] = y[fold == one]
    return xs.reshape(sweep.FOLDS, count, rows, -1), ys.reshape(sweep.FOLDS, count, rows, 1), sizes


def sigmoid(z):
    return 0.5 * jnp.tanh(0.5 * z) + 0.5


def evaluate(w, x, y, train_rows, l2):
    """Gradient (D, folds, k) and mean p(1-p) (folds, k) of all columns at w."""
    width, _, k = w.shape

    def of_fold(total, held_out):
        x_fold, y_fold, others = held_out
        weights = w[:, others, :].reshape(width, -1)

        def of_tile(sums, tile):
            x, y = tile
            p = sigmoid(x @ weights)
            slope, curvature = sums
            return (slope + x.T @ (p - y), curvature + (x[:, -1:] * p * (1 - p)).sum(axis=0)), None

        zero = (jnp.zeros_like(weights), jnp.zeros_like(weights[0]))
        (slope, curvature), _ = jax.lax.scan(of_tile, zero, (x_fold, y_fold))
        slopes, curvatures = total
        slopes = slopes.at[:, others, :].add(slope.reshape(width, -1, k))
        curvatures = curvatures.at[others, :].add(curvature.reshape(-1, k))
        return (slopes, curvatures), None

    start = (jnp.zeros_like(w), jnp.zeros_like(w[0]))
    (slopes, curvatures), _ = jax.lax.scan(of_fold, start, (x, y, OTHERS))
    return slopes / train_rows[:, None] + penalty(w, l2), curvatures / train_rows[:, None]


def penalty(w, l2):
    """l2 w, without the intercept in the last row."""
    return (l2 * w).at[-1].set(0)


def search(state, slope, slope_at_trial):
    """A column takes its trial point unless the slope there has turned and is nearly as steep: then the step is cut
    to where a line through both slopes is 0."""
    is_taken = slope_at_trial <= 0.9 * jnp.abs(slope)
    return is_taken, jnp.where(is_taken, 1.0, state * jnp.clip(slope / (slope - slope_at_trial), 0.1, 0.9))


def lbfgs(w, x, y, train_rows, l2, vectors, values, tol):
    """All columns from w (D, folds, k) on."""

    def base(v, s):
        """H0 v; the intercept is a direction of its own, for columns are centered."""
        inner = jnp.einsum("ij,ifk->jfk", vectors, v[:-1]) / (s * values[:, None, None] + l2)
        return jnp.concatenate([jnp.einsum("ij,jfk->ifk", vectors, inner), v[-1:] / s])

    def direction(g, s, steps, changes, rho):
        alphas, q = [], g
        for pair in range(MEMORY):  # the newest is first
            alpha = rho[pair] * (steps[pair] * q).sum(axis=0)
            q = q - alpha * changes[pair]
            alphas.append(alpha)
        r = base(q, s)
        for pair in reversed(range(MEMORY)):
            r = r + steps[pair] * (alphas[pair] - rho[pair] * (changes[pair] * r).sum(axis=0))
        return -r

    def is_open(g):
        return jnp.abs(g).max(axis=0) > tol

    def body(state):
        w, g, p, t, steps, changes, rho, count = state
        trial = w + t * p
        g_trial, s = evaluate(trial, x, y, train_rows, l2)
        s = jnp.maximum(s, 1e-3)
        is_taken, t = search(t, (g * p).sum(axis=0), (g_trial * p).sum(axis=0))
        step, change = trial - w, g_trial - g
        product = (step * change).sum(axis=0)
        is_kept = is_taken & (product > 0)
        push = lambda memory, new: jnp.where(is_kept, jnp.concatenate([new[None], memory[:-1]]), memory)  # noqa: E731
        steps, changes = push(steps, step), push(changes, change)
        rho = push(rho, 1 / jnp.where(product > 0, product, 1))
        w, g = jnp.where(is_taken, trial, w), jnp.where(is_taken, g_trial, g)
        p = jnp.where(is_taken, direction(g, s, steps, changes, rho), p)
        return w, g, jnp.where(is_open(g), p, 0), t, steps, changes, rho, count + 1

    g, s = evaluate(w, x, y, train_rows, l2)
    memory = jnp.stack([jnp.zeros_like(w)] * MEMORY)
    rho = memory[:, 0] * 0
    state = (w, g, jnp.where(is_open(g), -base(g, jnp.maximum(s, 1e-3)), 0), jnp.ones_like(w[0]), memory, memory, rho, 0)
    state = jax.lax.while_loop(lambda state: is_open(state[1]).any() & (state[-1] < MOST_STEPS), body, state)
    return state[0], state[-1] + 1


def validation(w, x, y, held_out_rows):
    """Mean log loss (folds, k) of the rows that each column holds out; the zeros that fill tiles cost log 2 each."""
    def of_fold(fold):
        weights, x_fold, y_fold = fold

        def of_tile(total, tile):
            z = tile[0] @ weights
            return total + (jnp.logaddexp(0.0, z) - tile[1] * z).sum(axis=0), None

        return jax.lax.scan(of_tile, jnp.zeros(weights.shape[1]), (x_fold, y_fold))[0]

    sums = jax.lax.map(of_fold, (jnp.moveaxis(w, 1, 0), x, y))
    filled = x.shape[1] * x.shape[2] - held_out_rows
    return (sums - filled[:, None] * jnp.log(2.0)) / held_out_rows[:, None]


def fit(x, y, held_out_rows, strengths, groups, tol):
    """w (D, folds, k), validation losses (folds, k) and evaluations of this device's strengths, in ascending order."""
    train_rows = held_out_rows.sum() - held_out_rows
    l2 = 1 / (strengths[None, :] * train_rows[:, None])
    width, k = x.shape[-1], strengths.shape[0]
    w = jnp.zeros((width, sweep.FOLDS, k // groups))
    flat = x.reshape(-1, width)[:, :-1]
    values, vectors = jnp.linalg.eigh(flat.T @ flat / held_out_rows.sum())
    values = jnp.maximum(values, 0)
    made, evaluations = [], 0
    for group in range(groups):
        of_group = l2[:, group * (k // groups) : (group + 1) * (k // groups)]
        w, count = lbfgs(w, x, y, train_rows, of_group, vectors, values, tol)
        made.append(w)
        evaluations = evaluations + count
        w = jnp.broadcast_to(w[..., -1:], w.shape)
    w = jnp.concatenate(made, axis=-1)
    return w, validation(w, x, y, held_out_rows), jnp.reshape(evaluations, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=pathlib.Path, help="made by scripts/bench-data or scripts/peers/tables.py")
    parser.add_argument("--groups", type=int, default=4)
    parser.add_argument("--rows", type=int, default=1024, help="of a tile")
    parser.add_argument("--tol", type=float, default=9e-5)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()

    x, y = sweep.load(arguments.table)
    fold = sweep.folds(y)
    groups = arguments.groups
    xs, ys, sizes = tiles(x, y, fold, arguments.rows)
    # Every device gets each CORES-th strength, so that all have easy and hard ones.
    places = np.concatenate([np.arange(device, len(sweep.STRENGTHS), CORES) for device in range(CORES)])
    assert len(sweep.STRENGTHS) % (CORES * groups) == 0, "the strengths are shared out evenly"

    mesh = jax.make_mesh((CORES,), ("strengths",))
    everywhere, shared_out = PartitionSpec(), PartitionSpec("strengths")
    place = lambda value, spec: jax.device_put(value, jax.sharding.NamedSharding(mesh, spec))  # noqa: E731
    values = (
        place(xs, everywhere), place(ys, everywhere), place(sizes.astype(np.float32), everywhere),
        place(sweep.STRENGTHS[places].astype(np.float32), shared_out),
    )
    program = jax.shard_map(
        partial(fit, groups=groups, tol=arguments.tol),
        mesh=mesh,
        in_specs=(everywhere, everywhere, everywhere, shared_out),
        out_specs=(PartitionSpec(None, None, "strengths"), PartitionSpec(None, "strengths"), shared_out),
        check_vma=False,  # nothing is exchanged between devices
    )
    start = time.perf_counter()
    program = jax.jit(program).lower(*values).compile()
    compile_seconds = time.perf_counter() - start
    w, losses, evaluations = jax.block_until_ready(program(*values))  # warm caches

    seconds = []
    for _ in range(arguments.repeats):
        start = time.perf_counter()
        w, losses, evaluations = jax.block_until_ready(program(*values))
        seconds.append(time.perf_counter() - start)

    print(f"jax {jax.__version__}, lbfgs in float32, 320 fits, {x.shape[0]:,} x {x.shape[1]}, tol {arguments.tol:g}, "
          f"{CORES} devices, {groups} groups, evaluations per device {evaluations.tolist()}")
    print(f"seconds  best {min(seconds):.3f}  median {statistics.median(seconds):.3f}  "
          f"({arguments.repeats} repeats; compiling {compile_seconds:.2f})")
    order = np.argsort(places)
    w = np.moveaxis(np.asarray(w)[..., order], 0, -1)
    print(f"  {sweep.report(*sweep.certificate(x, y, fold, w[..., :-1], w[..., -1]))}")
    print(f"  validation log loss of the program itself: best {np.asarray(losses).mean(axis=0).min():.6f}")


if __name__ == "__main__":
    main()
