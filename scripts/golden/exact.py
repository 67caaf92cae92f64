"""Optima in extended precision, to certify what the reference programs answer.

Newton's method in NumPy's long double (64-bit mantissa on x86), with a Cholesky factorization written out: some five
digits beyond double precision, and nothing shared with any of the programs that are compared.
"""

import numpy as np

LONG = np.longdouble


def sigmoid(z: np.ndarray) -> np.ndarray:
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def solve(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """x with a x = b, for a symmetric positive definite long double matrix."""
    size = len(b)
    lower = np.zeros_like(a)
    for j in range(size):
        pivot = a[j, j] - lower[j, :j] @ lower[j, :j]
        if pivot <= 0:
            raise ValueError("the Hessian is singular")
        lower[j, j] = np.sqrt(pivot)
        if j + 1 < size:
            lower[j + 1:, j] = (a[j + 1:, j] - lower[j + 1:, :j] @ lower[j, :j]) / lower[j, j]
    x = b.astype(LONG).copy()
    for j in range(size):
        x[j] = (x[j] - lower[j, :j] @ x[:j]) / lower[j, j]
    for j in reversed(range(size)):
        x[j] = (x[j] - lower[j + 1:, j] @ x[j + 1:]) / lower[j, j]
    return x


def objective(x, y, s, w, b, l2, l1=0.0):
    z = x @ w + b
    loss = np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z)))
    return (s @ loss) / s.sum() + LONG(l2) / 2 * (w @ w) + LONG(l1) * np.abs(w).sum()


def gradient(x, y, s, w, b, l2):
    """Of the smooth part of the mean objective: (weights, intercept)."""
    dz = s * (sigmoid(x @ w + b) - y) / s.sum()
    return x.T @ dz + LONG(l2) * w, dz.sum()


def residual(x, y, s, w, b, l2, l1=0.0, fit_intercept=True) -> float:
    """Distance of 0 from the subgradient, in the largest component."""
    x, y, s, w, b = (np.asarray(value, dtype=LONG) for value in (x, y, s, w, b))
    dw, db = gradient(x, y, s, w, b, l2)
    smooth = np.abs(dw + LONG(l1) * np.sign(w))
    kink = np.maximum(np.abs(dw) - LONG(l1), 0)
    parts = np.where(w != 0, smooth, kink)
    return float(max(np.max(parts, initial=0), abs(db) if fit_intercept else 0))


def newton(x, y, s, w, b, l2, l1=0.0, fit_intercept=True, steps=100):
    """The optimum from (w, b) on: with l1, the weights that are 0 stay 0 and the others keep their signs.

    Steps until the residual no longer falls. The caller checks `residual` of the answer.
    """
    x, y, s, w, b = (np.array(value, dtype=LONG) for value in (x, y, s, w, b))
    free = np.flatnonzero(w) if l1 else np.arange(len(w))
    sign = np.sign(w[free]) if l1 else np.zeros(len(free))
    design = x[:, free]
    if fit_intercept:
        design = np.column_stack([design, np.ones(len(x), dtype=LONG)])
    best, best_residual = (w, b), residual(x, y, s, w, b, l2, l1, fit_intercept)
    for _ in range(steps):
        dw, db = gradient(x, y, s, w, b, l2)
        slope = dw[free] + LONG(l1) * sign
        p = sigmoid(x @ w + b)
        curvature = s * p * (1 - p) / s.sum()
        hessian = design.T @ (design * curvature[:, None])
        hessian[np.arange(len(free)), np.arange(len(free))] += LONG(l2)
        step = solve(hessian, np.append(slope, db) if fit_intercept else slope)
        before, rate = objective(x, y, s, w, b, l2, l1), LONG(1)
        while True:
            next_w, next_b = w.copy(), b
            next_w[free] -= rate * step[: len(free)]
            if fit_intercept:
                next_b = b - rate * step[-1]
            if objective(x, y, s, next_w, next_b, l2, l1) <= before + LONG(1e-18) or rate < 1e-6:
                break
            rate /= 2
        w, b = next_w, next_b
        now = residual(x, y, s, w, b, l2, l1, fit_intercept)
        if now >= best_residual and best_residual < 1e-12:
            break
        if now < best_residual:
            best, best_residual = (w, b), now
    return best[0], best[1], best_residual
