#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6"]
# ///
"""data/golden/kkt.json: 300 problems of which no answer is kept: an optimum proves itself by its gradient.

    scripts/golden/kkt.py

More features than rows, condition numbers up to 1e10, features from 1e-8 to 1e8, classes that overlap and classes that
are separated but for the penalty, L2, L1 and elastic net. `condition` is that of the features as the solver sees them:
standardized, or centered where `scale` is "none"; an infinite one, more features than rows, is null.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import environment  # noqa: E402

environment.enter(__file__)

import golden_file  # noqa: E402
import numpy as np  # noqa: E402
from problems import Spec, make  # noqa: E402

CLOSENESS = [1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 4e-10]


def spec(problem: int, attempt: int) -> Spec:
    wide = problem % 6 == 5
    plain = problem % 5 == 4
    return Spec(
        seed=60_000 + problem + 1_000 * attempt,
        rows=30 if wide else [50, 100, 200, 300][problem % 4],
        features=[40, 60][problem // 6 % 2] if wide else [2, 4, 6, 10, 20][problem // 3 % 5],
        closeness=CLOSENESS[problem // 2 % 10],
        threshold=[0.0, 1.0, -2.0][problem // 7 % 3],
        # Unscaled features have one size, or their differing sizes would be the condition number.
        scales=[(1e-4,), (1.0,), (1e4,)][problem // 5 % 3] if plain else (1e-8, 1e-4, 1.0, 1e4, 1e8),
        offsets=[(0.0,), (-3.0, 0.0, 5.0)][problem // 4 % 2],
        noise=[1.75, 0.1][problem // 3 % 2],
        signal=[1.5, 4.0][problem // 3 % 2],
    )


def condition(x: np.ndarray, scale: str) -> float | None:
    """Of the features as the solver sees them."""
    centered = x - x.mean(axis=0)
    if scale == "standard":
        centered = centered / centered.std(axis=0)
    values = np.linalg.svd(centered, compute_uv=False)
    return float(f"{values[0] / values[-1]:.2e}") if len(x) > x.shape[1] else None


def main() -> None:
    entries = []
    for problem in range(300):
        # The first seed that gives three rows of each class.
        for attempt in range(100):
            made = spec(problem, attempt)
            table = make(made)
            if 3 <= table.y.sum() <= len(table.y) - 3:
                break
        scale = "none" if problem % 5 == 4 else "standard"
        entries.append(vars(made) | {
            "scale": scale,
            "C": [1e-3, 1e-1, 1.0, 1e2, 1e4, 1e6][problem // 11 % 6],
            "l1_ratio": [0.0, 0.0, 0.0, 0.5, 1.0][problem // 13 % 5],
            "condition": condition(table.x, scale),
            "inputs": table.fingerprint(),
        })
    golden_file.write(
        "kkt", "problems whose answers are checked by their gradient alone", golden_file.versions("numpy"), "problems", entries
    )
    tall = [entry["condition"] for entry in entries if entry["condition"]]
    print(f"{300 - len(tall)} wide; conditions from {min(tall):.1e} to {max(tall):.1e}, {sum(c <= 1e8 for c in tall)} up to 1e8; "
          f"{sum(entry['l1_ratio'] > 0 for entry in entries)} with L1")


if __name__ == "__main__":
    main()
