//! `gradsweep check`: a config without its data, or with them.

use gradsweep_data as data;
use gradsweep_report::{self as report, ProfileColumn, ProfileFold, ProfileFoldColumn, number};
use gradsweep_runner::config::Config;
use gradsweep_runner::{search, sweep};

use super::request;
use crate::args::CheckArgs;
use crate::exit::{Failure, OK};
use crate::terminal;

pub(crate) fn check(arguments: &CheckArgs) -> Result<u8, Failure> {
    let request = request(&arguments.source)?;
    let (trials, left_out) = search::count(&request.config)?;
    let title = format!(
        "{}: no problems, {}",
        arguments.source.config.display(),
        number::counted(trials as u64, "trial")
    );
    if !arguments.data {
        let notes = left_out.iter().map(|note| format!("note: {note}\n"));
        terminal::result(&format!("{title}\n{}", notes.collect::<String>()))?;
        return Ok(OK);
    }
    let (summary, profile) = sweep::examine(&request)?;
    let mut page = shown(&request.config, summary, profile);
    page.title = title;
    page.trials = trials as u64;
    page.notes.extend(left_out);
    terminal::result(&page.page().render(arguments.format))?;
    Ok(OK)
}

/// The columns of the files by their roles: target and others first, then the features, then what is skipped.
fn shown(config: &Config, summary: data::Summary, profile: data::Profile) -> report::Profile {
    let own = &config.data;
    let roles = [
        ("target", Some(&own.target)),
        ("weight", own.weight.as_ref()),
        ("group", own.group.as_ref()),
        ("fold", own.fold.as_ref()),
        ("time", own.time.as_ref()),
        ("id", own.id.as_ref()),
    ];
    let mut columns: Vec<ProfileColumn> = roles
        .into_iter()
        .filter_map(|(role, column)| {
            Some(ProfileColumn {
                name: column?.clone(),
                role: role.to_owned(),
                ..ProfileColumn::default()
            })
        })
        .collect();
    columns.extend(profile.columns.into_iter().map(feature));
    columns.extend(summary.skipped.iter().map(|skipped| ProfileColumn {
        name: skipped.column.clone(),
        role: "skipped".to_owned(),
        note: skipped.reason.to_string(),
        ..ProfileColumn::default()
    }));
    let target = summary.target;
    report::Profile {
        files: summary.files,
        rows: summary.rows as u64,
        rows_dropped: summary.rows_dropped as u64,
        fingerprint: summary.fingerprint,
        target: target.name,
        positive: (target.positive, target.positives),
        negative: (target.negative, target.rows - target.positives),
        weight: summary.weight.map(|weight| (weight.name, weight.sum, weight.zeros)),
        columns,
        folds: profile
            .folds
            .into_iter()
            .map(|fold| ProfileFold {
                label: fold.label,
                train: fold.train,
                val: fold.val,
            })
            .collect(),
        notes: summary.warnings,
        ..report::Profile::default()
    }
}

fn feature(column: data::ColumnProfile) -> ProfileColumn {
    let mut notes = Vec::new();
    if column.rows == 0 {
        notes.push("no value".to_owned());
    } else if column.held == column.width && column.width > 0 {
        notes.push("constant".to_owned());
    }
    ProfileColumn {
        role: "feature".to_owned(),
        kind: column.kind.word().to_owned(),
        rows: Some(column.rows),
        missing: Some(column.missing),
        width: Some(column.width as u64),
        mean: column.mean,
        std: column.std,
        min: column.min,
        max: column.max,
        levels: column.levels,
        folds: column
            .folds
            .into_iter()
            .map(|fold| ProfileFoldColumn {
                rows: fold.rows,
                missing: fold.missing,
                mean: fold.mean,
                std: fold.std,
                levels: fold.levels,
            })
            .collect(),
        note: notes.join("; "),
        name: column.name,
    }
}
