import * as core from "echarts/core";
import { LineChart, ScatterChart, ParallelChart, HeatmapChart, BarChart, CustomChart } from "echarts/charts";
import { GridComponent, ParallelComponent, TooltipComponent, VisualMapComponent, BrushComponent, MarkLineComponent, MarkAreaComponent } from "echarts/components";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer } from "echarts/renderers";
core.use([LineChart, ScatterChart, ParallelChart, HeatmapChart, BarChart, CustomChart, GridComponent, ParallelComponent, TooltipComponent, VisualMapComponent, BrushComponent, MarkLineComponent, MarkAreaComponent, LabelLayout, CanvasRenderer]);
export { init, getInstanceByDom } from "echarts/core";
export { contours } from "d3-contour";
