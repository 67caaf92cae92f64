"""Small classification problems that Python and the Rust tests make alike, bit for bit.

Golden files keep answers, not inputs: a problem is its few numbers below, and both sides draw the table from them with
integers, additions, multiplications and square roots only, which IEEE 754 fixes to the last bit. The twin of this file
is `crates/runner/tests/golden/problems.rs`; a change here is a change there, and `inputs` in the golden files tells.

Draws are splitmix64 (Steele, Lea, Flood 2014): number i of seed s is mix(s + (i + 1) * 0x9e3779b97f4a7c15) mod 2^64.
A uniform is its upper 53 bits times 2^-53; a normal is the sum of twelve uniforms, in order, minus 6 (Irwin and Hall).
"""

from dataclasses import dataclass

import numpy as np

GAMMA = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1


class Stream:
    """A sequence of draws; arrays are filled in row order."""

    def __init__(self, seed: int):
        self.seed = seed
        self.drawn = 0

    def bits(self, count: int) -> np.ndarray:
        index = np.arange(self.drawn + 1, self.drawn + count + 1, dtype=np.uint64)
        self.drawn += count
        z = np.uint64(self.seed & MASK) + index * np.uint64(GAMMA)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))

    def uniform(self, *shape: int) -> np.ndarray:
        drawn = (self.bits(int(np.prod(shape))) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return drawn.reshape(shape)

    def normal(self, *shape: int) -> np.ndarray:
        twelve = self.uniform(*shape, 12)
        total = twelve[..., 0]
        for part in range(1, 12):
            total = total + twelve[..., part]
        return total - 6.0

    def integers(self, below: int, *shape: int) -> np.ndarray:
        """0 to below - 1; the bias of the remainder is far below what matters here."""
        return (self.bits(int(np.prod(shape))) % np.uint64(below)).astype(np.int64).reshape(shape)


@dataclass
class Spec:
    """What makes a problem.

    Features are independent normals, except that every odd one is its left neighbor plus `closeness` times a normal: the
    condition number of the features is some 2 / closeness. Feature j is then shifted by offset_j and multiplied by
    scale_j, drawn from the lists. Labels are 1 where the weighted features plus noise of deviation 1.75 exceed
    `threshold`: nearly a logistic model.
    """

    seed: int
    rows: int
    features: int
    closeness: float
    threshold: float
    scales: tuple[float, ...] = (1.0,)
    offsets: tuple[float, ...] = (0.0,)
    noise: float = 1.75
    signal: float = 1.5


@dataclass
class Table:
    """Features (n, d), 0/1 labels and weights k/4 with k in 1..8."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    def fingerprint(self) -> str:
        """FNV-1a over the 64-bit words of x in row order, y and weight: equal inputs, equal text."""
        words = np.concatenate([np.ascontiguousarray(part, dtype=np.float64).ravel() for part in (self.x, self.y, self.weight)])
        value = 0xCBF29CE484222325
        for word in words.view(np.uint64).tolist():
            value = ((value ^ word) * 0x100000001B3) & MASK
        return f"{value:016x}"


def make(spec: Spec) -> Table:
    """The table of a problem. The order of draws is features, scales, offsets, weights of the labels, noise, row weights."""
    stream = Stream(spec.seed)
    base = stream.normal(spec.rows, spec.features)
    for j in range(1, spec.features, 2):
        base[:, j] = base[:, j - 1] + spec.closeness * base[:, j]
    scale = np.array(spec.scales)[stream.integers(len(spec.scales), spec.features)]
    offset = np.array(spec.offsets)[stream.integers(len(spec.offsets), spec.features)]
    w = stream.normal(spec.features) * (spec.signal / np.sqrt(float(spec.features)))
    noise = stream.normal(spec.rows)
    weight = (stream.integers(8, spec.rows) + 1).astype(np.float64) * 0.25

    z = np.zeros(spec.rows)
    for j in range(spec.features):
        z = z + base[:, j] * w[j]
    y = (z + noise * spec.noise > spec.threshold).astype(np.float64)
    return Table((base + offset) * scale, y, weight)


@dataclass
class Lattice:
    """A problem in small integers, so that whether its classes are separated can be decided exactly.

    Features are integers in -`reach`..`reach`; b and the weights are small integers, and score = b + x . w. Labels by kind:

    complete   1 where 2 * score + 1 > 0, which no row meets with equality: the classes are separated
    boundary   1 where score > 0, and in turn 0 and 1 where it is 0: separated but for the rows on the boundary
    level      1 where 2 * score + noise > 0; the last feature is 1 in the first `flips` rows, where the label is 1 too,
               and 0 elsewhere: that level has one class only
    overlap    as complete, then `flips` labels drawn at random are turned over
    """

    seed: int
    rows: int
    features: int
    reach: int
    kind: str
    flips: int


def make_lattice(spec: Lattice) -> Table:
    """The table of an integer problem. The order of draws is features, weights, b, noise, turned labels."""
    stream = Stream(spec.seed)
    x = stream.integers(2 * spec.reach + 1, spec.rows, spec.features) - spec.reach
    w = stream.integers(5, spec.features) - 2
    w[0] = abs(w[0]) + 1
    b = stream.integers(3, 1)[0] - 1
    noise = stream.integers(8 * spec.reach + 1, spec.rows) - 4 * spec.reach
    turned = stream.integers(spec.rows, max(spec.flips, 1))
    if spec.kind == "level":
        x[:, -1] = 0
    score = x @ w + b
    y = (2 * score + 1 > 0).astype(np.int64)
    if spec.kind == "boundary":
        on = np.flatnonzero(score == 0)
        y[on] = np.arange(len(on)) % 2
    elif spec.kind == "level":
        y = (2 * score + noise > 0).astype(np.int64)
        x[: spec.flips, -1] = 1
        y[: spec.flips] = 1
    elif spec.kind == "overlap":
        for row in turned[: spec.flips]:
            y[row] = 1 - y[row]
    return Table(x.astype(np.float64), y.astype(np.float64), np.ones(spec.rows))
