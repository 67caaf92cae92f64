#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "polars==2.1.0", "scikit-learn==1.9.1"]
# ///
"""Makes the tables that peers and this program are timed on, besides those of scripts/bench-data.

    scripts/peers/tables.py [DIR]          writes DIR/cancer.parquet, DIR/digits.parquet and DIR/flights.parquet

Numbers only (float32) and y = 0 or 1, so that every program reads the same: breast cancer, 456 x 30 (four fifths of the
rows); handwritten digits, 1,437 x 64 (is it 5 or more?); the flights, 261,877 x 63: gaps filled with means, categories
one-hot, levels with fewer than 3,000 flights left out.
"""

import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
import environment  # noqa: E402

environment.enter(__file__)

import numpy as np  # noqa: E402
import polars as pl  # noqa: E402
from sklearn import datasets  # noqa: E402

CATEGORIES = ["carrier", "origin", "dest", "plane_engine"]


def four_fifths(x: np.ndarray, names: list[str], y: np.ndarray, rows: int) -> pl.DataFrame:
    """Some rows at random, always the same."""
    chosen = np.sort(np.random.Generator(np.random.PCG64(0)).permutation(len(y))[:rows])
    frame = pl.DataFrame({name: x[chosen, place].astype(np.float32) for place, name in enumerate(names)})
    return frame.with_columns(y=pl.Series(y[chosen].astype(np.int8)))


def cancer() -> pl.DataFrame:
    data = datasets.load_breast_cancer()
    names = [name.replace(" ", "_") for name in data.feature_names]
    return four_fifths(data.data, names, data.target == 0, 456)


def digits() -> pl.DataFrame:
    data = datasets.load_digits()
    return four_fifths(data.data, list(data.feature_names), data.target >= 5, 1_437)


def flights() -> pl.DataFrame:
    frame = pl.read_parquet(ROOT / "data" / "flights.parquet").drop("time_hour")
    frame = frame.sample(261_877, seed=0, shuffle=True)
    y = (frame["late"] == "yes").cast(pl.Int8)
    numbers = frame.drop([*CATEGORIES, "late"]).cast(pl.Float32)
    columns = numbers.select(pl.all().fill_null(pl.all().mean())).get_columns()
    for name in CATEGORIES:
        texts = frame[name].fill_null("missing")
        counts = texts.value_counts().filter(pl.col("count") >= 3_000)
        for level in sorted(counts[name]):
            columns.append((texts == level).cast(pl.Float32).alias(f"{name}_{level}"))
    return pl.DataFrame(columns).with_columns(y=y)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path, nargs="?", default=ROOT / "target" / "bench", metavar="DIR",
                        help="default: target/bench")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, make in (("cancer", cancer), ("digits", digits), ("flights", flights)):
        made = make()
        path = arguments.out / f"{name}.parquet"
        made.write_parquet(path, compression="zstd")
        print(f"{path}: {made.height:,} rows, {made.width - 1} features, y = 1 in {made['y'].mean():.1%}")


if __name__ == "__main__":
    main()
