//! The config that `gradsweep run data.csv --target late` writes.

use super::config::Config;
use super::value::quoted;

impl Config {
    /// A short config with comments for one table and its target: a first sweep that is worth looking at.
    pub fn default_for(train_path: &str, target: &str, name: &str) -> String {
        let (train, target, name) = (quoted(train_path), quoted(target), quoted(name));
        format!(
            r#"# Written by gradsweep run; edit it and run it again.
version = 1
name = {name}

[data]
train = {train}     # a path, a glob, or a list of them
target = {target}
# positive = "LABEL"               # the label that counts as 1; run says which it is
# exclude = ["*_id"]               # columns that are not features

[validation]
strategy = "stratified"
folds = 5

[metrics]
report = ["log_loss", "roc_auc", "accuracy"]

[sweep]
metric = "log_loss"                # what ranks the trials

[sweep.parameters]                 # every combination of these is a trial
model.C = {{ min = 1e-4, max = 1e4, num = 17, log = true }}
"#
        )
    }
}
