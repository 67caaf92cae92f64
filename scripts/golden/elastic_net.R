# glmnet's answers to the problems in a folder: NAME.csv (y, weight, features) and NAME.txt (lambda, alpha, intercept).
# Writes NAME.out: the coefficients at thresh 1e-14 and at 1e-24, intercept first, with 17 digits.
#
#     Rscript elastic_net.R FOLDER
suppressPackageStartupMessages(library(glmnet))
# A path never stops early because the deviance hardly changes.
glmnet.control(fdev = 0, devmax = 1 - 1e-12, eps = 1e-9)
folder <- commandArgs(trailingOnly = TRUE)[1]
for (text in list.files(folder, pattern = "\\.txt$", full.names = TRUE)) {
  setting <- scan(text, quiet = TRUE)
  rows <- as.matrix(read.csv(sub("txt$", "csv", text), header = FALSE))
  x <- rows[, -(1:2), drop = FALSE]
  # Down to the wanted strength from one at which most weights are 0, each started from the last.
  path <- setting[1] * 2^(12:0)
  answers <- sapply(c(1e-14, 1e-24), function(thresh) {
    fit <- glmnet(x, rows[, 1], weights = rows[, 2], family = "binomial", alpha = setting[2], lambda = path,
                  standardize = FALSE, intercept = setting[3] == 1, thresh = thresh, maxit = 1e8)
    stopifnot(length(fit$lambda) == length(path))
    c(fit$a0[length(path)], as.numeric(fit$beta[, length(path)]))
  })
  writeLines(sprintf("%.17g %.17g", answers[, 1], answers[, 2]), sub("txt$", "out", text))
}
cat(R.version.string, "\n", as.character(packageVersion("glmnet")), "\n", sep = "")
