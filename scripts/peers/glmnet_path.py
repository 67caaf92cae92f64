#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "polars==2.1.0", "scikit-learn==1.9.1"]
# ///
"""Times glmnet: 64 strengths (C from 1e-4 to 1e4) x 5 stratified folds with L1 = 320 fits, a fold per core.

    scripts/peers/glmnet_path.py TABLE [--l1-ratio A] [--thresh T] [--repeats R]     needs R with glmnet

Each fold is one path, strong penalties first, each fit started from the last. Only glmnet is timed: not reading, not
cutting the folds. Its `thresh` is not a gradient: give the largest whose fits are all certified (the subgradient of the
mean objective over all of a fit's training rows, in float64, is at most 1e-4).
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import environment  # noqa: E402

environment.enter(__file__)

import numpy as np  # noqa: E402
import sweep  # noqa: E402

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=pathlib.Path, help="made by scripts/bench-data or scripts/peers/tables.py")
    parser.add_argument("--l1-ratio", type=float, default=1.0)
    parser.add_argument("--thresh", type=float, default=1e-7, help="default: glmnet's own, 1e-7")
    parser.add_argument("--repeats", type=int, default=1)
    arguments = parser.parse_args()

    x, y = sweep.load(arguments.table, np.float64)
    fold = sweep.folds(y)
    with tempfile.TemporaryDirectory() as folder:
        for name, values in (("x", x), ("y", y), ("fold", fold), ("strengths", sweep.STRENGTHS)):
            np.asarray(values, dtype=np.float64).tofile(pathlib.Path(folder) / f"{name}.f64")
        given = [*x.shape, arguments.l1_ratio, arguments.thresh, CORES, arguments.repeats]
        done = subprocess.run(
            ["Rscript", str(HERE / "glmnet_path.R"), folder, *map(str, given)], check=True, capture_output=True, text=True
        )
        coef = np.fromfile(pathlib.Path(folder) / "coef.f64").reshape(sweep.FOLDS, len(sweep.STRENGTHS), x.shape[1] + 1)
    version, times = done.stdout.splitlines()[:2]
    seconds = [float(one) for one in times.split()]
    # A path that ended early has no number for the rest: counted as not certified.
    missing = int(np.isnan(coef).any(axis=-1).sum())
    coef = np.nan_to_num(coef)

    print(f"{version}, 320 fits, {x.shape[0]:,} x {x.shape[1]}, l1_ratio {arguments.l1_ratio}, thresh {arguments.thresh:g}, "
          f"{CORES} jobs")
    print(f"seconds  best {min(seconds):.3f}  median {statistics.median(seconds):.3f}  ({arguments.repeats} repeats)")
    proof = sweep.certificate(x, y, fold, coef[..., 1:], coef[..., 0], arguments.l1_ratio)
    print(f"  {sweep.report(*proof)}; {missing} fits missing")


if __name__ == "__main__":
    main()
