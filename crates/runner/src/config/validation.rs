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
        repeats "repeats": u32 = Spec::of(Kind::Integer(1, 65_535), "3").default("1").later();
        /// The share of rows that "holdout" holds out.
        fraction "fraction": f64 =
            Spec::of(Kind::Number(Bounds::new(0.0, 1.0, false, false)), "0.3").default("0.2").unit("share of rows");
        /// Deals rows to folds at random; false cuts the files in order.
        shuffle "shuffle": bool = Spec::of(Kind::Bool, "false").default("true");
    }
}

choices! {
    /// How rows are assigned to folds.
    pub Strategy {
        /// Folds with equal shares of the classes.
        Stratified "stratified";
        /// Folds of equal size.
        KFold "kfold";
        /// Rows of a group stay in one fold.
        Group "group" later;
        /// Every fold is later than the rows it is tested against.
        Time "time" later;
        /// The labels of the column `data.fold`.
        Predefined "predefined";
        /// One part of the rows, held out once.
        Holdout "holdout";
        /// Nothing is held out.
        None "none";
    }
}
