"""Centered L2 discrepancies of scipy's sequences, for the tests of `sobol` and `halton`.

    pip install scipy
    python3 scripts/golden/discrepancy.py
"""

import numpy as np
from scipy.stats import qmc

import golden_file

SEEDS = 32


def spread(make, dimensions: int, points: int) -> dict[str, float]:
    """Mean and largest discrepancy over the seeds."""
    found = [qmc.discrepancy(make(dimensions, seed, points)) for seed in range(SEEDS)]
    return {"mean": float(np.mean(found)), "max": float(np.max(found))}


SEQUENCES = {
    "random": lambda d, seed, n: np.random.default_rng(seed).random((n, d)),
    "sobol": lambda d, seed, n: qmc.Sobol(d, rng=seed).random(n),
    "halton": lambda d, seed, n: qmc.Halton(d, rng=seed).random(n),
}

entries = []
plain = qmc.Halton(3, scramble=False).random(16)
entries.append({"sequence": "plain halton", "points": plain.tolist(), "discrepancy": qmc.discrepancy(plain)})
for dimensions in (2, 4):
    for points in (64, 256, 1024):
        for name, make in SEQUENCES.items():
            entries.append({"sequence": name, "dimensions": dimensions, "count": points} | spread(make, dimensions, points))
golden_file.write(
    "discrepancy",
    f"centered L2 discrepancy by scipy.stats.qmc, over {SEEDS} seeds",
    golden_file.versions("numpy", "scipy"),
    "entries",
    entries,
)
