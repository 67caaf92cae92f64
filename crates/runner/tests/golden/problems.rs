//! The twin of scripts/golden/problems.py: the same draws, the same tables, bit for bit.

use ndarray::Array2;
use serde::Deserialize;

/// Draws of splitmix64 (Steele, Lea, Flood 2014).
pub(super) struct Stream {
    state: u64,
}

impl Stream {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Irwin and Hall: twelve uniforms, added in order, minus 6.
    fn normal(&mut self) -> f64 {
        let mut total = self.uniform();
        for _ in 1..12 {
            total += self.uniform();
        }
        total - 6.0
    }

    fn normals(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.normal()).collect()
    }

    fn integer(&mut self, below: i64) -> i64 {
        (self.bits() % below as u64).cast_signed()
    }
}

/// What makes a problem; see problems.py.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Spec {
    pub(super) seed: u64,
    pub(super) rows: usize,
    pub(super) features: usize,
    closeness: f64,
    threshold: f64,
    scales: Vec<f64>,
    offsets: Vec<f64>,
    noise: f64,
    signal: f64,
    /// The fingerprint of the table that the answers belong to.
    inputs: String,
}

/// A problem in small integers; see problems.py.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Lattice {
    pub(super) seed: u64,
    rows: usize,
    features: usize,
    reach: i64,
    kind: String,
    flips: usize,
    inputs: String,
}

/// Features, 0/1 labels and row weights.
pub(super) struct Table {
    pub(super) x: Array2<f64>,
    pub(super) y: Vec<f64>,
    pub(super) weight: Vec<f64>,
}

impl Table {
    fn fingerprint(&self) -> String {
        let words = self.x.iter().chain(&self.y).chain(&self.weight);
        let hash = words.fold(0xcbf2_9ce4_8422_2325u64, |hash, word| {
            (hash ^ word.to_bits()).wrapping_mul(0x100_0000_01b3)
        });
        format!("{hash:016x}")
    }
}

impl Spec {
    pub(super) fn make(&self) -> Table {
        let (rows, features) = (self.rows, self.features);
        let mut stream = Stream::new(self.seed);
        let mut base =
            Array2::from_shape_vec((rows, features), stream.normals(rows * features)).expect("rows in order");
        for j in (1..features).step_by(2) {
            for i in 0..rows {
                base[[i, j]] = base[[i, j - 1]] + self.closeness * base[[i, j]];
            }
        }
        let mut pick = |list: &[f64]| -> Vec<f64> {
            let drawn = (0..features).map(|_| stream.integer(list.len().cast_signed() as i64) as usize);
            drawn.map(|place| list[place]).collect()
        };
        let (scale, offset) = (pick(&self.scales), pick(&self.offsets));
        let size = self.signal / (features as f64).sqrt();
        let w: Vec<f64> = stream.normals(features).into_iter().map(|w| w * size).collect();
        let noise = stream.normals(rows);
        let weight = (0..rows).map(|_| (stream.integer(8) + 1) as f64 * 0.25).collect();
        let y = (0..rows).map(|i| {
            let z = (0..features).fold(0.0, |z, j| z + base[[i, j]] * w[j]);
            f64::from(z + noise[i] * self.noise > self.threshold)
        });
        let table = Table {
            y: y.collect(),
            x: Array2::from_shape_fn((rows, features), |(i, j)| (base[[i, j]] + offset[j]) * scale[j]),
            weight,
        };
        assert_eq!(table.fingerprint(), self.inputs, "{self:?}: other inputs than Python's");
        table
    }
}

impl Lattice {
    pub(super) fn make(&self) -> Table {
        let (rows, features) = (self.rows, self.features);
        let mut stream = Stream::new(self.seed);
        let mut draw = |below: i64, count: usize| -> Vec<i64> { (0..count).map(|_| stream.integer(below)).collect() };
        let x = draw(2 * self.reach + 1, rows * features);
        let mut x = Array2::from_shape_vec((rows, features), x).expect("rows in order") - self.reach;
        let mut w: Vec<i64> = draw(5, features).into_iter().map(|w| w - 2).collect();
        w[0] = w[0].abs() + 1;
        let b = draw(3, 1)[0] - 1;
        let noise: Vec<i64> = draw(8 * self.reach + 1, rows)
            .into_iter()
            .map(|e| e - 4 * self.reach)
            .collect();
        let turned = draw(rows.cast_signed() as i64, self.flips.max(1));
        if self.kind == "level" {
            x.column_mut(features - 1).fill(0);
        }
        let score: Vec<i64> = (0..rows)
            .map(|i| b + (0..features).map(|j| x[[i, j]] * w[j]).sum::<i64>())
            .collect();
        let mut y: Vec<bool> = score.iter().map(|score| 2 * score + 1 > 0).collect();
        match &*self.kind {
            "complete" => {}
            "boundary" => {
                let on = (0..rows).filter(|&i| score[i] == 0);
                for (place, i) in on.enumerate() {
                    y[i] = place % 2 == 1;
                }
            }
            "level" => {
                for i in 0..rows {
                    y[i] = 2 * score[i] + noise[i] > 0 || i < self.flips;
                }
                for i in 0..self.flips {
                    x[[i, features - 1]] = 1;
                }
            }
            "overlap" => {
                for &row in &turned[..self.flips] {
                    y[row as usize] = !y[row as usize];
                }
            }
            other => panic!("no kind of problem: {other}"),
        }
        let table = Table {
            x: x.mapv(|x| x as f64),
            y: y.into_iter().map(f64::from).collect(),
            weight: vec![1.0; rows],
        };
        assert_eq!(table.fingerprint(), self.inputs, "{self:?}: other inputs than Python's");
        table
    }
}

#[test]
fn draws_are_those_of_splitmix64() {
    // The first numbers of the reference implementation for seed 1234567.
    let mut stream = Stream::new(1_234_567);
    let drawn = [(); 3].map(|()| stream.bits());
    assert_eq!(
        drawn,
        [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423
        ]
    );
}

#[test]
fn tables_are_those_of_python() {
    let mut made = 0;
    for name in ["newton.json", "logit.json", "elastic_net.json", "kkt.json"] {
        for spec in super::read::<Spec>(name, "problems") {
            let table = spec.make();
            assert_eq!(table.x.dim(), (spec.rows, spec.features));
            made += 1;
        }
    }
    for lattice in super::read::<Lattice>("separation.json", "problems") {
        lattice.make();
        made += 1;
    }
    assert_eq!(made, 50 + 24 + 32 + 300 + 220);
}
