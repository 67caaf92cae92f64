//! One broken config per line of a table: what is said, and where.

#![expect(clippy::print_stdout, reason = "the figure is what a reader of the log wants")]

use super::{LEAST, read, read_with};

/// Each case: what follows the least config (three lines), a piece of what is said, and the position.
const CASES: &[(&str, &str, (usize, usize))] = &[
    // Syntax.
    ("[train]\nepochs = ", "this is not TOML: a value is missing", (5, 10)),
    ("[train]\nepochs = 1\nepochs = 2", "duplicate key", (6, 1)),
    ("[train\nepochs = 1", "this is not TOML", (4, 7)),
    // Unknown keys.
    (
        "[train]\nlearning_rte = 0.1",
        "`learning_rte` is not a key of [train]; did you mean `learning_rate`?",
        (5, 1),
    ),
    ("[trian]\nepochs = 1", "did you mean `train`?", (4, 2)),
    ("[train]\nseed = 1", "this key belongs to [run]", (5, 1)),
    ("[model]\nlearning_rate = 1", "this key belongs to [train]", (5, 1)),
    ("[train]\ninit = { kid = \"normal\" }", "did you mean `kind`?", (5, 10)),
    (
        "[parameters]\nmodel.C = [1]",
        "did you mean [sweep.parameters]?",
        (4, 2),
    ),
    ("[train]\nxyzzy = 1", "its keys are solver, epochs", (5, 1)),
    ("name = \"a\"", "move above the first [table]", (4, 1)),
    ("[train]\nversion = 1", "move above the first [table]", (5, 1)),
    // Names of other tools.
    ("[train]\nlr = 0.1", "use train.learning_rate", (5, 1)),
    ("[model]\nalpha = 0.1", "C = 1/(alpha·n)", (5, 1)),
    ("[model]\nlambda = 0.1", "C = 1/(lambda·S)", (5, 1)),
    ("[model]\npenalty = \"l2\"", "model.l1_ratio = 0.0", (5, 1)),
    ("[run]\nn_jobs = -1", "run.threads", (5, 1)),
    ("[run]\nrandom_state = 0", "run.seed", (5, 1)),
    ("[train]\nmax_iter = 10", "train.epochs", (5, 1)),
    ("[train]\nbatch_size = 10", "train.batch_rows", (5, 1)),
    ("[validation]\ncv = 10", "validation.folds", (5, 1)),
    ("[sweep.parameters]\nlr = [0.1]", "use train.learning_rate", (5, 1)),
    (
        "[sweep.parameters]\ntrain.lr = [0.1]",
        "use train.learning_rate",
        (5, 7),
    ),
    ("[sweep.parameters]\nalpha = [0.1]", "C = 1/(alpha·n)", (5, 1)),
    // Types and ranges.
    ("[train]\nepochs = 1e3", "write 1000", (5, 10)),
    ("[train]\nepochs = 1.5", "a whole number is needed", (5, 10)),
    ("[train]\nepochs = \"10\"", "drop the quotes: 10", (5, 10)),
    (
        "[train]\nepochs = 0",
        "must be an integer, 1 or more; out of range",
        (5, 10),
    ),
    ("[train]\nepochs = 99999999999999999999", "no 64 bits", (5, 10)),
    ("[train]\nlearning_rate = -1", "a number above 0", (5, 17)),
    ("[train]\nlearning_rate = nan", "a number above 0", (5, 17)),
    ("[train]\nlearning_rate = inf", "a number above 0", (5, 17)),
    ("[train]\nlearning_rate = \"0.1\"", "drop the quotes: 0.1", (5, 17)),
    ("[train]\nlearning_rate = \"atuo\"", "did you mean \"auto\"?", (5, 17)),
    ("[train]\nmomentum = 1.0", "from 0 and below 1", (5, 12)),
    ("[train]\nshuffle = \"yes\"", "must be true or false", (5, 11)),
    ("[train]\nsolver = \"adm\"", "did you mean \"adam\"", (5, 10)),
    ("[train]\nsolver = \"ADAM\"", "did you mean \"adam\"", (5, 10)),
    ("[train]\nsolver = true", "put it in quotes", (5, 10)),
    ("[train]\nsolver = [\"adam\"]", "found a list", (5, 10)),
    ("[train]\ninit = \"zeros\"", "`train.init` is a table", (5, 1)),
    (
        "[train]\ninit = { kind = \"zeros\", std = 1.0 }",
        "no effect without kind = \"normal\"",
        (5, 26),
    ),
    ("[model]\nC = 0", "a number above 0, or inf", (5, 5)),
    ("[model]\nclass_weight = { yes = \"1\" }", "drop the quotes", (5, 24)),
    ("train = 3\n", "duplicate key", (4, 1)),
    ("types = { zip = \"number\" }", "must be one of", (4, 17)),
    ("include = \"x*\"", "write [\"x*\"]", (4, 11)),
    ("include = []", "the list is empty", (4, 11)),
    ("csv = { delimiter = \"ab\" }", "one ASCII character", (4, 21)),
    (
        "csv = { delimiter = \";\", quote = \";\" }",
        "the same character",
        (4, 21),
    ),
    ("fold = 1979-05-27", "found a date", (4, 8)),
    ("[validation]\nfolds = 1", "2 to 65535", (5, 9)),
    ("[metrics]\nreport = [\"auc\"]", "did you mean \"roc_auc\"?", (5, 11)),
    ("[output]\nsave_models = \"every\"", "one of", (5, 15)),
    ("[sweep]\nselect = \"1se\"", "needs `model.C` to be swept", (5, 10)),
    ("[output]\ndir = \"a/{seed}\"", "{seed} is none of", (5, 7)),
    ("[run]\nmemory_limit = \"lots\"", "a size, as", (5, 16)),
    // Not built yet.
    (
        "[model]\nkind = \"mlp\"",
        "`model.kind` = \"mlp\" is not built yet",
        (5, 8),
    ),
    // Early stops, rungs and schedules.
    (
        "[train.early_stopping]\npatience = 5",
        "`train.early_stopping` has no effect with solver \"auto\"",
        (4, 8),
    ),
    (
        "[train]\nsolver = \"sgd\"\nearly_stopping = {}\n[validation]\nstrategy = \"none\"",
        "`train.early_stopping` needs held-out rows",
        (6, 1),
    ),
    (
        "[train]\nschedule = { kind = \"cosine\" }",
        "`train.schedule` has no effect with solver \"auto\"",
        (5, 1),
    ),
    (
        "[train]\nsolver = \"sgd\"\nepochs = 3\nschedule = { kind = \"cosine\", warmup_epochs = 3 }",
        "a warmup of 3 epochs leaves none of 3",
        (7, 1),
    ),
    (
        "[sweep.halving]\nfactor = 3",
        "compares trials after equal epochs, and solver \"auto\" runs each to its own end",
        (4, 8),
    ),
    (
        "[train]\nsolver = \"sgd\"\n[sweep]\nhalving = {}\nhyperband = {}",
        "halving and hyperband are two ways to prune",
        (8, 1),
    ),
    (
        "[train]\nsolver = \"sgd\"\nepochs = 4\n[sweep]\nhalving = { min_epochs = 4 }",
        "`sweep.halving` never compares: min_epochs = 4 and the runs have 4 epochs",
        (8, 1),
    ),
    (
        "[train]\nsolver = \"sgd\"\n[sweep]\nhyperband = {}\n[sweep.parameters]\ntrain.epochs = [5, 50]",
        "`sweep.hyperband` needs the same `train.epochs` for all trials",
        (7, 1),
    ),
    (
        "[train]\nsolver = \"sgd\"\n[validation]\nstrategy = \"none\"\n[sweep]\nhalving = {}",
        "`sweep.halving` needs held-out rows",
        (9, 1),
    ),
    (
        "[metrics]\nevery = 2",
        "`metrics.every` has no effect with solver \"auto\"",
        (5, 1),
    ),
    (
        "[train]\nsolver = \"sgd\"\n[sweep]\nmethod = \"tpe\"\ntrials = 5\nhalving = {}\nparameters = { model.C = { min = 1, max = 2 } }",
        "`sweep.halving` compares all trials of a sweep, and method \"tpe\" does not know them all",
        (9, 1),
    ),
    (
        "[validation]\nstrategy = \"none\"\n[sweep]\ntarget = 0.3",
        "`sweep.target` needs held-out rows",
        (7, 1),
    ),
    (
        "[sweep.parameters]\nmodel.C = { auto = true }\npreprocess.scale = [\"none\", \"standard\"]",
        "`model.C` cannot be automatic where `preprocess.scale` is swept",
        (5, 7),
    ),
    (
        "[sweep.parameters]\nrun.seed = [1]",
        "`run.seed` cannot be swept",
        (5, 5),
    ),
    (
        "[sweep.parameters]\nmodel.C = { values = [1], probabilities = [1] }",
        "`probabilities` of `model.C` has no effect with method \"grid\"",
        (5, 27),
    ),
    // Search.
    (
        "[sweep]\nmethod = \"random\"\n[sweep.parameters]\nmodel.C = [1]",
        "method \"random\" needs the number of trials; add trials = 64",
        (5, 10),
    ),
    (
        "[sweep]\nmethod = \"sobol\"\ntrials = 5",
        "method \"sobol\" has no parameter to draw",
        (5, 10),
    ),
    (
        "[sweep]\nmethod = \"sobol\"\ntrials = 65_537\n[sweep.parameters]\nmodel.C = { min = 1, max = 2 }",
        "method \"sobol\" has 65536 trials at the most",
        (6, 10),
    ),
    (
        "[sweep]\nmethod = \"random\"\ntrials = 2_000_000\n[sweep.parameters]\nmodel.C = [1]",
        "2000000 trials are too many",
        (6, 10),
    ),
    (
        "[sweep]\nmethod = \"random\"\ntrials = 1\n[sweep.parameters]\nmodel.C = [1]\n[[sweep.points]]\nmodel.C = 2\n\
         [[sweep.points]]\nmodel.C = 3",
        "2 points are more than 1 trials",
        (6, 10),
    ),
    (
        "[sweep]\nmethod = \"random\"\ntrials = 5\n[sweep.parameters]\n\
         model.C = { values = [1, 2], probabilities = [0.5, 0.4] }",
        "must add up to 1; they add up to 0.9",
        (8, 46),
    ),
    (
        "[sweep]\nmethod = \"random\"\ntrials = 5\n[sweep.parameters]\n\
         model.C = { values = [1, 2], probabilities = [1] }",
        "`model.C` has 2 values and 1 probabilities",
        (8, 46),
    ),
    (
        "[sweep]\nmethod = \"random\"\ntrials = 5\n[sweep.parameters]\n\
         model.C = { min = 1, max = 2, probabilities = [1] }",
        "`probabilities` of `model.C` belongs to `values`",
        (8, 31),
    ),
    (
        "[sweep]\nmethod = \"random\"\ntrials = 5\n[sweep.parameters]\nmodel.C = { min = 1, max = 2, step = 3 }",
        "the step of `model.C` is longer than its range; the range is 1 long",
        (8, 38),
    ),
    (
        "[sweep]\nmethod = \"random\"\ntrials = 5\n[sweep.parameters]\nmodel.C = { min = 1, max = 2, step = 0 }",
        "must be a number above 0",
        (8, 38),
    ),
    (
        "[sweep.parameters]\ntrain.batch_rows = { min = 16, max = 64, step = 0.5 }",
        "a whole number is needed",
        (5, 49),
    ),
    (
        "[sweep.parameters]\nmodel.C = { values = [1], step = 3 }",
        "`step` of `model.C` belongs to a range",
        (5, 27),
    ),
    (
        "[sweep.parameters]\nmodel.C = { min = 1, max = 100, log = true, step = 3 }",
        "without `num`",
        (5, 11),
    ),
    (
        "[sweep.parameters]\nmodel.C = { values = [1, 2], when = { train.solver = [\"sgd\"] } }",
        "`train.solver` is the same in every trial, so that `when` decides nothing",
        (5, 37),
    ),
    (
        "[sweep.parameters]\nmodel.C = { values = [1, 2], when = { model.C = [1] } }",
        "`model.C` cannot depend on itself",
        (5, 37),
    ),
    (
        "[sweep.parameters]\nmodel.C = { values = [1, 2], when = {} }",
        "`when` of `model.C` names no key",
        (5, 37),
    ),
    (
        "[sweep.parameters]\nmodel.C = { values = [1, 2], when = 3 }",
        "`when` of `model.C` must be a table of paths",
        (5, 37),
    ),
    (
        "[sweep.parameters]\nmodel.C = { values = [1, 2], when = { train.solvr = [\"sgd\"] } }",
        "did you mean `train.solver`?",
        (5, 45),
    ),
    (
        "[sweep.parameters]\ntrain.solver = [\"sgd\", \"adam\"]\n\
         model.C = { values = [1, 2], when = { train.solver = [\"gd\"] } }",
        "no trial has train.solver = \"gd\"",
        (6, 37),
    ),
    (
        "[sweep.parameters]\nmodel.l1_ratio = { values = [0, 1], when = { model.C = [1] } }\n\
         model.C = { values = [1, 2], when = { model.l1_ratio = [1] } }",
        "`model.C` and `model.l1_ratio` depend on each other",
        (6, 37),
    ),
    (
        "[sweep.parameters]\ntrain.epochs = { auto = true }",
        "`train.epochs` has no automatic range; only model.C has one",
        (5, 18),
    ),
    (
        "[sweep.parameters]\nmodel.C = { auto = true, min = 1 }",
        "`min` of `model.C` has no effect with `auto`",
        (5, 26),
    ),
    (
        "[sweep.parameters]\nmodel.C = { auto = true, log = true }",
        "`log` of `model.C` has no effect with `auto`",
        (5, 26),
    ),
    (
        "[sweep.parameters]\nmodel.C = { values = [1], auto = true }",
        "`values` of `model.C` has no effect with `auto`",
        (5, 13),
    ),
    (
        "[sweep.parameters]\nmodel.C = { auto = false }",
        "can only be true",
        (5, 20),
    ),
    (
        "[sweep.parameters]\nmodel.C = { auto = true, num = 1 }",
        "num must be 2 or more",
        (5, 32),
    ),
    (
        "[sweep.parameters]\nmodel.C = { auto = true, ratio = 1 }",
        "out of range",
        (5, 34),
    ),
    (
        "[sweep.parameters]\nmodel.C = { min = 1, max = 2, num = 3, ratio = 0.1 }",
        "`ratio` of `model.C` belongs to `auto`",
        (5, 40),
    ),
    // The grammar of parameters.
    ("[sweep.parameters]\nmodel.C = 1.0", "write [1.0]", (5, 11)),
    ("[sweep.parameters]\nmodel.C = []", "the list is empty", (5, 11)),
    (
        "[sweep.parameters]\nmodel.C = [1, -1]",
        "must be a number above 0",
        (5, 15),
    ),
    (
        "[sweep.parameters]\nmodel.C = { min = 1e-4, max = 1e4, log = true }",
        "without `num`; add num = 9",
        (5, 11),
    ),
    ("[sweep.parameters]\nmodel.C = { min = 1, num = 3 }", "add max", (5, 11)),
    (
        "[sweep.parameters]\nmodel.C = { min = 2, max = 1, num = 3 }",
        "above max = 1",
        (5, 19),
    ),
    (
        "[sweep.parameters]\nmodel.C = { min = 1, max = 2, num = 1 }",
        "num must be 2 or more",
        (5, 11),
    ),
    (
        "[sweep.parameters]\nmodel.C = { min = 1, max = inf, num = 3 }",
        "must be finite",
        (5, 28),
    ),
    (
        "[sweep.parameters]\ntrain.momentum = { min = 0, max = 0.9, num = 3, log = true }",
        "must start above 0",
        (5, 26),
    ),
    (
        "[sweep.parameters]\nmodel.C = { values = [1], num = 3 }",
        "belongs to a range",
        (5, 27),
    ),
    (
        "[sweep.parameters]\nmodel.C = { values = [1], min = 3 }",
        "values and a range",
        (5, 27),
    ),
    ("[sweep.parameters]\nmodel.C = {}", "needs values or a range", (5, 11)),
    (
        "[sweep.parameters]\nmodel.C = { mn = 1, max = 3 }",
        "did you mean `min`",
        (5, 13),
    ),
    (
        "[sweep.parameters]\ntrain.solver = { min = 1, max = 3 }",
        "list its values",
        (5, 16),
    ),
    (
        "[sweep.parameters]\ntrain.init = [{ kind = \"glorot\" }]",
        "write { values = [{ kind",
        (5, 14),
    ),
    (
        "[sweep.parameters]\ntrain.batch_rows = { min = 1e2, max = 200, num = 3 }",
        "write 100",
        (5, 28),
    ),
    (
        "[sweep.parameters]\nmodel.C = [1]\n\"model.C\" = [2]",
        "swept twice",
        (6, 1),
    ),
    (
        "[sweep.parameters]\ntrain.learning_rte = [1]",
        "did you mean `train.learning_rate`?",
        (5, 7),
    ),
    (
        "[sweep.parameters]\nlearning_rate = [1]",
        "did you mean `train.learning_rate`?",
        (5, 1),
    ),
    (
        "[sweep.parameters]\nmodle.C = [1]",
        "`modle.C` is not the path of a key; did you mean `model.C`?",
        (5, 7),
    ),
    ("[sweep.parameters]\nrun.seed = [1]", "cannot be swept", (5, 5)),
    ("[[sweep.points]]\nmodel.C = [1]", "found a list", (5, 11)),
    ("[[sweep.points]]\nmodel.CC = 1", "did you mean `model.C`?", (5, 7)),
    ("[[sweep.exclude]]", "names no key", (4, 1)),
    ("[sweep]\npoints = { model.C = 1 }", "must be a list of tables", (5, 10)),
    // Rules between keys.
    ("[sweep]\ntrials = 10", "grid takes every point", (5, 1)),
    ("[validation]\nstrategy = \"predefined\"", "add fold", (5, 12)),
    (
        "[validation]\nstrategy = \"group\"",
        "strategy \"group\" needs the column of groups",
        (5, 12),
    ),
    ("[validation]\nstrategy = \"time\"", "add time = ", (5, 12)),
    (
        "[validation]\nfraction = 0.3",
        "`validation.fraction` has no effect with strategy \"stratified\"; it matters to \"holdout\"",
        (5, 1),
    ),
    (
        "[validation]\nstrategy = \"none\"\nfolds = 3",
        "`validation.folds` has no effect with strategy \"none\"",
        (6, 1),
    ),
    (
        "time = \"t\"\n[validation]\nstrategy = \"time\"\nshuffle = false",
        "`validation.shuffle` has no effect with strategy \"time\"",
        (7, 1),
    ),
    (
        "[validation]\nstrategy = \"none\"\nrepeats = 2",
        "no effect with strategy \"none\"; its folds never change; it matters to \"stratified\"",
        (6, 1),
    ),
    (
        "[validation]\nrepeats = 2\nshuffle = false",
        "repeats without a shuffle have the same folds; leave out shuffle = false",
        (5, 11),
    ),
    ("weight = \"y\"", "column \"y\" has two roles", (4, 10)),
    (
        "group = \"a\"\ntime = \"a\"",
        "column \"a\" has two roles; it is the group already",
        (5, 8),
    ),
    ("fold = \"y\"", "column \"y\" has two roles", (4, 8)),
    ("[train]\nrestarts = 2", "restarts from zeros are all the same", (5, 12)),
    (
        "[train]\nmomentum = 0.9",
        "`train.momentum` has no effect with solver \"auto\"; it matters to \"sgd\"",
        (5, 1),
    ),
    (
        "[train]\nsolver = \"gd\"\nbatch_rows = 64",
        "no effect with solver \"gd\"",
        (6, 1),
    ),
    ("[train]\nsolver = \"sgd\"\nnesterov = true", "add momentum", (6, 12)),
    (
        "[sweep.parameters]\ntrain.momentum = [0.0, 0.9]",
        "sweeping `train.momentum` has no effect",
        (5, 7),
    ),
    (
        "[sweep.parameters]\nmodel.activation = [\"relu\"]",
        "no effect without model.kind",
        (5, 7),
    ),
    (
        "[sweep.parameters]\nmodel.C = { min = 1, max = 2, num = 2000 }\ntrain.tol = { min = 1, max = 2, num = 2000 }",
        "2000 x 2000 = 4000000 trials are too many",
        (4, 8),
    ),
    (
        "[sweep.parameters]\ntrain.restarts = { min = 1, max = 2, num = 4_000_000_000 }",
        "4000000000 = 4000000000 trials are too many",
        (4, 8),
    ),
];

#[test]
fn broken_configs_are_caught_with_place_and_advice() {
    let mut failures = Vec::new();
    for (more, said, position) in CASES {
        let text = format!("{LEAST}{more}");
        let Err(problems) = read(&text) else {
            failures.push(format!("{more:?} passed"));
            continue;
        };
        let positions: Vec<_> = problems
            .problems
            .iter()
            .map(|problem| problems.position(problem))
            .collect();
        let shown = problems.to_string();
        if problems.problems.len() != 1 || positions[0] != Some(*position) || !shown.contains(said) {
            failures.push(format!(
                "{more:?} at {position:?}: {said}\n      {}",
                shown.replace('\n', "\n      ")
            ));
        }
    }
    println!(
        "broken configs: {} of {} caught with place and advice",
        CASES.len() - failures.len(),
        CASES.len()
    );
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        CASES.len(),
        failures.join("\n")
    );
}

#[test]
fn what_is_missing_is_asked_for() {
    let problems = read("version = 2\n[train]\nepochs = 1\n").expect_err("no data");
    let shown = problems.to_string();
    assert!(shown.contains("1:11: `version` must be 1"), "{shown}");
    assert!(shown.contains("[data] needs `train`"), "{shown}");
    assert!(
        shown.contains("[data] needs `target`; add target = \"late\""),
        "{shown}"
    );
    let problems = read("\n[data]\ntrain = \"a\"\n").expect_err("no target");
    assert_eq!(problems.position(&problems.problems[0]), Some((2, 2)));
    assert!(read("").is_err());
}

#[test]
fn all_problems_come_at_once_in_order() {
    let text = "nam = \"a b\"\n[data]\ntrain = 1\ntarget = \"y\"\n[train]\nlearning_rte = 0.1\nepochs = -1\n\
                x = = 1\n[sweep.parameters]\nmodel.C = { min = 1e-4, max = 1e4, log = true }\n";
    let problems = read(text).expect_err("six problems");
    let lines: Vec<_> = problems
        .problems
        .iter()
        .filter_map(|p| problems.position(p))
        .map(|(line, _)| line)
        .collect();
    assert_eq!(lines, [1, 3, 6, 7, 8, 10], "{problems}");
}

#[test]
fn problems_of_set_name_the_argument() {
    let cases = [
        (
            "train.learning_rte=0.1",
            "--set train.learning_rte=0.1: `learning_rte` is not a key of [train]; did you mean `learning_rate`?",
        ),
        ("lr=0.1", "use train.learning_rate"),
        ("train.epochs=ten", "must be an integer"),
        ("train.epochs", "there is no `=` in it"),
        ("train..epochs=5", "is not a key"),
        ("model.C=3", "write --set 'sweep.parameters.model.C=[3]'"),
        ("sweep.parameters.model.C=[-1]", "must be a number above 0"),
        ("model.kind=softmax", "not built yet"),
        ("sweep.parameters.alpha=[1]", "C = 1/(alpha·n)"),
        ("train.momentum=0.9", "has no effect"),
        ("data.target=", "the text is empty"),
    ];
    let text = format!("{LEAST}[sweep.parameters]\nmodel.C = [1]\n");
    for (set, said) in cases {
        let problems = read_with(&text, &[set]).expect_err(set);
        let shown = problems.to_string();
        assert_eq!(problems.problems.len(), 1, "{set}: {shown}");
        assert!(
            shown.contains(said) && shown.contains(&format!("--set {set}")),
            "{set}: {shown}"
        );
        assert_eq!(problems.problems[0].span, None);
    }
}

#[test]
fn hostile_texts_end_soon() {
    let deep = format!("a = {}", "[".repeat(100_000));
    let many: String = (0..80_000).fold(String::new(), |text, i| text + &format!("k{i} = 1\n"));
    let long = format!("a = \"{}\"", "x".repeat(2_000_000));
    let paths = (0..80_000).fold("[sweep.parameters]\n".to_owned(), |text, i| {
        text + &format!("p{i} = 1\n")
    });
    for text in [deep, many, long, paths] {
        let problems = read(&text).expect_err("no config");
        assert!(!problems.problems.is_empty() && problems.problems.len() <= 101);
    }
}

#[test]
fn long_lists_are_read_soon() {
    let values: Vec<_> = (1..150_000).map(|i| i.to_string()).collect();
    let text = format!("{LEAST}[sweep.parameters]\nmodel.C = [{}]\n", values.join(","));
    let config = read(&text).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.sweep.parameters[0].values().len(), values.len());
}
