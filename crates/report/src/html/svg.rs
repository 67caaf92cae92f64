//! Plots for readers without JavaScript. Colors are classes of the page's style, so that they follow its theme.

use serde_json::Value;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 44.0;
/// About as many labels on an axis.
const TICKS: usize = 6;

/// A curve: points in the order of x, and how far it may be off.
#[derive(Default)]
pub(super) struct Line {
    pub(super) class: &'static str,
    pub(super) points: Vec<(f64, f64)>,
    /// x, low, high.
    pub(super) band: Vec<(f64, f64, f64)>,
    pub(super) has_dots: bool,
}

/// An axis: its range, and whether it is logarithmic.
struct Axis {
    low: f64,
    high: f64,
    is_log: bool,
}

impl Axis {
    fn new(values: impl Iterator<Item = f64>, is_log: bool) -> Option<Self> {
        let scale = |value: f64| if is_log { value.log10() } else { value };
        let finite = values.map(scale).filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        if low > high {
            return None;
        }
        let room = if low == high {
            low.abs().max(1.0) * 0.05
        } else {
            (high - low) * 0.04
        };
        Some(Self {
            low: low - room,
            high: high + room,
            is_log,
        })
    }

    fn share(&self, value: f64) -> f64 {
        let value = if self.is_log { value.log10() } else { value };
        (value - self.low) / (self.high - self.low)
    }

    /// Round values within the range, as they are.
    fn ticks(&self) -> Vec<f64> {
        let span = self.high - self.low;
        let rough = span / TICKS as f64;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|step| *step >= rough);
        let mut step = step.unwrap_or(rough);
        if self.is_log {
            step = step.max(1.0).round();
        }
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        let ticks = (first..=last).take(4 * TICKS).map(|tick| tick as f64 * step);
        if self.is_log {
            ticks.map(|tick| 10_f64.powf(tick)).collect()
        } else {
            ticks.collect()
        }
    }
}

/// Curves in one frame.
pub(super) fn lines(title: &str, x_label: &str, y_label: &str, is_log: bool, curves: &[Line]) -> Option<String> {
    let xs = curves.iter().flat_map(|line| line.points.iter().map(|point| point.0));
    let ys = curves.iter().flat_map(|line| {
        let band = line.band.iter().flat_map(|(_, low, high)| [*low, *high]);
        line.points.iter().map(|point| point.1).chain(band)
    });
    let (x, y) = (Axis::new(xs, is_log)?, Axis::new(ys, false)?);
    let place = |px: f64, py: f64| {
        let left = LEFT + x.share(px) * (WIDTH - LEFT - RIGHT);
        let top = HEIGHT - BOTTOM - y.share(py) * (HEIGHT - TOP - BOTTOM);
        format!("{left:.1},{top:.1}")
    };
    let mut svg = opening(title, HEIGHT);
    for tick in y.ticks() {
        let top = HEIGHT - BOTTOM - y.share(tick) * (HEIGHT - TOP - BOTTOM);
        svg += &format!(
            "<line class=\"rule\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{top:.1}\" y2=\"{top:.1}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            top + 4.0,
            label(tick)
        );
    }
    for tick in x.ticks() {
        let left = LEFT + x.share(tick) * (WIDTH - LEFT - RIGHT);
        svg += &format!(
            "<text x=\"{left:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            HEIGHT - BOTTOM + 18.0,
            label(tick)
        );
    }
    for line in curves {
        let is_shown = |(px, py): &(f64, f64)| (!is_log || *px > 0.0) && px.is_finite() && py.is_finite();
        let band: Vec<&(f64, f64, f64)> = line
            .band
            .iter()
            .filter(|(px, low, high)| is_shown(&(*px, *low)) && high.is_finite())
            .collect();
        if band.len() > 1 {
            let there = band.iter().map(|(px, _, high)| place(*px, *high));
            let back = band.iter().rev().map(|(px, low, _)| place(*px, *low));
            let points: Vec<String> = there.chain(back).collect();
            svg += &format!(
                "<polygon class=\"band {}\" points=\"{}\"/>",
                line.class,
                points.join(" ")
            );
        }
        let points: Vec<String> = line
            .points
            .iter()
            .filter(|point| is_shown(point))
            .map(|(px, py)| place(*px, *py))
            .collect();
        svg += &format!(
            "<polyline class=\"line {}\" points=\"{}\"/>",
            line.class,
            points.join(" ")
        );
        if line.has_dots {
            for point in &points {
                if let Some((left, top)) = point.split_once(',') {
                    svg += &format!(
                        "<circle class=\"dot {}\" cx=\"{left}\" cy=\"{top}\" r=\"3\"/>",
                        line.class
                    );
                }
            }
        }
    }
    svg += &format!(
        "<text class=\"axis\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text><text class=\"axis\" x=\"{LEFT}\" y=\"10\" text-anchor=\"start\">{}</text></svg>",
        f64::midpoint(LEFT, WIDTH - RIGHT),
        HEIGHT - 6.0,
        escape(x_label),
        escape(y_label),
    );
    Some(svg)
}

/// Names with a value and its deviation each, as dots around 0.
pub(super) fn dots(title: &str, rows: &[(String, f64, f64)]) -> Option<String> {
    const ROW: f64 = 22.0;
    const NAMES: f64 = 220.0;
    const LONGEST: usize = 32;
    let ends = rows
        .iter()
        .flat_map(|(_, mean, std)| [mean - std, mean + std])
        .chain([0.0]);
    let axis = Axis::new(ends, false).filter(|_| !rows.is_empty())?;
    let height = TOP + ROW * rows.len() as f64 + 28.0;
    let place = |value: f64| NAMES + axis.share(value) * (WIDTH - NAMES - RIGHT);
    let bottom = TOP + ROW * rows.len() as f64;
    let mut svg = opening(title, height);
    for tick in axis.ticks() {
        let left = place(tick);
        let class = if tick == 0.0 { "rule zero" } else { "rule" };
        svg += &format!(
            "<line class=\"{class}\" x1=\"{left:.1}\" x2=\"{left:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/><text x=\"{left:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            bottom + 18.0,
            label(tick)
        );
    }
    for (index, (name, mean, std)) in rows.iter().enumerate() {
        let top = TOP + ROW * (index as f64 + 0.5);
        let mut shown: String = name.chars().take(LONGEST).collect();
        if shown.len() < name.len() {
            shown.push('…');
        }
        svg += &format!(
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text><line class=\"line one\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{top:.1}\" y2=\"{top:.1}\"/><circle class=\"dot one\" cx=\"{:.1}\" cy=\"{top:.1}\" r=\"4\"/>",
            NAMES - 10.0,
            top + 4.0,
            escape(&shown),
            place(mean - std),
            place(mean + std),
            place(*mean)
        );
    }
    Some(svg + "</svg>")
}

fn opening(title: &str, height: f64) -> String {
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{0}\"><title>{0}</title>",
        escape(title)
    )
}

fn label(value: f64) -> String {
    // Steps of an axis are sums of a rounded step; their last digits are noise.
    let rounded: Value = super::figures::short(value, 6);
    let size = value.abs();
    match rounded.as_f64() {
        Some(number) if size != 0.0 && !(1e-3..1e5).contains(&size) => format!("{number:e}"),
        _ => rounded.to_string(),
    }
}

/// Text of an element or an attribute in double quotes.
fn escape(text: &str) -> String {
    minijinja::HtmlEscape(&crate::sanitize(text)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let axis = Axis::new([0.481, 0.523].into_iter(), false).expect("a range");
        assert_eq!(
            axis.ticks().iter().map(|tick| label(*tick)).collect::<Vec<_>>(),
            ["0.48", "0.49", "0.5", "0.51", "0.52"]
        );
        let axis = Axis::new([1e-4, 1e4].into_iter(), true).expect("a range");
        assert_eq!(
            axis.ticks().iter().map(|tick| label(*tick)).collect::<Vec<_>>(),
            ["1e-4", "0.01", "1", "100", "10000"]
        );
    }

    #[test]
    fn names_cannot_leave_their_text() {
        let svg = dots("x\" onload=\"alert(1)", &[("</text><script>".to_owned(), 1.0, 0.5)]).expect("a row");
        assert!(!svg.contains("<script") && !svg.contains("x\" onload"), "{svg}");
    }

    #[test]
    fn nothing_finite_is_no_plot() {
        let line = Line {
            points: vec![(1.0, f64::NAN)],
            ..Line::default()
        };
        assert!(lines("t", "x", "y", false, &[line]).is_none());
        assert!(dots("t", &[]).is_none());
    }
}
