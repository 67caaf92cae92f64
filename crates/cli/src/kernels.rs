//! Makes a library that does not know this processor run the kernels it has for it.
//!
//! OpenBLAS chooses its kernels once, when it is loaded, from the processor's model number. A library older than the
//! processor falls back to kernels of 2004, several times slower. The choice can be named in the environment before the
//! library is loaded, so the program replaces itself once with that variable set. A variable the user has set is
//! respected, and so is `OPENBLAS_CORETYPE=` (empty).

/// The variable OpenBLAS reads when it is loaded.
const VARIABLE: &str = "OPENBLAS_CORETYPE";

/// Replaces this process by itself with better kernels, where there are some; returns otherwise.
pub(crate) fn restart_with_better_ones() {
    if std::env::var_os(VARIABLE).is_some() {
        return;
    }
    let Some(core) = gradsweep_runner::doctor::better_core() else {
        return;
    };
    #[cfg(unix)]
    if let Ok(own) = std::env::current_exe() {
        use std::os::unix::process::CommandExt;
        // Returns only on failure; the slow kernels are right, too.
        let _ = std::process::Command::new(own)
            .args(std::env::args_os().skip(1))
            .env(VARIABLE, core)
            .exec();
    }
    #[cfg(not(unix))]
    let _ = core;
}
