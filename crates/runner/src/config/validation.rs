//! `[validation]`: which rows are held out.

use super::key::{Bounds, Kind, Spec, choices, settings};

settings! {
    /// Which rows are held out.
    pub ValidationConfig {
        /// How rows are assigned to folds.
        strategy "strategy": Strategy = Spec::of(Kind::Choice(Strategy::CHOICES), "\"kfold\"").default("\"stratified\"");
        /// The number of folds.
        folds "folds": usize = Spec::of(Kind::Integer(2, 65_535), "10").default("5").unit("folds");
        /// Repeats the folds with other assignments of rows.
        repeats "repeats": u32 = Spec::of(Kind::Integer(1, 65_535), "3").default("1");
        /// The share of rows that "holdout" holds out.
        fraction "fraction": f64 =
            Spec::of(Kind::Number(Bounds::new(0.0, 1.0, false, false)), "0.3").default("0.2").unit("share of rows");
        /// Deals rows to folds at random; false cuts the files in order.
        shuffle "shuffle": bool = Spec::of(Kind::Bool, "false").default("true");
    }
}

impl ValidationConfig {
    /// How many times the rows are assigned to folds.
    pub fn repeats(&self) -> u32 {
        if self.strategy.uses("repeats") { self.repeats } else { 1 }
    }
}

choices! {
    /// How rows are assigned to folds.
    pub Strategy {
        /// Folds with equal shares of the classes.
        Stratified "stratified" => &["folds", "repeats", "shuffle"];
        /// Folds of equal size.
        KFold "kfold" => &["folds", "repeats", "shuffle"];
        /// Folds of nearly equal size; rows of equal value in the column `data.group` stay in one fold.
        Group "group" => &["folds", "repeats", "shuffle"];
        /// Folds in the order of the column `data.time`, each held out after training on what lies before it.
        Time "time" => &["folds"];
        /// The labels of the column `data.fold`.
        Predefined "predefined" => &[];
        /// One part of the rows, held out once.
        Holdout "holdout" => &["fraction", "repeats", "shuffle"];
        /// Nothing is held out.
        None "none" => &[];
    }
}

impl Strategy {
    /// Whether the key of `[validation]` with this name matters to this strategy: it lists the key, or none does.
    pub fn uses(self, key: &str) -> bool {
        Self::CHOICES[self as usize].uses.contains(&key) || Self::users(key).is_empty()
    }

    /// The strategies that list the key; none when it matters to all.
    pub fn users(key: &str) -> Vec<Self> {
        let uses = |strategy: &Self| Self::CHOICES[*strategy as usize].uses.contains(&key);
        Self::ALL.iter().copied().filter(uses).collect()
    }

    /// The key of `[data]` with the column that it goes by, if it goes by one.
    pub fn column(self) -> Option<&'static str> {
        match self {
            Self::Group => Some("group"),
            Self::Time => Some("time"),
            Self::Predefined => Some("fold"),
            Self::Stratified | Self::KFold | Self::Holdout | Self::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_strategies_list_are_keys() {
        for choice in Strategy::CHOICES {
            for key in choice.uses {
                assert!(
                    ValidationConfig::KEYS.iter().any(|k| k.name == *key),
                    "{}: {key}",
                    choice.name
                );
            }
        }
        assert!(Strategy::Time.uses("folds") && !Strategy::Time.uses("shuffle"));
        assert!(Strategy::None.uses("strategy"));
    }
}
