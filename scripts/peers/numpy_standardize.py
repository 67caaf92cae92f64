#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "polars==2.1.0"]
# ///
"""Times Parquet file -> polars -> standardized NumPy matrix (float32), the usual way into a training loop.

    scripts/peers/numpy_standardize.py TABLE [--order c|fortran] [--repeats R]

polars reads the file and computes means and deviations, on all cores and in double; NumPy applies them in
place. (NumPy's own `mean(axis=0)` of float32 rows adds in float32: at a million rows it is wrong in the
first digit.) `--order fortran` keeps polars' columns as they lie; `--order c` turns them into rows, as a
batch is laid out. The first reading, which fills the page cache, is not counted.
"""

import argparse
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
import environment  # noqa: E402

environment.enter(__file__)

import numpy as np  # noqa: E402
import polars as pl  # noqa: E402


def standardized(path: pathlib.Path, order: str) -> tuple[np.ndarray, np.ndarray]:
    """The features at mean 0 and deviation 1, and the target."""
    frame = pl.read_parquet(path)
    features = frame.drop("y")
    mean = features.select(pl.all().mean()).row(0)
    deviation = features.select(pl.all().std(ddof=0)).row(0)
    x = features.to_numpy(order=order, writable=True)
    x -= np.asarray(mean, dtype=np.float32)
    x /= np.asarray(deviation, dtype=np.float32)
    return x, frame["y"].to_numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=pathlib.Path, help="made by scripts/bench-data")
    parser.add_argument("--order", choices=["fortran", "c"], default="fortran")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()

    x, _ = standardized(arguments.table, arguments.order)
    seconds = []
    for _ in range(arguments.repeats):
        start = time.perf_counter()
        x, _ = standardized(arguments.table, arguments.order)
        seconds.append(time.perf_counter() - start)

    print(f"polars {pl.__version__}, numpy {np.__version__}, {x.shape[0]:,} x {x.shape[1]} {x.dtype}, {arguments.order} order")
    print(f"seconds  best {min(seconds):.3f}  median {statistics.median(seconds):.3f}  ({arguments.repeats} readings)")
    worst = (np.abs(x.mean(axis=0, dtype=np.float64)).max(), np.abs(x.std(axis=0, dtype=np.float64) - 1).max())
    print(f"largest mean {worst[0]:.1e}, largest deviation from 1 {worst[1]:.1e}")


if __name__ == "__main__":
    main()
