//! `[preprocess]`: from raw columns to features, with statistics of each fold's training rows.

use super::key::{Kind, Spec, choices, settings};

settings! {
    /// From raw columns to features; statistics are taken from each fold's training rows, never from held-out rows.
    pub PreprocessConfig {
        /// What stands for a missing number.
        impute "impute": Impute = Spec::of(Kind::Choice(Impute::CHOICES), "\"zero\"").default("\"mean\"").swept();
        /// Adds a 0/1 column for every feature that has missing values.
        indicator "indicator": bool = Spec::of(Kind::Bool, "true").default("false").swept();
        /// How numeric columns are scaled.
        scale "scale": Scale = Spec::of(Kind::Choice(Scale::CHOICES), "\"none\"").default("\"standard\"").swept();
        /// How categorical columns become 0/1 columns.
        one_hot "one_hot": OneHot = Spec::table(OneHot::KEYS);
    }
}

settings! {
    /// How categorical columns become 0/1 columns.
    pub OneHot {
        /// A level needs this many training rows of the fold, counted by their weights, for a column of its own.
        min_frequency "min_frequency": u64 =
            Spec::of(Kind::Integer(0, i64::MAX), "100").default("10").unit("rows").swept();
        /// At most this many columns per categorical column, `(other)` included; ties go by the level's text.
        max_categories "max_categories": usize =
            Spec::of(Kind::Integer(1, u32::MAX as i64), "50").default("1000").unit("columns").swept();
        /// What becomes of rare and unseen levels.
        other "other": OtherLevels =
            Spec::of(Kind::Choice(OtherLevels::CHOICES), "\"ignore\"").default("\"group\"").swept();
        /// Whether one level goes without a column.
        drop "drop": DropLevel = Spec::of(Kind::Choice(DropLevel::CHOICES), "\"first\"").default("\"none\"").swept();
    }
}

choices! {
    /// What stands for a missing number.
    pub Impute {
        /// The mean of the fold's training rows.
        Mean "mean";
        /// The median of the fold's training rows.
        Median "median";
        /// Zero.
        Zero "zero";
        /// Nothing: a missing number stops with its column named.
        Error "error";
    }
}

choices! {
    /// How numeric columns are scaled.
    pub Scale {
        /// To mean 0 and standard deviation 1.
        Standard "standard";
        /// Not at all.
        None "none";
    }
}

choices! {
    /// What becomes of rare and unseen levels.
    pub OtherLevels {
        /// They share the column `(other)`.
        Group "group";
        /// Their rows are all zeros.
        Ignore "ignore";
        /// An unseen level stops with its name.
        Error "error";
    }
}

choices! {
    /// Whether one level goes without a column.
    pub DropLevel {
        /// Every level has a column.
        None "none";
        /// The first level has none.
        First "first";
    }
}
