"use strict";
// Everything in its place; without a script the page stays as it came.
document.body.className = "scripted";
startTheme();
startPaper();
startBoard();
startDetail();
drawImportance();
drawSlices();
drawParallel();
drawMap();
drawCurves();
drawWeights();
drawPaths();
drawQuality();
