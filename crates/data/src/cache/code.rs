//! Values to bytes and back, bit for bit. Texts of numbers would not do: not every reader brings back the last bit.

use std::ops::Range;

/// A value as bytes. What was put is taken in the same order.
pub(crate) trait Code: Sized {
    /// Appends the bytes.
    fn put(&self, out: &mut Vec<u8>);

    /// Takes the bytes of a value off the front; `None` if they are not one.
    fn take(from: &mut &[u8]) -> Option<Self>;
}

/// Implements [`Code`] for a struct by its fields, or for an enum by a number and the fields of each variant. A field
/// that is not listed does not compile.
macro_rules! code {
    (struct $name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::cache::Code for $name {
            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                $($crate::cache::Code::put($field, out);)*
            }

            fn take(from: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: $crate::cache::Code::take(from)?),* })
            }
        }
    };
    (enum $name:ident { $($number:literal => $variant:ident { $($field:ident),* }),* $(,)? }) => {
        impl $crate::cache::Code for $name {
            fn put(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$variant { $($field),* } => {
                        out.push($number);
                        $($crate::cache::Code::put($field, out);)*
                    })*
                }
            }

            fn take(from: &mut &[u8]) -> Option<Self> {
                match <u8 as $crate::cache::Code>::take(from)? {
                    $($number => Some(Self::$variant { $($field: $crate::cache::Code::take(from)?),* }),)*
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use code;

macro_rules! code_numbers {
    ($($name:ty),*) => {
        $(impl Code for $name {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn take(from: &mut &[u8]) -> Option<Self> {
                from.split_off(..size_of::<Self>())?.try_into().ok().map(Self::from_le_bytes)
            }
        })*
    };
}
code_numbers!(u8, u32, u64, f64);

impl Code for usize {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u64).put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        u64::take(from)?.try_into().ok()
    }
}

impl Code for bool {
    fn put(&self, out: &mut Vec<u8>) {
        u8::from(*self).put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        match u8::take(from)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Code for String {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let len = usize::take(from)?;
        Self::from_utf8(from.split_off(..len)?.to_vec()).ok()
    }
}

impl<V: Code> Code for Option<V> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        if bool::take(from)? {
            V::take(from).map(Some)
        } else {
            Some(None)
        }
    }
}

impl<V: Code> Code for Vec<V> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        for value in self {
            value.put(out);
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let len = usize::take(from)?;
        // Every value has a byte at least, so that a wrong length cannot ask for more memory than there are bytes.
        let mut values = Self::with_capacity(len.min(from.len()));
        for _ in 0..len {
            values.push(V::take(from)?);
        }
        Some(values)
    }
}

impl<V: Code, const N: usize> Code for [V; N] {
    fn put(&self, out: &mut Vec<u8>) {
        for value in self {
            value.put(out);
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let values: Option<Vec<V>> = (0..N).map(|_| V::take(from)).collect();
        values?.try_into().ok()
    }
}

impl Code for Range<usize> {
    fn put(&self, out: &mut Vec<u8>) {
        [self.start, self.end].put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let [start, end] = Code::take(from)?;
        Some(start..end)
    }
}

impl<A: Code, B: Code> Code for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some((A::take(from)?, B::take(from)?))
    }
}

impl<A: Code, B: Code, C: Code> Code for (A, B, C) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
        self.2.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some((A::take(from)?, B::take(from)?, C::take(from)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Any = (Vec<(String, Option<u64>)>, Vec<Vec<u32>>, [bool; 2]);

    proptest! {
        #[test]
        fn what_is_put_is_taken(
            texts in prop::collection::vec((".*", prop::option::of(any::<u64>())), 0..5),
            numbers in prop::collection::vec(prop::collection::vec(any::<u32>(), 0..4), 0..4),
            flags: [bool; 2],
            number: f64,
        ) {
            let value: Any = (texts, numbers, flags);
            let mut bytes = Vec::new();
            value.put(&mut bytes);
            number.put(&mut bytes);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(Any::take(&mut rest), Some(value));
            prop_assert_eq!(f64::take(&mut rest).map(f64::to_bits), Some(number.to_bits()));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn any_bytes_are_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut rest = bytes.as_slice();
            if let Some(value) = Any::take(&mut rest) {
                let mut again = Vec::new();
                value.put(&mut again);
                prop_assert_eq!(&again, &bytes[..bytes.len() - rest.len()]);
            }
        }
    }
}
