#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "polars==2.1.0", "scikit-learn==1.9.1"]
# ///
"""Times scikit-learn's LogisticRegressionCV: 64 values of C (1e-4 to 1e4) x 5 stratified folds = 320 fits.

    scripts/peers/logistic_regression_cv.py TABLE [--solvers S...] [--dtypes T...] [--jobs N...] [--repeats R] [--tol T]

As a strong user writes it: rows contiguous and standardized once, float32 where the solver keeps it, one job per core
(and, on small tables, in one process, whose start costs more than the fits), each fold's fits started from the neighbor's (which LogisticRegressionCV does by itself), no
refit. Every solver is tried in every dtype; the fastest whose fits are all certified comes first. A certificate is the gradient of the mean
objective over all of a fit's training rows, taken in float64 after the clock has stopped.
"""

import argparse
import itertools
import os
import pathlib
import statistics
import sys
import time
import warnings

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import environment  # noqa: E402

environment.enter(__file__)

import numpy as np  # noqa: E402
import sklearn  # noqa: E402
import sweep  # noqa: E402
from sklearn.linear_model import LogisticRegressionCV  # noqa: E402

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
SOLVERS = ["lbfgs", "newton-cholesky", "newton-cg"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=pathlib.Path, help="made by scripts/bench-data or scripts/peers/tables.py")
    parser.add_argument("--solvers", nargs="+", choices=SOLVERS, default=SOLVERS[:2])
    parser.add_argument("--dtypes", nargs="+", choices=["float32", "float64"], default=["float32"])
    parser.add_argument("--jobs", type=int, nargs="+", help="default: one per core, and 1 too on small tables")
    parser.add_argument("--tol", type=float, default=1e-4)
    parser.add_argument("--repeats", type=int, default=1)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # one line per fit that does not converge: the certificate says it

    tried = []
    for dtype in arguments.dtypes:
        x, y = sweep.load(arguments.table, np.dtype(dtype))
        fold = sweep.folds(y)
        splits = [(np.flatnonzero(fold != one), np.flatnonzero(fold == one)) for one in range(sweep.FOLDS)]
        jobs = arguments.jobs or ([1, CORES] if x.size < 1_000_000 else [CORES])
        for solver, n_jobs in itertools.product(arguments.solvers, jobs):
            seconds = []
            for _ in range(arguments.repeats):
                model = LogisticRegressionCV(
                    Cs=sweep.STRENGTHS, cv=splits, solver=solver, tol=arguments.tol, max_iter=2_000, refit=False,
                    scoring="neg_log_loss", n_jobs=n_jobs, l1_ratios=(0,), use_legacy_attributes=False,
                )
                start = time.perf_counter()
                model.fit(x, y)
                seconds.append(time.perf_counter() - start)
            paths = np.asarray(model.coefs_paths_).reshape(sweep.FOLDS, len(sweep.STRENGTHS), x.shape[1] + 1)
            proof = sweep.certificate(x, y, fold, paths[..., :-1], paths[..., -1])
            tried.append((proof[1] > 0, statistics.median(seconds), min(seconds), f"{solver} in {dtype}, n_jobs={n_jobs}", proof))

    tried.sort(key=lambda one: one[:2])
    print(f"scikit-learn {sklearn.__version__} LogisticRegressionCV, {tried[0][3]}, 320 fits, "
          f"{x.shape[0]:,} x {x.shape[1]}, tol {arguments.tol:g}")
    for _, median, best, how, proof in tried:
        print(f"seconds  best {best:.3f}  median {median:.3f}  ({how}, {arguments.repeats} repeats)")
        print(f"  {sweep.report(*proof)}")


if __name__ == "__main__":
    main()
