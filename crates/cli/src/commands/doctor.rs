//! `gradsweep doctor`: the machine, the linked BLAS, the rungs of the ladder, and how near the pass comes to the roof.

use gradsweep_runner::doctor::{self, Machine, Roof, RungSpeed};

use super::json;
use crate::args::{Answer, DoctorArgs};
use crate::exit::{Failure, OK, SOME_FAILED};
use crate::terminal;

#[derive(serde::Serialize)]
struct Diagnosis {
    #[serde(flatten)]
    machine: Machine,
    ladder: Vec<RungSpeed>,
    roofline: Vec<Roof>,
}

pub(crate) fn doctor(arguments: &DoctorArgs) -> Result<u8, Failure> {
    let machine = doctor::machine();
    let ladder = if arguments.ladder { doctor::ladder() } else { Vec::new() };
    let roofline = if arguments.roofline {
        doctor::roofline()
    } else {
        Vec::new()
    };
    let is_sound = machine.wrong_products == 0;
    let diagnosis = Diagnosis {
        machine,
        ladder,
        roofline,
    };
    match arguments.format {
        Answer::Table => terminal::result(&text(&diagnosis))?,
        Answer::Json => terminal::result(&json(&diagnosis)?)?,
    }
    Ok(if is_sound { OK } else { SOME_FAILED })
}

fn text(diagnosis: &Diagnosis) -> String {
    let Diagnosis {
        machine,
        ladder,
        roofline,
    } = diagnosis;
    let mut out = format!(
        "gradsweep  {}\ncores      {}\nOpenBLAS   {}\nkernels    {}",
        env!("CARGO_PKG_VERSION"),
        machine.cores,
        machine.blas,
        machine.blas_core
    );
    if let Some(better) = machine.better_core {
        out += &format!(" (this processor could run {better}: unset OPENBLAS_CORETYPE, or set it to that)");
    }
    out += "\nthreads    ";
    out += &match machine.wrong_products {
        0 => "products made by several threads are right\n".to_owned(),
        wrong => {
            format!("{wrong} of 32 products made by several threads are WRONG: use an OpenBLAS built with pthreads\n")
        }
    };
    if !ladder.is_empty() {
        out += "\nLoss and gradient of 4,096 rows x 28 features on one thread\n\n";
        out += "rung        runs   million row·columns/s   v loops\n";
        let base = ladder[0].row_columns_per_second;
        for rung in ladder {
            out += &format!(
                "{:<10}  {:>4}  {:>22.1}  {:>7.1}x\n",
                rung.rung,
                rung.runs,
                rung.row_columns_per_second / 1e6,
                rung.row_columns_per_second / base
            );
        }
    }
    if let Some(first) = roofline.first() {
        out += &format!(
            "\nA step of {} runs on one thread, f32; peak of a product of 1,024 x 1,024: {:.0} GFLOP/s\n\n",
            first.runs,
            first.peak_flops / 1e9
        );
        out +=
            "features   million row·columns/s   of the peak   products alone   sigmoids alone   of what both allow\n";
        for roof in roofline {
            out += &format!(
                "{:>8}  {:>22.1}  {:>10.0} %  {:>7.0} GFLOP/s  {:>7.2} billion/s  {:>15.0} %\n",
                roof.features,
                roof.row_columns_per_second / 1e6,
                100.0 * roof.share_of_peak,
                roof.product_flops / 1e9,
                roof.sigmoids_per_second / 1e9,
                100.0 * roof.share_of_roof
            );
        }
    }
    out
}
