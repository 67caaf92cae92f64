//! The table of keys: what a key is, and the two macros that every file of this folder lists its keys with.
//!
//! A key is written once, as a field of its table's struct. The macro makes from it the typed field, the row of the key
//! table (checks, suggestions and the reference read it) and both conversions.

use super::value::Value;

/// One key of a config, as the reference and the checks see it.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The last segment of its path.
    pub name: &'static str,
    pub(super) doc: &'static str,
    /// What it takes.
    pub spec: Spec,
    /// The one form of a checked value, so that equal settings compare equal.
    pub(super) canonical: fn(&Value) -> Option<Value>,
}

impl Key {
    /// What it does, in a sentence or two.
    pub fn doc(&self) -> &'static str {
        self.doc.trim()
    }

    /// The keys below it, when its value is a table with fixed names.
    pub fn fields(&self) -> &'static [Key] {
        match self.spec.kind {
            Kind::Fields(keys) => keys,
            _ => &[],
        }
    }
}

/// What a key takes, what it means when absent, and where it may be used.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// The values it takes.
    pub kind: Kind,
    /// The value it has when absent, as TOML; `None` where absence itself is the meaning.
    pub default: Option<&'static str>,
    /// It must be written.
    pub is_required: bool,
    /// The unit of its numbers, or nothing.
    pub unit: &'static str,
    /// A value that differs from the default, as TOML.
    pub example: &'static str,
    /// Whether `[sweep.parameters]` may name it.
    pub is_sweepable: bool,
    /// False: only the default is built, and absence where there is none.
    pub is_built: bool,
    /// The value that a sibling must have for this key to mean anything.
    pub only_with: Option<(&'static str, &'static str)>,
}

impl Spec {
    /// A key that may be absent.
    pub(super) const fn of(kind: Kind, example: &'static str) -> Self {
        Self {
            kind,
            default: None,
            is_required: false,
            unit: "",
            example,
            is_sweepable: false,
            is_built: true,
            only_with: None,
        }
    }

    /// A table of keys; absent means that each of them is.
    pub(super) const fn table(keys: &'static [Key]) -> Self {
        Self::of(Kind::Fields(keys), "").default("{}")
    }

    pub(super) const fn default(mut self, toml: &'static str) -> Self {
        self.default = Some(toml);
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    pub(super) const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    pub(super) const fn swept(mut self) -> Self {
        self.is_sweepable = true;
        self
    }

    pub(super) const fn later(mut self) -> Self {
        self.is_built = false;
        self
    }

    pub(super) const fn only_with(mut self, key: &'static str, value: &'static str) -> Self {
        self.only_with = Some((key, value));
        self
    }
}

/// The values that a key takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// An integer between two bounds, both included.
    Integer(i64, i64),
    /// A number.
    Number(Bounds),
    /// Text with at least one character.
    Text,
    /// Any text.
    AnyText,
    /// Text with a form of its own.
    Formatted(Format),
    /// A class label: text, a number, or `true`/`false`.
    Label,
    /// One of these words.
    Choice(&'static [Choice]),
    /// One of these words, or a value of another kind.
    Either(&'static [Choice], &'static Kind),
    /// A list; the number is its least length.
    List(&'static Kind, usize),
    /// One value or a list of them, with at least one.
    OneOrMore(&'static Kind),
    /// A table with free names.
    Map(&'static Kind),
    /// A table with these names.
    Fields(&'static [Key]),
    /// `[sweep.parameters]`.
    Parameters,
    /// `[[sweep.points]]` or `[[sweep.exclude]]`.
    Assignments,
    /// Whatever the key in front of it takes (`values` of a swept parameter).
    Any,
}

impl Kind {
    /// Whether a range of it is counted in whole numbers.
    pub(crate) fn is_integer(&self) -> bool {
        match self {
            Self::Integer(..) => true,
            Self::Either(_, kind) => kind.is_integer(),
            _ => false,
        }
    }

    /// Whether a range of it makes sense.
    pub(crate) fn is_numeric(&self) -> bool {
        match self {
            Self::Integer(..) | Self::Number(_) => true,
            Self::Either(_, kind) => kind.is_numeric(),
            _ => false,
        }
    }

    /// Whether its own values can be lists or tables, so that a bare list cannot mean several of them.
    pub(crate) fn is_container(&self) -> bool {
        match self {
            Self::List(..) | Self::OneOrMore(_) | Self::Map(_) | Self::Fields(_) => true,
            Self::Either(_, kind) => kind.is_container(),
            _ => false,
        }
    }
}

/// The range of a number.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
    /// `min` itself is a value.
    pub has_min: bool,
    /// `max` itself is a value.
    pub has_max: bool,
}

impl Bounds {
    /// Any finite number.
    pub(super) const FINITE: Self = Self::new(f64::NEG_INFINITY, f64::INFINITY, false, false);
    /// Above zero, finite.
    pub(super) const POSITIVE: Self = Self::new(0.0, f64::INFINITY, false, false);
    /// Zero or more, finite.
    pub(super) const NOT_NEGATIVE: Self = Self::new(0.0, f64::INFINITY, true, false);
    /// From zero to one, both included.
    pub(super) const UNIT: Self = Self::new(0.0, 1.0, true, true);

    pub(super) const fn new(min: f64, max: f64, has_min: bool, has_max: bool) -> Self {
        Self {
            min,
            max,
            has_min,
            has_max,
        }
    }

    /// Whether `value` lies inside.
    pub fn contains(&self, value: f64) -> bool {
        let is_above = if self.has_min {
            value >= self.min
        } else {
            value > self.min
        };
        let is_below = if self.has_max {
            value <= self.max
        } else {
            value < self.max
        };
        is_above && is_below
    }
}

/// Text with a form of its own.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// What is expected, for messages.
    pub what: &'static str,
    /// What is wrong with a text, if anything.
    pub check: fn(&str) -> Option<String>,
}

/// One word that a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// As it is written.
    pub name: &'static str,
    pub(super) doc: &'static str,
    /// False: part of the contract, not built yet.
    pub is_built: bool,
    /// The sibling keys that matter only to this choice and to others that list them.
    pub uses: &'static [&'static str],
}

impl Choice {
    /// What it means.
    pub fn doc(&self) -> &'static str {
        self.doc.trim()
    }
}

/// A type that a checked value becomes, and that becomes a value again.
pub(crate) trait Setting: Sized {
    /// `None` when the value has not been checked against the type's key.
    fn read(value: &Value) -> Option<Self>;
    /// The value that reads back as `self`.
    fn write(&self) -> Value;

    /// Gives the key at this path below it a checked value; `None` if there is no such key or type.
    fn assign_within(&mut self, _path: &str, _value: &Value) -> Option<()> {
        None
    }

    /// The value of the key at this path below it.
    fn value_within(&self, _path: &str) -> Option<Value> {
        None
    }
}

/// The one form of a value of type `T`.
pub(super) fn canonical<T: Setting>(value: &Value) -> Option<Value> {
    T::read(value).map(|setting| setting.write())
}

/// One field of a struct made by [`settings!`].
pub(super) fn field<T: Setting>(table: &Value, name: &str) -> Option<T> {
    T::read(table.get(name).unwrap_or(&Value::Null))
}

/// Makes the struct of a table, its rows of the key table, and both conversions.
macro_rules! settings {
    (
        $(#[doc = $doc:literal])+
        $vis:vis $name:ident {
            $($(#[doc = $field_doc:literal])+ $field:ident $key:literal: $type:ty = $spec:expr;)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq)]
        $vis struct $name {
            $($(#[doc = $field_doc])+ $vis $field: $type,)+
        }

        impl $name {
            /// The rows of the key table, in the order of the reference.
            pub(crate) const KEYS: &'static [$crate::config::key::Key] = &[$(
                $crate::config::key::Key {
                    name: $key,
                    doc: concat!($($field_doc),+),
                    spec: $spec,
                    canonical: $crate::config::key::canonical::<$type>,
                },
            )+];

        }

        impl $crate::config::key::Setting for $name {
            fn read(value: &$crate::config::value::Value) -> Option<Self> {
                Some(Self { $($field: $crate::config::key::field(value, $key)?,)+ })
            }

            fn write(&self) -> $crate::config::value::Value {
                $crate::config::value::Value::Table(vec![
                    $(($key.to_owned(), $crate::config::key::Setting::write(&self.$field)),)+
                ])
            }

            fn assign_within(&mut self, path: &str, value: &$crate::config::value::Value) -> Option<()> {
                match path.split_once('.') {
                    $(Some(($key, below)) => self.$field.assign_within(below, value),)+
                    Some(_) => None,
                    None => {
                        match path {
                            $($key => self.$field = $crate::config::key::Setting::read(value)?,)+
                            _ => return None,
                        }
                        Some(())
                    }
                }
            }

            fn value_within(&self, path: &str) -> Option<$crate::config::value::Value> {
                match path.split_once('.') {
                    $(Some(($key, below)) => self.$field.value_within(below),)+
                    Some(_) => None,
                    None => match path {
                        $($key => Some($crate::config::key::Setting::write(&self.$field)),)+
                        _ => None,
                    },
                }
            }
        }
    };
}
pub(super) use settings;

/// Makes a closed enum of words: `later` marks those that are not built yet, `=> &[..]` lists the sibling keys that matter to
/// this word only.
macro_rules! choices {
    (
        $(#[doc = $doc:literal])+
        $vis:vis $name:ident {
            $($(#[doc = $choice_doc:literal])+ $choice:ident $text:literal $($later:ident)? $(=> $uses:expr)?;)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            $($(#[doc = $choice_doc])+ $choice,)+
        }

        impl $name {
            /// Every word, in the order of the reference.
            $vis const ALL: &'static [Self] = &[$(Self::$choice,)+];

            pub(crate) const CHOICES: &'static [$crate::config::key::Choice] = &[$(
                $crate::config::key::Choice {
                    name: $text,
                    doc: concat!($($choice_doc),+),
                    is_built: $crate::config::key::choices!(@built $($later)?),
                    uses: $crate::config::key::choices!(@uses $($uses)?),
                },
            )+];

            /// The word as it is written.
            $vis const fn name(self) -> &'static str {
                match self {
                    $(Self::$choice => $text,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl $crate::config::key::Setting for $name {
            fn read(value: &$crate::config::value::Value) -> Option<Self> {
                match value {
                    $crate::config::value::Value::Text(text) => {
                        Self::ALL.iter().copied().find(|choice| choice.name() == text)
                    }
                    _ => None,
                }
            }

            fn write(&self) -> $crate::config::value::Value {
                $crate::config::value::Value::Text(self.name().to_owned())
            }
        }
    };
    (@built) => { true };
    (@built later) => { false };
    (@uses) => { &[] };
    (@uses $uses:expr) => { $uses };
}
pub(super) use choices;
