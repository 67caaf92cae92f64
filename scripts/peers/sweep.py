"""What the peers that fit a path of penalties by fold share: the table, the folds, the certificate."""

import pathlib

import numpy as np
import polars as pl
from sklearn.model_selection import StratifiedKFold

STRENGTHS = np.geomspace(1e-4, 1e4, 64)
FOLDS = 5


def load(path: pathlib.Path, dtype=np.float32) -> tuple[np.ndarray, np.ndarray]:
    """Standardized features, row after row, and the target. Standardized once, over all rows: a peer is spared the folds'
    own statistics. A constant column is 0."""
    frame = pl.read_parquet(path)
    x = frame.drop("y").to_numpy().astype(np.float64)
    x -= x.mean(axis=0)
    deviation = x.std(axis=0)
    x /= np.where(deviation > 0, deviation, 1)
    return np.ascontiguousarray(x, dtype=dtype), frame["y"].to_numpy().astype(dtype)


def folds(y: np.ndarray) -> np.ndarray:
    """The fold that holds each row out."""
    made = np.empty(len(y), dtype=np.int64)
    for number, (_, held_out) in enumerate(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(np.zeros(len(y)), y)):
        made[held_out] = number
    return made


def certificate(x, y, fold, w, b, l1_ratio=0.0) -> tuple[float, float, np.ndarray]:
    """Of all fits, from their weights (folds, strengths, d) and intercepts (folds, strengths), in float64 over all rows:
    the largest entry of the mean objective's gradient (with L1 the distance of 0 from the subgradient), how many fits are
    above 1e-4, and each strength's mean validation log loss."""
    worst = np.zeros((FOLDS, len(STRENGTHS)))
    losses = np.zeros((FOLDS, len(STRENGTHS)))
    for held_out in range(FOLDS):
        weights, intercepts = np.asarray(w[held_out], dtype=np.float64).T, np.asarray(b[held_out], dtype=np.float64)
        rows = np.flatnonzero(fold != held_out)
        dw, db = np.zeros_like(weights), np.zeros_like(intercepts)
        for part in np.array_split(rows, max(1, len(rows) // 50_000)):
            xs = x[part].astype(np.float64)
            dz = 1 / (1 + np.exp(-(xs @ weights + intercepts))) - y[part, None]
            dw += xs.T @ dz
            db += dz.sum(axis=0)
        l2, l1 = (1 - l1_ratio) / (STRENGTHS * len(rows)), l1_ratio / (STRENGTHS * len(rows))
        slope = dw / len(rows) + l2 * weights
        part = np.where(weights != 0, np.abs(slope + l1 * np.sign(weights)), np.maximum(np.abs(slope) - l1, 0))
        worst[held_out] = np.maximum(part.max(axis=0), np.abs(db / len(rows)))
        scored = np.flatnonzero(fold == held_out)
        for part in np.array_split(scored, max(1, len(scored) // 50_000)):
            z = x[part].astype(np.float64) @ weights + intercepts
            losses[held_out] += (np.logaddexp(0, z) - y[part, None] * z).sum(axis=0) / len(scored)
    return float(worst.max()), int((worst > 1e-4).sum()), losses.mean(axis=0)


def report(gradient: float, above: int, losses: np.ndarray) -> str:
    best = int(losses.argmin())
    return (f"certificate: largest gradient {gradient:.1e}, {above} of {FOLDS * len(STRENGTHS)} fits above 1e-4; "
            f"best C {STRENGTHS[best]:.3g} with validation log loss {losses[best]:.6f}")
