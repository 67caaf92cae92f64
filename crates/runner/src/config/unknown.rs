//! What to say of a name that is no key.

use super::key::Key;
use super::report::{Draft, Report};
use super::suggest::{did_you_mean, homes, is_slip, nearest, refused};
use super::table::join;
use super::tree::{Data, Entry};

/// Reports an entry whose name is none of `keys`, the keys of the table at `path`.
pub(super) fn report(report: &mut Report, keys: &[Key], path: &str, entry: &Entry) {
    let name = entry.name.as_str();
    let near = nearest(name, keys.iter().map(|key| key.name));
    // Whatever was meant has not been said: no rule may judge it, nor miss it.
    for key in &near {
        report.break_path(&join(path, key));
    }
    let place = match path {
        "" => "the top level".to_owned(),
        path => format!("[{path}]"),
    };
    let message = format!("`{name}` is not a key of {place}");
    let is_top = !path.is_empty() && matches!(name, "name" | "version");
    let draft = if is_top {
        Draft::new(format!("`{name}` belongs at the top of the file")).label("move above the first [table]")
    } else if let Some(foreign) = refused(name) {
        report.break_path(foreign.path);
        foreign.advise(Draft::new(message), did_you_mean(&near))
    } else if let Some(label) = did_you_mean(&near)
        && (near.iter().any(|key| is_slip(name, key)) || homes(name).is_empty())
    {
        Draft::new(message).label(label)
    } else {
        let homes = match homes(name) {
            homes if homes.is_empty() => far_homes(name),
            homes => homes,
        };
        for home in &homes {
            report.break_path(home);
        }
        elsewhere(message, name, &homes, matches!(entry.node.data, Data::Table(_)), keys)
    };
    report.add(&entry.name_at, draft);
}

/// Keys of other tables that are a slip away; of a few letters, too many are.
fn far_homes(name: &str) -> Vec<&'static str> {
    if name.chars().count() < 4 {
        return Vec::new();
    }
    let names = super::table::paths()
        .keys()
        .map(|path| path.rsplit('.').next().unwrap_or(path));
    match nearest(name, names).first() {
        Some(best) => homes(best),
        None => Vec::new(),
    }
}

fn elsewhere(message: String, name: &str, homes: &[&str], is_table: bool, keys: &[Key]) -> Draft {
    match homes {
        [] => {
            let names: Vec<_> = keys.iter().map(|key| key.name).collect();
            Draft::new(message)
                .label("no such key")
                .help(format!("its keys are {}", names.join(", ")))
        }
        [home] => {
            let (table, key) = home.rsplit_once('.').unwrap_or(("", home));
            let label = match (table, is_table) {
                ("", _) => format!("did you mean the table [{key}]?"),
                (_, true) => format!("did you mean [{home}]?"),
                (table, false) if key == name => format!("this key belongs to [{table}]"),
                (table, false) => format!("did you mean `{key}` of [{table}]?"),
            };
            Draft::new(message).label(label)
        }
        homes => {
            let quoted: Vec<_> = homes.iter().take(3).map(|home| format!("`{home}`")).collect();
            Draft::new(message).label(format!("did you mean {}?", quoted.join(" or ")))
        }
    }
}
