//! `gradsweep export`: results and models for other tools.

use gradsweep_report::{self as report, ExportFormat};

use crate::args::ExportArgs;
use crate::exit::{Failure, OK};
use crate::terminal;

pub(crate) fn export(arguments: &ExportArgs, quiet: bool) -> Result<u8, Failure> {
    let is_mlflow = arguments.to == ExportFormat::Mlflow;
    let lines = match &arguments.uri {
        Some(uri) if is_mlflow => {
            let logged = report::log_to_mlflow(&arguments.store, uri)?;
            vec![
                format!("Sent {} trials as children of run {}", logged.trials, logged.run),
                format!("next    open {}", logged.url),
            ]
        }
        Some(_) => {
            return Err(Failure::Usage {
                message: format!("--uri is for --to mlflow; --to {} writes a file", arguments.to),
                hint: Some(format!(
                    "gradsweep export {} --to {} --out FILE",
                    arguments.store.display(),
                    arguments.to
                )),
            });
        }
        None if is_mlflow => {
            return Err(Failure::Usage {
                message: "--to mlflow sends to a tracking server and writes no file".to_owned(),
                hint: Some(format!(
                    "gradsweep export {} --to mlflow --uri http://127.0.0.1:5000",
                    arguments.store.display()
                )),
            });
        }
        None => {
            let exported = report::export(&arguments.store, arguments.to, arguments.out.as_deref())?;
            let paths = exported.paths.iter().map(|path| path.display().to_string());
            vec![
                format!("Wrote {}", paths.collect::<Vec<_>>().join(" and ")),
                format!("next    {}", exported.next),
            ]
        }
    };
    if !quiet {
        for line in lines {
            terminal::say(&line);
        }
    }
    Ok(OK)
}
