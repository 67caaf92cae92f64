# Times glmnet on a folder that scripts/peers/glmnet_path.py has written: 64 strengths x 5 folds of L1, a fold per core.
#
#     Rscript glmnet_path.R FOLDER ROWS COLUMNS ALPHA THRESH CORES REPEATS
#
# x.f64 (row after row), y.f64, fold.f64, strengths.f64 in; coef.f64 (fold, strength, intercept and weights) out.
suppressPackageStartupMessages(library(glmnet))
given <- commandArgs(trailingOnly = TRUE)
folder <- given[1]
setting <- as.numeric(given[-1])
rows <- setting[1]; columns <- setting[2]; alpha <- setting[3]; thresh <- setting[4]; cores <- setting[5]
numbers <- function(name, count) readBin(file.path(folder, name), "double", count)
x <- matrix(numbers("x.f64", rows * columns), rows, columns, byrow = TRUE)
y <- numbers("y.f64", rows)
fold <- numbers("fold.f64", rows)
strengths <- numbers("strengths.f64", 64)
# Every strength is wanted: a path does not end where the deviance hardly changes.
glmnet.control(fdev = 0, devmax = 1 - 1e-12)
training <- lapply(0:4, function(held_out) which(fold != held_out))
x_of <- lapply(training, function(rows) x[rows, , drop = FALSE])

fit <- function(number) {
  lambda <- 1 / (strengths * length(training[[number]]))
  # lambda falls as strengths rise: each fit starts from the last.
  made <- glmnet(x_of[[number]], y[training[[number]]], family = "binomial", alpha = alpha, lambda = lambda,
                 standardize = FALSE, thresh = thresh, maxit = 1e7)
  answer <- matrix(NA, length(strengths), columns + 1)
  found <- seq_along(made$lambda)
  answer[found, ] <- cbind(made$a0, t(as.matrix(made$beta)))
  answer
}

seconds <- numeric(0)
for (repeated in seq_len(setting[6])) {
  start <- proc.time()[["elapsed"]]
  made <- parallel::mclapply(1:5, fit, mc.cores = cores, mc.preschedule = FALSE)
  seconds <- c(seconds, proc.time()[["elapsed"]] - start)
}
writeBin(unlist(lapply(made, t)), file.path(folder, "coef.f64"))
cat(sprintf("%s glmnet %s\n", sub(" \\(.*", "", R.version.string), packageVersion("glmnet")))
cat(paste(seconds, collapse = " "), "\n")
