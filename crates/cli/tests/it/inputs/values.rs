//! Rows, columns, cells, labels, weights and folds, as a CSV has them.

use super::fixture::{Case, Config, Data, Noted, Works, case, good, label, table, with};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = shapes();
    cases.extend(cells());
    cases.extend(levels());
    cases.extend(targets());
    cases.extend(weights());
    cases.extend(roles());
    cases.extend(dates());
    cases
}

fn shapes() -> Vec<Case> {
    let wide = |rows| {
        let names: Vec<String> = (0..60).map(|j| format!("x{j}")).collect();
        table(&(names.join(",") + ",y"), rows, |row| {
            let cells: Vec<String> = (0..60).map(|j| ((row * 31 + j * 17) % 101).to_string()).collect();
            cells.join(",") + "," + label(row)
        })
    };
    vec![
        case("no byte", Data).csv("").says(["data.csv is empty"]),
        case("header only", Data).csv("x,y\n").says(["data.csv has no rows"]),
        case("no feature", Data)
            .csv(table("y", 40, |row| label(row).to_owned()))
            .says(["no feature column is left"]),
        case("one row", Data).csv("x,y\n1,no\n").says(["one class only"]),
        case("two rows", Data)
            .csv("x,y\n1,no\n2,yes\n")
            .says(["has 1 row, fewer than the 2 folds"]),
        case("more features than rows", Works).csv(wide(20)),
        case("a column without a value", Noted)
            .csv(with("e", |_| String::new()))
            .says(["column \"e\" has no value in any row"]),
        case("a constant column", Noted)
            .csv(with("c", |_| "7".into()))
            .says(["column \"c\" is constant"]),
        case("nothing but a constant", Noted)
            .csv(table("c,y", 40, |row| format!("7,{}", label(row))))
            .says(["column \"c\" is constant"]),
        case("one column twice", Works).csv(with("again", |row| (row % 9).to_string())),
        case("one name twice", Data)
            .csv(good().replace("x,y", "x,x,y").replace(',', ",1,"))
            .says(["data.csv has columns of the same name"]),
        case("a column without a name", Works).csv(with("", |row| (row % 7).to_string())),
        case("a name over two lines", Works).csv(with("\"a\nb\"", |row| (row % 7).to_string())),
        case("a name with an escape", Works).csv(with("a\u{1b}[31mb", |row| (row % 7).to_string())),
        case("a name of the intercept's", Data)
            .csv(with("(intercept)", |row| (row % 7).to_string()))
            .says(["(intercept)"]),
    ]
}

fn cells() -> Vec<Case> {
    let cell =
        |at: usize, text: &'static str| move |row: usize| if row == at { text.into() } else { (row % 7).to_string() };
    vec![
        case("nan", Noted)
            .csv(with("n", cell(5, "NaN")))
            .says(["missing  n 2.5 %"]),
        case("inf", Data)
            .csv(with("n", cell(5, "inf")))
            .says(["column \"n\" holds inf in row 6 of data.csv"]),
        case("-inf", Data)
            .csv(with("n", cell(7, "-inf")))
            .says(["column \"n\" holds -inf in row 8 of data.csv"]),
        case("1e308", Works).csv(with("n", |row| format!("{}e308", (row % 7) as f64 / 7.0 - 0.5))),
        case("subnormals", Works).csv(with("n", |row| format!("{}e-320", row % 7))),
        case("beyond the greatest number", Data)
            .csv(with("n", cell(3, "1e999")))
            .says(["column \"n\" holds inf in row 4 of data.csv"]),
        case("an offset of 1e9", Works).csv(with("n", |row| format!("{}.25", 1_000_000_000 + row % 7))),
        case("integers beyond 2^53", Noted)
            .csv(with("n", |row| {
                (9_007_199_254_740_993_u64 + 2 * (row as u64 % 7)).to_string()
            }))
            .says(["column \"n\" holds integers beyond 2^53", "row 1 of data.csv"]),
        case("one text among numbers", Noted)
            .csv(with("n", cell(9, "oops")))
            .says(["\"oops\" in row 10 of data.csv"]),
        case("text declared numeric", Data)
            .csv(with("n", cell(9, "oops")))
            .data("types = { n = \"numeric\" }")
            .says(["column \"n\" holds \"oops\" in row 10 of data.csv"]),
        case("a text that means missing", Noted)
            .csv(with("n", cell(9, "oops")))
            .data("missing = [\"oops\"]")
            .says(["missing  n 2.5 %"]),
        case("nothing may be missing", Data)
            .csv(with("n", cell(9, "")))
            .rest("[preprocess]\nimpute = \"error\"")
            .says(["column \"n\" has no value in row 10 of data.csv"]),
        case("medians", Works)
            .csv(with("n", cell(9, "")))
            .rest("[preprocess]\nimpute = \"median\"\nindicator = true"),
        case("bools with nulls", Noted)
            .csv(with("b", |row| ["true", "", "false"][row % 3].into()))
            .says(["missing  b"]),
        case("numbers with spaces", Works).csv(with("n", |row| format!(" {} ", row % 7))),
        case("a row per value", Noted)
            .csv(with("key", |row| format!("k{row}")))
            .says(["skipped  key (one value per row)"]),
    ]
}

fn levels() -> Vec<Case> {
    let level = |text: &'static str| {
        let quoted = format!("\"{}\"", text.replace('"', "\"\""));
        with(
            "k",
            move |row| if row % 2 == 0 { quoted.clone() } else { "plain".into() },
        )
    };
    vec![
        case("a level over two lines", Works).csv(level("a\nb")),
        case("a level with a quote", Works).csv(level("a\"b")),
        case("a level with an escape", Works).csv(level("\u{1b}]0;title\u{7}")),
        case("a level of another script", Works).csv(level("東京\u{202e}x")),
        case("a level of a formula", Works).csv(level("=cmd|' /C calc'!A0")),
        case("a level of a megabyte", Works).csv(with("k", |row| "a".repeat(if row % 2 == 0 { 1 << 15 } else { 3 }))),
        case("a level named (other)", Data)
            .csv(level("(other)"))
            .says(["column \"k\" has a level named (other)"]),
        case("a level named (missing)", Data)
            .csv(level("(missing)"))
            .says(["column \"k\" has a level named (missing)"]),
        case("codes declared categories", Works)
            .csv(with("zip", |row| format!("0{}", row % 4)))
            .data("types = { zip = \"categorical\" }"),
        case("an unknown type", Config)
            .csv(good())
            .data("types = { x = \"ordinal\" }")
            .says(["cannot be \"ordinal\"", "\"datetime\""]),
    ]
}

fn targets() -> Vec<Case> {
    let labels = |of: fn(usize) -> &'static str| table("x,y", 40, |row| format!("{},{}", row % 9, of(row)));
    let three = |row: usize| ["a", "b", "c"][row % 3];
    vec![
        case("one class", Data)
            .csv(labels(|_| "no"))
            .says(["target \"y\" has one class only: \"no\" in all 40 rows"]),
        case("three classes", Data)
            .csv(labels(three))
            .says(["has 3 classes: \"a\" (14), \"b\" (13), \"c\" (13)", "positive = \"c\""]),
        case("one of three classes", Works)
            .csv(labels(three))
            .data("positive = \"b\""),
        case("a class that is not there", Data)
            .csv(labels(three))
            .data("positive = \"d\"")
            .says(["positive = \"d\" is not a label of \"y\""]),
        case("labels of 0 and 1", Works).csv(labels(|row| if row % 2 == 0 { "0" } else { "1" })),
        case("labels of true and false", Works).csv(labels(|row| if row % 2 == 0 { "true" } else { "false" })),
        case("a label of 0.5", Data)
            .csv(labels(|row| if row == 4 { "0.5" } else { "1" }))
            .says(["target \"y\" holds 0.5 in row 5 of data.csv"]),
        case("a label with a space", Data)
            .csv(labels(|row| if row == 4 { " yes" } else { label(row) }))
            .says(["has 3 classes: \" yes\" (1)"]),
        case("rows without a label", Data)
            .csv(labels(|row| if row % 10 == 4 { "" } else { label(row) }))
            .says([
                "target \"y\" is missing in 4 of 40 rows, first in row 5 of data.csv",
                "null_target",
            ]),
        case("rows without a label left out", Noted)
            .csv(labels(|row| if row % 10 == 4 { "" } else { label(row) }))
            .data("null_target = \"drop\"")
            .says(["dropped  4 rows without a target"]),
        case("no label at all", Data)
            .csv(labels(|_| ""))
            .data("null_target = \"drop\"")
            .says(["target \"y\" is missing in 40 of 40 rows"]),
        case("a class smaller than the folds", Data)
            .csv(labels(|row| if row == 4 { "yes" } else { "no" }))
            .says(["class \"yes\" of \"y\" has 1 row, fewer than the 2 folds"]),
        case("a target that is not there", Data)
            .csv(good().replace("x,y", "x,Y1"))
            .says(["there is no column \"y\" ([data] target)"]),
        case("a test file with another label", Data)
            .csv(good())
            .make(|dir| {
                std::fs::write(dir.join("data.csv"), good()).expect("written");
                std::fs::write(dir.join("test.csv"), "x,y\n1,yes\n2,maybe\n").expect("written");
            })
            .data("test = \"test.csv\"")
            .says(["target \"y\" holds \"maybe\" in row 2 of test.csv"])
            .leaves_a_store(),
        case("a test file without a column", Data)
            .make(|dir| {
                std::fs::write(dir.join("data.csv"), good()).expect("written");
                std::fs::write(dir.join("test.csv"), "z,y\n1,yes\n2,no\n").expect("written");
            })
            .data("test = \"test.csv\"")
            .says(["test.csv lacks a column", "\"x\""]),
    ]
}

fn weights() -> Vec<Case> {
    let weighted = |name, outcome, of: fn(usize) -> &'static str| {
        case(name, outcome)
            .csv(with("w", move |row| of(row).into()))
            .data("weight = \"w\"")
    };
    vec![
        weighted("a negative weight", Data, |row| if row == 3 { "-1" } else { "1" })
            .says(["weight column \"w\"", "1 of 40 rows, first in row 4 of data.csv (-1)"]),
        weighted("weights of zero", Data, |_| "0").says(["weight 0"]),
        weighted("a missing weight", Data, |row| if row == 3 { "" } else { "1" })
            .says(["weight column \"w\"", "row 4 of data.csv"]),
        weighted("an infinite weight", Data, |row| if row == 3 { "inf" } else { "1" })
            .says(["weight column \"w\"", "row 4 of data.csv (inf)"]),
        weighted("a weight of text", Data, |row| if row == 3 { "much" } else { "1" })
            .says(["weight column \"w\"", "row 4 of data.csv"]),
        weighted(
            "some weights of zero",
            Works,
            |row| if row % 8 == 3 { "0" } else { "2.5" },
        ),
    ]
}

fn roles() -> Vec<Case> {
    vec![
        case("a column in two roles", Config)
            .csv(good())
            .data("id = \"y\"")
            .says(["column \"y\" has two roles", "it is the target already"]),
        case("a pattern without a column", Data)
            .csv(good())
            .data("exclude = [\"xx\"]")
            .says(["[data] exclude \"xx\" matches no column", "did you mean \"x\"?"]),
        case("a row without its group", Data)
            .csv(with(
                "g",
                |row| if row == 4 { String::new() } else { (row % 5).to_string() },
            ))
            .data("group = \"g\"")
            .rest("[validation]\nstrategy = \"group\"\nfolds = 2")
            .says(["group column \"g\" is missing in 1 row, first in row 5 of data.csv"]),
        case("fewer groups than folds", Data)
            .csv(with("g", |_| "a".into()))
            .data("group = \"g\"")
            .rest("[validation]\nstrategy = \"group\"\nfolds = 2")
            .says(["column \"g\" has 1 group, fewer than the 2 folds"]),
        case("a time that is none", Data)
            .csv(with("t", |row| {
                if row == 4 {
                    "soon".into()
                } else {
                    format!("2013-01-{:02}", row % 28 + 1)
                }
            }))
            .data("time = \"t\"")
            .rest("[validation]\nstrategy = \"time\"\nfolds = 2")
            .says(["time column \"t\" holds \"soon\" in row 5 of data.csv"]),
        case("one predefined fold", Data)
            .csv(with("f", |_| "1".into()))
            .data("fold = \"f\"")
            .rest("[validation]\nstrategy = \"predefined\"")
            .says(["1 fold is not enough"]),
        case("more folds than rows", Data)
            .csv(good())
            .rest("[validation]\nstrategy = \"kfold\"\nfolds = 41")
            .says(["41 folds are too many for 40 rows"]),
    ]
}

fn dates() -> Vec<Case> {
    let day = |row: usize| format!("2013-01-{:02}", row % 28 + 1);
    let asked = "types = { t = \"datetime\" }";
    vec![
        case("dates as text", Works).csv(with("t", day)),
        case("dates asked for", Works).csv(with("t", day)).data(asked),
        case("datetimes asked for", Works)
            .csv(with("t", |row| format!("2013-01-31T{:02}:30:00", row % 24)))
            .data(asked),
        case("dates with nulls", Noted)
            .csv(with("t", move |row| if row == 2 { "NA".into() } else { day(row) }))
            .data(asked)
            .says(["missing  t.year 2.5 %"]),
        case("a date that is none", Data)
            .csv(with(
                "t",
                move |row| if row == 2 { "31/01/2013".into() } else { day(row) },
            ))
            .data(asked)
            .says(["column \"t\" holds \"31/01/2013\" in row 3 of data.csv", "2013-01-31"]),
        case("numbers declared dates", Data)
            .csv(with("t", |row| (2000 + row).to_string()))
            .data(asked)
            .says(["column \"t\" holds \"2000\" in row 1 of data.csv"]),
        case("a part with the name of a column", Data)
            .csv(table("t,t.year,y", 40, move |row| {
                format!("{},{},{}", day(row), row % 3, label(row))
            }))
            .data(asked)
            .says(["columns of the same name: \"t.year\""]),
    ]
}
