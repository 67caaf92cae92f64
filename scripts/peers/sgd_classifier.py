#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "polars==2.1.0", "scikit-learn==1.9.1"]
# ///
"""Times ONE run of scikit-learn's SGDClassifier on the benchmark table: 5 epochs, features standardized.

    scripts/peers/sgd_classifier.py TABLE [--epochs E] [--repeats R]

The nearest thing it has to one run of the sweep, not the same algorithm: SGDClassifier updates after every
row (its batch is 1) and has no momentum. Only `fit` is timed; reading and standardizing are not. A sweep of
K runs costs K of these, spread over the cores with joblib where there are more runs than cores.
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
import sklearn  # noqa: E402
from sklearn.linear_model import SGDClassifier  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=pathlib.Path, help="made by scripts/bench-data")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()

    frame = pl.read_parquet(arguments.table)
    y = frame["y"].to_numpy()
    # Row by row is how the solver walks, so rows are laid out contiguously.
    x = np.ascontiguousarray(StandardScaler(copy=False).fit_transform(frame.drop("y").to_numpy()))

    seconds = []
    for _ in range(arguments.repeats):
        model = SGDClassifier(
            loss="log_loss",
            alpha=1.0 / len(y),  # C = 1
            learning_rate="constant",
            eta0=0.001,
            max_iter=arguments.epochs,
            tol=None,  # every epoch is made
            shuffle=True,
            random_state=0,
        )
        start = time.perf_counter()
        model.fit(x, y)
        seconds.append(time.perf_counter() - start)

    print(f"scikit-learn {sklearn.__version__} SGDClassifier, 1 run, {x.shape[0]:,} x {x.shape[1]} {x.dtype}, "
          f"{arguments.epochs} epochs, batch 1, no momentum")
    print(f"seconds  best {min(seconds):.3f}  median {statistics.median(seconds):.3f}  ({arguments.repeats} fits)")
    print(f"accuracy on the training rows {model.score(x, y):.4f}")


if __name__ == "__main__":
    main()
