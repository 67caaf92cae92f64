//! Plots for readers without JavaScript. Colors stand for those of the page's style, so that they follow its theme.

use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use serde_json::Value;

const WIDTH: u32 = 720;
const HEIGHT: u32 = 300;
/// The backend knows whole units only, so a plot is drawn this much larger than it is shown.
const FINE: u32 = 10;
/// About as many labels on an axis.
const TICKS: usize = 6;
/// Labels stand twice as far from the plot as ticks, which are not drawn, are long.
const TICK: u32 = 4 * FINE;

type Ink = RGBColor;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Placeholders for the page's own colors, each of them unlike the others.
const RULE: Ink = RGBColor(1, 0, 0);
const QUIET: Ink = RGBColor(2, 0, 0);
pub(super) const ACCENT: Ink = RGBColor(3, 0, 0);
pub(super) const SECOND: Ink = RGBColor(4, 0, 0);

/// A curve: points in the order of x, and how far it may be off.
pub(super) struct Line {
    pub(super) color: RGBColor,
    pub(super) points: Vec<(f64, f64)>,
    /// x, low, high.
    pub(super) band: Vec<(f64, f64, f64)>,
    pub(super) has_dots: bool,
}

/// An axis: its range, and whether it is logarithmic.
#[derive(Clone, Copy)]
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

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (start, end): (i32, i32)) -> i32 {
        start + (self.share(*value) * f64::from(end - start)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks()
    }

    fn range(&self) -> std::ops::Range<f64> {
        let end = |value: f64| if self.is_log { 10_f64.powf(value) } else { value };
        end(self.low)..end(self.high)
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(value: &f64) -> String {
        label(*value)
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
    let decimals = y.ticks().iter().map(|tick| decimals(*tick)).max().unwrap_or(0);
    let draw = |area: &Area| {
        let mut chart = ChartBuilder::on(area)
            .margin_top(24 * FINE)
            .margin_right(16 * FINE)
            .x_label_area_size(44 * FINE)
            .y_label_area_size(64 * FINE)
            .build_cartesian_2d(x, y)?;
        let text = font(12, &QUIET);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RULE.stroke_width(FINE))
            .axis_style(TRANSPARENT)
            .set_all_tick_mark_size(TICK)
            .x_label_style(text.clone())
            .y_label_style(text.clone())
            .y_label_formatter(&|value| with_decimals(*value, decimals))
            .axis_desc_style(text.clone())
            .x_desc(crate::sanitize(x_label))
            .draw()?;
        area.draw_text(&crate::sanitize(y_label), &text, (0, FINE.cast_signed()))?;
        let floor = [(x.range().start, y.range().start), (x.range().end, y.range().start)];
        chart.draw_series([PathElement::new(floor, RULE.stroke_width(FINE))])?;
        for line in curves {
            let is_shown = |(px, py): &(f64, f64)| (!is_log || *px > 0.0) && px.is_finite() && py.is_finite();
            let band: Vec<&(f64, f64, f64)> = line
                .band
                .iter()
                .filter(|(px, low, high)| is_shown(&(*px, *low)) && high.is_finite())
                .collect();
            if band.len() > 1 {
                let there = band.iter().map(|(px, _, high)| (*px, *high));
                let back = band.iter().rev().map(|(px, low, _)| (*px, *low));
                let outline: Vec<(f64, f64)> = there.chain(back).collect();
                chart.draw_series([Polygon::new(outline, line.color.mix(0.14).filled())])?;
            }
            let points: Vec<(f64, f64)> = line.points.iter().copied().filter(is_shown).collect();
            chart.draw_series(LineSeries::new(
                points.iter().copied(),
                line.color.stroke_width(2 * FINE),
            ))?;
            if line.has_dots {
                let dots = points
                    .iter()
                    .map(|point| Circle::new(*point, 3 * FINE, line.color.filled()));
                chart.draw_series(dots)?;
            }
        }
        area.present()
    };
    plot(title, HEIGHT, draw)
}

/// Names with a value and its deviation each, as dots around 0.
pub(super) fn dots(title: &str, rows: &[(String, f64, f64)]) -> Option<String> {
    const ROW: u32 = 22;
    const NAMES: u32 = 220;
    const LONGEST: usize = 32;
    let ends = rows
        .iter()
        .flat_map(|(_, mean, std)| [mean - std, mean + std])
        .chain([0.0]);
    let x = Axis::new(ends, false).filter(|_| !rows.is_empty())?;
    let decimals = x.ticks().iter().map(|tick| decimals(*tick)).max().unwrap_or(0);
    let height = ROW * rows.len() as u32;
    let draw = |area: &Area| {
        let mut chart = ChartBuilder::on(area)
            .margin_top(10 * FINE)
            .margin_right(16 * FINE)
            .x_label_area_size(30 * FINE)
            .y_label_area_size(NAMES * FINE)
            .build_cartesian_2d(x, rows.len() as f64..0.0)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RULE.stroke_width(FINE))
            .axis_style(TRANSPARENT)
            .set_all_tick_mark_size(TICK)
            .y_labels(0)
            .x_label_style(font(12, &QUIET))
            .x_label_formatter(&|value| with_decimals(*value, decimals))
            .draw()?;
        let stroke = |color: Ink, width: u32| color.stroke_width(width * FINE);
        chart.draw_series([PathElement::new(
            [(0.0, 0.0), (0.0, rows.len() as f64)],
            stroke(QUIET, 1),
        )])?;
        for (index, (name, mean, std)) in rows.iter().enumerate() {
            let y = index as f64 + 0.5;
            let mut shown: String = crate::sanitize(name).chars().take(LONGEST).collect();
            if name.chars().count() > LONGEST {
                shown.push('…');
            }
            let anchor = Pos::new(HPos::Right, VPos::Center);
            let place = (
                ((NAMES - 10) * FINE).cast_signed(),
                ((10 + ROW * index as u32 + ROW / 2) * FINE).cast_signed(),
            );
            area.draw_text(&shown, &font(12, &QUIET).pos(anchor), place)?;
            let span = [(mean - std, y), (mean + std, y)];
            chart.draw_series([PathElement::new(span, stroke(ACCENT, 2))])?;
            chart.draw_series([Circle::new((*mean, y), 4 * FINE, ACCENT.filled())])?;
        }
        area.present()
    };
    plot(title, 10 + height + 30, draw)
}

/// A drawing as an element of the page, its colors those of the page's style. The backend writes into memory, which does not fail.
fn plot<E>(title: &str, height: u32, draw: impl FnOnce(&Area) -> Result<(), E>) -> Option<String> {
    let mut text = String::new();
    let size = (WIDTH * FINE, height * FINE);
    draw(&SVGBackend::with_string(&mut text, size).into_drawing_area()).ok()?;
    let (_, mut body) = text.split_once('>').map(|(opening, body)| (opening, body.to_owned()))?;
    for (color, name) in [(RULE, "rule"), (QUIET, "quiet"), (ACCENT, "accent"), (SECOND, "second")] {
        let RGBColor(red, green, blue) = color;
        body = body.replace(
            &format!("\"#{red:02X}{green:02X}{blue:02X}\""),
            &format!("\"var(--{name})\""),
        );
    }
    Some(format!(
        "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{title}\"><title>{title}</title>{body}",
        size.0,
        size.1,
        title = escape(title)
    ))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the style keeps the reference")]
fn font(size: u32, color: &'static Ink) -> TextStyle<'static> {
    // The backend divides sizes by this factor.
    let size = f64::from(size * FINE) * 1.24;
    TextStyle::from(("inherit", size).into_font()).color(color)
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

/// Decimals that a label has.
fn decimals(value: f64) -> usize {
    label(value).split_once('.').map_or(0, |(_, decimals)| decimals.len())
}

/// A label with as many decimals as its neighbors have; in powers of ten as it is.
fn with_decimals(value: f64, decimals: usize) -> String {
    let text = label(value);
    let text = if text.contains('e') {
        text
    } else {
        format!("{value:.decimals$}")
    };
    match text.strip_prefix('-') {
        Some(size) => format!("−{size}"),
        None => text,
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
    fn neighbors_have_the_same_decimals() {
        let values = [0.05, 0.1, 0.15];
        let most = values.iter().map(|value| decimals(*value)).max().expect("three");
        assert_eq!(values.map(|value| with_decimals(value, most)), ["0.05", "0.10", "0.15"]);
        assert_eq!(with_decimals(1e6, 0), "1e6");
        assert_eq!(with_decimals(2.0, 0), "2");
        assert_eq!(with_decimals(-0.5, 1), "−0.5");
    }

    #[test]
    fn names_cannot_leave_their_text() {
        let svg = dots("x\" onload=\"alert(1)", &[("</text><script>".to_owned(), 1.0, 0.5)]).expect("a row");
        assert!(!svg.contains("<script") && !svg.contains("x\" onload"), "{svg}");
    }

    #[test]
    fn nothing_finite_is_no_plot() {
        let line = Line {
            color: ACCENT,
            points: vec![(1.0, f64::NAN)],
            band: Vec::new(),
            has_dots: true,
        };
        assert!(lines("t", "x", "y", false, &[line]).is_none());
        assert!(dots("t", &[]).is_none());
    }
}
