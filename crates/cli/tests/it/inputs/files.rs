//! Paths, folders and lists of files.

use std::path::Path;

use super::fixture::{Case, Data, Works, case, good, label, table};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = paths();
    cases.extend(lists());
    cases.extend(folders());
    cases
}

fn put(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
    std::fs::write(path, text).expect("written");
}

fn paths() -> Vec<Case> {
    let mut cases = vec![
        case("a file that is not there", Data)
            .make(|dir| put(dir, "dato.csv", &good()))
            .says(["there is no file data.csv", "did you mean dato.csv?"]),
        case("an ending without a format", Data)
            .train("\"data.xlsx\"")
            .make(|dir| put(dir, "data.xlsx", &good()))
            .says(["data.xlsx is neither .parquet"]),
        case("a folder", Data)
            .train("\"folder\"")
            .make(|dir| put(dir, "folder/a.csv", &good()))
            .says(["folder is a folder", "folder/*.parquet"]),
        case("an empty folder named as a file", Data)
            .make(|dir| std::fs::create_dir(dir.join("data.csv")).expect("created"))
            .says(["data.csv is a folder"]),
        case("a pattern without a file", Data)
            .train("\"data-*.csv\"")
            .says(["no file matches data-*.csv"]),
        case("a pattern that is none", Data)
            .train("\"data-[.csv\"")
            .says(["data-[.csv"]),
    ];
    #[cfg(unix)]
    cases.extend(unix_paths());
    cases
}

#[cfg(unix)]
fn unix_paths() -> Vec<Case> {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let mut cases = vec![
        case("a pipe", Data)
            .make(|dir| {
                let made = std::process::Command::new("mkfifo").arg(dir.join("data.csv")).status();
                assert!(made.expect("mkfifo starts").success());
            })
            .says(["data.csv is not a regular file"]),
        case("a device", Data)
            .make(|dir| symlink("/dev/zero", dir.join("data.csv")).expect("linked"))
            .says(["data.csv is not a regular file"]),
        case("a link to nothing", Data)
            .make(|dir| symlink("nothing.csv", dir.join("data.csv")).expect("linked"))
            .says(["data.csv"]),
        case("a link to itself", Data)
            .make(|dir| symlink("data.csv", dir.join("data.csv")).expect("linked"))
            .says(["data.csv"]),
        case("a link to a file", Works).make(|dir| {
            put(dir, "real.csv", &good());
            symlink("real.csv", dir.join("data.csv")).expect("linked");
        }),
    ];
    // Who may read everything is refused nothing.
    let probe = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::set_permissions(probe.path(), std::fs::Permissions::from_mode(0o000)).expect("set");
    if std::fs::File::open(probe.path()).is_err() {
        cases.push(
            case("no permission", Data)
                .make(|dir| {
                    put(dir, "data.csv", &good());
                    let none = std::fs::Permissions::from_mode(0o000);
                    std::fs::set_permissions(dir.join("data.csv"), none).expect("set");
                })
                .says(["cannot read data.csv", "ermission denied"]),
        );
    }
    cases
}

fn lists() -> Vec<Case> {
    vec![
        case("a pattern of sixteen files", Works)
            .train("\"part-*.csv\"")
            .make(|dir| {
                for file in 0..16 {
                    put(dir, &format!("part-{file:02}.csv"), &good());
                }
            }),
        case("a list", Works).train("[\"b.csv\", \"a.csv\"]").make(|dir| {
            put(dir, "a.csv", &good());
            put(dir, "b.csv", &good());
        }),
        case("a file twice", Data)
            .train("[\"data.csv\", \"./data.csv\"]")
            .csv(good())
            .says(["are the same file"]),
        case("files of two formats", Data)
            .train("[\"data.csv\", \"data.parquet\"]")
            .make(|dir| {
                put(dir, "data.csv", &good());
                put(dir, "data.parquet", "PAR1");
            })
            .says(["data.csv and data.parquet have different formats"]),
        case("a file with another column", Data)
            .train("[\"a.csv\", \"b.csv\"]")
            .make(|dir| {
                put(dir, "a.csv", &good());
                put(dir, "b.csv", &good().replace("x,y", "z,y"));
            })
            .says(["b.csv lacks column \"x\", unlike a.csv"]),
        case("a file with one column more", Data)
            .train("[\"a.csv\", \"b.csv\"]")
            .make(|dir| {
                put(dir, "a.csv", &good());
                put(
                    dir,
                    "b.csv",
                    &table("x,z,y", 9, |row| format!("{row},1,{}", label(row))),
                );
            })
            .says(["b.csv has the extra column \"z\", unlike a.csv"]),
        case("columns in another order", Works)
            .train("[\"a.csv\", \"b.csv\"]")
            .make(|dir| {
                put(dir, "a.csv", &good());
                put(dir, "b.csv", &table("y,x", 9, |row| format!("{},{row}", label(row))));
            }),
        case("an empty file among others", Data)
            .train("[\"a.csv\", \"b.csv\"]")
            .make(|dir| {
                put(dir, "a.csv", &good());
                put(dir, "b.csv", "");
            })
            .says(["b.csv is empty"]),
    ]
}

fn folders() -> Vec<Case> {
    vec![
        case("a partitioned folder", Works)
            .train("\"folder\"")
            .make(|dir| {
                put(dir, "folder/year=2013/month=01/a.csv", &good());
                put(dir, "folder/year=2014/month=02/a.csv", &good());
                put(dir, "folder/_SUCCESS", "");
            })
            .data("include = [\"x\", \"year\", \"month\"]"),
        case("a partition is the target", Works)
            .train("\"folder\"")
            .make(|dir| {
                let rows = |step: usize| table("x", 20, |row| (row * step % 9).to_string());
                put(dir, "folder/y=no/a.csv", &rows(1));
                put(dir, "folder/y=yes/a.csv", &rows(2));
            }),
        case("folders of other columns", Data)
            .train("\"folder\"")
            .make(|dir| {
                put(dir, "folder/year=2013/a.csv", &good());
                put(dir, "folder/month=1/a.csv", &good());
            })
            .says(["lies in folders of \"year\", unlike folder/month=1/a.csv in folders of \"month\""]),
        case("a partitioned folder without files", Data)
            .train("\"folder\"")
            .make(|dir| std::fs::create_dir_all(dir.join("folder/year=2013")).expect("created"))
            .says(["folder is a folder"]),
    ]
}
