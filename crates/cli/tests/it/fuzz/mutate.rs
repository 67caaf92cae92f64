//! Blind mutations of bytes.

/// Numbers that follow from seed, target and case alone.
pub(super) struct Draw(u64);

impl Draw {
    pub(super) fn new(seed: u64, name: &str, case: usize) -> Self {
        let digest = blake3::hash(format!("{seed} {name} {case}").as_bytes());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&digest.as_bytes()[..8]);
        Self(u64::from_le_bytes(bytes))
    }

    pub(super) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.number() % bound.max(1) as u64) as usize
    }

    pub(super) fn is_heads(&mut self) -> bool {
        self.below(2) == 0
    }

    pub(super) fn choice<'v, V>(&mut self, values: &'v [V]) -> &'v V {
        &values[self.below(values.len())]
    }
}

/// Numbers at which programs go wrong.
const EDGES: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x0fff_ffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
];
const DIGITS: [&str; 8] = [
    "0",
    "-1",
    "1e308",
    "1e-320",
    "18446744073709551616",
    "nan",
    "-0",
    "99999999",
];
/// Bytes that a piece that is moved or removed has, at the most.
const LONGEST_PIECE: usize = 64;

/// An input of the corpus after one to six mutations.
pub(super) fn mutate(corpus: &[Vec<u8>], words: &[&str], draw: &mut Draw) -> Vec<u8> {
    let mut bytes = draw.choice(corpus).clone();
    for _ in 0..=draw.below(6) {
        once(&mut bytes, corpus, words, draw);
    }
    bytes
}

fn once(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], words: &[&str], draw: &mut Draw) {
    let at = draw.below(bytes.len() + 1);
    let length = draw.below(LONGEST_PIECE).min(bytes.len() - at);
    match draw.below(11) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << draw.below(8);
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = draw.number() as u8;
            }
        }
        3 => {
            bytes.drain(at..at + length);
        }
        4 => {
            let piece = bytes[at..at + length].to_vec();
            let to = draw.below(bytes.len() + 1);
            bytes.splice(to..to, piece);
        }
        5 | 6 => {
            let word = if words.is_empty() || draw.below(4) == 0 {
                *draw.choice(&DIGITS)
            } else {
                *draw.choice(words)
            };
            let end = if draw.is_heads() {
                at
            } else {
                at + length.min(word.len())
            };
            bytes.splice(at..end, word.bytes());
        }
        7 => {
            let edge = draw.choice(&EDGES).to_le_bytes();
            let width = [1, 2, 4, 8][draw.below(4)].min(bytes.len() - at);
            bytes[at..at + width].copy_from_slice(&edge[..width]);
        }
        8 => {
            // The tail of another input.
            let other = draw.choice(corpus);
            let from = draw.below(other.len() + 1);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        9 => replace_number(bytes, at, draw),
        _ => bytes.truncate(at),
    }
}

/// Puts another number in the place of the next one that is written out.
fn replace_number(bytes: &mut Vec<u8>, at: usize, draw: &mut Draw) {
    let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit).map(|found| at + found) else {
        return;
    };
    let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    bytes.splice(start..start + length, draw.choice(&DIGITS).bytes());
}
