//! Good configs pass, and mean what they say.

use super::{LEAST, good, read_with};
use crate::config::{
    BatchRows, ClassWeight, Config, Domain, Init, LearningRate, Metric, Solver, Strategy, Value, reference,
};

/// Whatever follows the least config here is no problem.
const GOOD: &[&str] = &[
    "",
    "positive = 1",
    "positive = true",
    "positive = 1.0",
    "train = [\"a.parquet\", \"b/*.parquet\"]".trim_ascii(),
    "fold = \"f\"\n[validation]\nstrategy = \"predefined\"",
    "types = { zip = \"categorical\", \"a b\" = \"numeric\" }",
    "missing = [\"\"]\ncsv = { delimiter = \"\\t\", quote = \"\" }",
    "[model]\nC = inf\nl1_ratio = 0\nclass_weight = \"none\"\nhidden = [32]\nactivation = \"relu\"",
    "[train]\nsolver = \"gd\"\nbatch_rows = \"full\"\ntol = 1e-6",
    "[train]\nsolver = \"gd\"\nbatch_rows = 1024\nmomentum = 0.0\nbeta1 = 0.9",
    "[train]\nsolver = \"sgd\"\nmomentum = 0.9\nnesterov = true\nlearning_rate = 1",
    "[train]\nsolver = \"adamw\"\nweight_decay = 0.01\nlearning_rate = \"auto\"",
    "[train]\nrestarts = 3\ninit = { kind = \"normal\", std = 0.1 }",
    "[train.init]\nkind = \"glorot\"",
    "[train]\nschedule = { kind = \"constant\", warmup_epochs = 0 }\nshuffle = false",
    "[train]\nmomentum = 0.9\n[sweep.parameters]\ntrain.solver = [\"sgd\", \"adam\"]",
    "[sweep.parameters]\ntrain.solver = [\"sgd\", \"adam\"]\ntrain.momentum = [0, 0.9]",
    "[train]\nsolver = \"adam\"\n[sweep.parameters]\n\"model.C\" = [1, 10, inf]\n\"train.batch_rows\" = [256, \"full\"]",
    "[sweep.parameters.model]\nC = { min = 1e-4, max = 1e4, num = 64, log = true }\n[sweep.parameters.train]\ntol = [0.1]",
    "[sweep]\nparameters = { model = { C = { values = [1] }, fit_intercept = [true, false] } }",
    "[sweep.parameters]\ntrain.init = { values = [{ kind = \"normal\" }, { kind = \"glorot\" }] }\n[train]\nrestarts = 2\ninit.kind = \"glorot\"",
    "[[sweep.points]]\nmodel.C = 1.0\n[[sweep.exclude]]\nmodel.C = 2\ntrain.solver = \"sgd\"",
    "[output]\ndir = \"/tmp/{name}/{date}-{hash}\"\nif_exists = \"replace\"\nsave_models = \"none\"\npredictions = \"none\"\nreport = false",
    "[run]\nseed = 1\nthreads = 2\nprecision = \"f64\"\nmemory_limit = \"75%\"\nmax_failures = 1000\ncheckpoint_every = \"60s\"",
    "[metrics]\nreport = []\nthreshold = 0.3\nevery = 1\n[sweep]\nmetric = \"f1\"\nselect = \"best\"",
    "[preprocess]\nimpute = \"zero\"\nindicator = true\nscale = \"none\"\none_hot = { min_frequency = 0, other = \"error\", drop = \"first\" }",
    "[validation]\nstrategy = \"holdout\"\nfraction = 0.5\nshuffle = false\nfolds = 5",
    "weight = \"w\"\n[validation]\nstrategy = \"holdout\"\nrepeats = 3",
    "group = \"g\"\n[validation]\nstrategy = \"group\"\nfolds = 3\nshuffle = false",
    "time = \"t\"\ngroup = \"g\"\n[validation]\nstrategy = \"time\"\nfolds = 3\nrepeats = 1\n[preprocess]\nimpute = \"median\"",
];

#[test]
fn good_configs_pass() {
    for more in GOOD {
        // A second `train` replaces the first.
        let least = if more.starts_with("train") {
            "[data]\ntarget = \"y\"\n"
        } else {
            LEAST
        };
        good(&format!("{least}{more}"));
    }
}

#[test]
fn defaults_are_the_contract() {
    let config = good(LEAST);
    assert_eq!(config.name, "sweep");
    assert_eq!(config.data.missing, ["", "NA", "?"]);
    assert_eq!(config.train.solver, Solver::Auto);
    assert_eq!(config.train.batch_rows, BatchRows::Rows(1024));
    assert_eq!(config.train.learning_rate, LearningRate::Auto);
    assert_eq!(config.train.init, Init::Zeros);
    assert_eq!(config.model.class_weight, ClassWeight::None);
    assert_eq!(config.validation.strategy, Strategy::Stratified);
    assert_eq!(config.metrics(), [Metric::LogLoss, Metric::RocAuc, Metric::Accuracy]);
    assert_eq!(config.output_dir("h", "d").to_str(), Some("sweeps/sweep"));
}

#[test]
fn every_default_and_example_is_a_value_of_its_key() {
    for table in reference() {
        for key in table.keys {
            // There is one version.
            if key.fields().is_empty() && key.name != "version" {
                assert_ne!(Some(key.spec.example), key.spec.default, "{}.{}", table.path, key.name);
            }
            for text in key
                .spec
                .default
                .into_iter()
                .chain([key.spec.example])
                .filter(|text| !text.is_empty())
            {
                let document = format!("{} = {text}", key.name);
                assert!(document.parse::<toml::Table>().is_ok(), "{document}");
            }
        }
    }
}

#[test]
fn texts_of_set_need_no_quotes() {
    let config = read_with(
        LEAST,
        &[
            "train.solver=sgd",
            "train.momentum=0.9",
            "name=2024",
            "data.id=7",
            "data.train=x/*.csv",
            "train.init={kind=\"normal\"}",
            "sweep.parameters.model.C=[1, 2]",
            "sweep.parameters.train.learning_rate={min=0.1,max=1.0,num=3}",
        ],
    )
    .unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((config.train.solver, config.train.momentum), (Solver::Sgd, 0.9));
    assert_eq!((config.name.as_str(), config.data.id.as_deref()), ("2024", Some("7")));
    assert_eq!(config.data.train, ["x/*.csv"]);
    assert_eq!(config.train.init, Init::Normal { std: 0.01 });
    let paths: Vec<_> = config.sweep.parameters.iter().map(|parameter| parameter.path).collect();
    assert_eq!(paths, ["model.C", "train.learning_rate"]);
}

#[test]
fn a_set_replaces_a_parameter_however_it_is_spelled() {
    for spelling in ["model.C = [1]", "\"model.C\" = [1]", "model = { C = [1] }"] {
        let text = format!("{LEAST}[sweep.parameters]\ntrain.epochs = [1, 2]\n{spelling}\n");
        let config =
            read_with(&text, &["sweep.parameters.model.C=[5]"]).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(config.sweep.parameters.len(), 2);
        assert_eq!(
            config.sweep.parameters[1].domain,
            Domain::Values(vec![Value::Float(5.0)])
        );
        let text = format!("{LEAST}[sweep.parameters]\nmodel.C = {{ min = 1, max = 8, num = 3 }}\n");
        let config =
            read_with(&text, &["sweep.parameters.model.C.num=5"]).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(matches!(
            config.sweep.parameters[0].domain,
            Domain::Range { num: Some(5), .. }
        ));
    }
}

#[test]
fn directories_are_filled_in_once() {
    let config = good(&format!(
        "name = \"n\"\n{LEAST}[output]\ndir = \"a/{{name}}-{{hash}}/{{date}}b\"\n"
    ));
    assert_eq!(config.output_dir("{date}", "2026").to_str(), Some("a/n-{date}/2026b"));
}

#[test]
fn the_first_config_is_a_config() {
    let text = Config::default_for("my \"data\".csv", "is late", "my-data");
    let config = good(&text);
    assert_eq!(config.data.train, ["my \"data\".csv"]);
    assert_eq!(
        (config.name.as_str(), config.data.target.as_str()),
        ("my-data", "is late")
    );
    assert_eq!(config.sweep.parameters.len(), 1);
}
