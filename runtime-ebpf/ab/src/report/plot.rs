//! Plots as SVG elements of the page: scales, ticks and positions. Except for ticks, a plot shows
//! only the comparison's formatted values.

use maud::{Markup, html};

/// Width of every plot; the page scales it.
const WIDTH: f64 = 860.0;
/// Where bars begin, after their names.
const BARS_AT: f64 = 190.0;
/// Room for the text after the longest bar.
const LABEL: f64 = 250.0;
/// Height of a bar with the space around it.
const BAR: f64 = 30.0;
/// Height of a line plot, and its margins.
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 12.0;
const RIGHT: f64 = 32.0;
const BOTTOM: f64 = 46.0;

/// One bar.
pub(super) struct Bar<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Its color's number.
    pub(super) color: usize,
    /// Its segments, from left to right; the second is the collector's.
    pub(super) parts: Vec<f64>,
    /// Quartiles of the sum.
    pub(super) whisker: (f64, f64),
    /// The text after it.
    pub(super) label: String,
}

/// One line.
pub(super) struct Line<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Its color's number.
    pub(super) color: usize,
    /// Percentile and microseconds, ascending.
    pub(super) points: Vec<(f64, f64)>,
}

/// Bars from zero.
pub(super) fn bars(id: &str, label: &str, bars: &[Bar<'_>]) -> Markup {
    let longest = bars.iter().map(|bar| bar.whisker.1.max(bar.parts.iter().sum())).fold(0.0, f64::max);
    let scale = if longest > 0.0 { (WIDTH - BARS_AT - LABEL) / longest } else { 0.0 };
    let content = html! {
        @for (index, bar) in bars.iter().enumerate() { (draw_bar(bar, index as f64 * BAR + 8.0, scale)) }
    };
    svg(id, label, bars.len() as f64 * BAR + 8.0, &content)
}

fn draw_bar(bar: &Bar<'_>, top: f64, scale: f64) -> Markup {
    let middle = top + BAR / 2.0 - 3.0;
    let mut end = BARS_AT;
    let mut segments = Vec::new();
    for value in &bar.parts {
        segments.push((end, value * scale));
        end += value * scale;
    }
    let (low, high) = (BARS_AT + bar.whisker.0 * scale, BARS_AT + bar.whisker.1 * scale);
    let (above, below) = (middle - 5.0, middle + 5.0);
    let whisker =
        format!("M{low:.1} {middle:.1}H{high:.1}M{low:.1} {above:.1}V{below:.1}M{high:.1} {above:.1}V{below:.1}");
    html! {
        text x=(px(BARS_AT - 10.0)) y=(px(middle + 4.0)) class="name" { (bar.name) }
        @for (index, (left, width)) in segments.into_iter().enumerate() {
            rect x=(px(left)) y=(px(top)) width=(px(width)) height=(px(BAR - 8.0))
                class={ "bar" @if index > 0 { " beside" } " c" (bar.color) } data-variant=(bar.name) {}
        }
        path class="whisker" d=(whisker) {}
        text x=(px(end.max(high) + 10.0)) y=(px(middle + 4.0)) class="value" { (bar.label) }
    }
}

/// Latency by percentile. Each nine has the same width, and each power of ten of latency the same
/// height.
pub(super) fn lines(id: &str, label: &str, lines: &[Line<'_>]) -> Markup {
    let points = || lines.iter().flat_map(|line| &line.points).filter(|point| is_drawable(point));
    let (low, high) = points().fold((f64::MAX, f64::MIN), |(low, high), point| (low.min(point.1), high.max(point.1)));
    let (low, high) = (low.log10() - 0.05, high.log10() + 0.05);
    let most = points().map(|point| nines(point.0)).fold(1.0, f64::max);
    let x = |percentile: f64| LEFT + nines(percentile) / most * (WIDTH - LEFT - RIGHT);
    let y = |us: f64| TOP + (high - us.log10()) / (high - low) * (HEIGHT - TOP - BOTTOM);
    let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    let percentiles = [50.0, 75.0, 90.0, 99.0, 99.9, 99.99].into_iter().filter(|at| nines(*at) <= most + 1e-9);

    let content = html! {
        @for percentile in percentiles {
            path class="grid" d=(format!("M{:.1} {TOP}V{bottom:.1}", x(percentile))) {}
            text x=(px(x(percentile))) y=(px(bottom + 18.0)) class="tick x" { (percentile) " %" }
        }
        @for us in ticks(low, high) {
            path class="grid" d=(format!("M{LEFT} {:.1}H{right:.1}", y(us))) {}
            text x=(px(LEFT - 8.0)) y=(px(y(us) + 4.0)) class="tick y" { (format_us(us)) }
        }
        text x=(px(f64::midpoint(LEFT, right))) y=(px(HEIGHT - 8.0)) class="tick x" { "percentile of requests" }
        @for line in lines {
            @let points: Vec<_> = line.points.iter().filter(|point| is_drawable(point)).collect();
            @let places: Vec<_> = points.into_iter().map(|(at, us)| (px(x(*at)), px(y(*us)))).collect();
            polyline class={ "line c" (line.color) } data-variant=(line.name)
                points=(places.iter().map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")) {}
            @for (x, y) in places { circle class={ "dot c" (line.color) } cx=(x) cy=(y) r="2.5" {} }
        }
    };
    svg(id, label, HEIGHT, &content)
}

fn svg(id: &str, label: &str, height: f64, content: &Markup) -> Markup {
    html! {
        svg id=(id) viewBox={ "0 0 " (WIDTH) " " (format!("{height:.0}")) } role="img" aria-label=(label) { (content) }
    }
}

/// A coordinate or a length.
fn px(value: f64) -> String {
    format!("{value:.1}")
}

/// The maximum has no place on an axis of nines, and zero has none on a logarithmic one.
fn is_drawable(point: &(f64, f64)) -> bool {
    point.0 < 100.0 && point.1 > 0.0
}

/// The number of nines of a percentile: 90 has one, 99 has two.
fn nines(percentile: f64) -> f64 {
    -(1.0 - percentile / 100.0).log10()
}

/// 1, 2 and 5 times the powers of ten, between two powers of ten.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let decades = (low.floor() as i32)..=(high.ceil() as i32);
    let ticks = decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|step| step * 10.0_f64.powi(decade)));
    ticks.filter(|tick| (low..=high).contains(&tick.log10())).collect()
}

/// Formats a tick's time.
fn format_us(us: f64) -> String {
    match us {
        us if us >= 1e6 => format!("{} s", us / 1e6),
        us if us >= 1e3 => format!("{} ms", us / 1e3),
        us => format!("{} µs", (us * 1e3).round() / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_ticks() {
        assert!((nines(90.0) - 1.0).abs() < 1e-9 && (nines(99.9) - 3.0).abs() < 1e-9);
        assert_eq!(ticks(1.9, 3.1), [100.0, 200.0, 500.0, 1000.0]);
        assert_eq!([format_us(50.0), format_us(2000.0), format_us(5e6)], ["50 µs", "2 ms", "5 s"]);
    }

    #[test]
    fn plots_without_drawable_values_have_finite_coordinates() {
        let empty = [Line { name: "a<b", color: 0, points: vec![(100.0, 5.0), (50.0, 0.0)] }];
        let svg = lines("x", "", &empty).into_string();
        assert!(svg.contains("a&lt;b") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let bar = Bar { name: "a", color: 0, parts: vec![0.0], whisker: (0.0, 0.0), label: "0".into() };
        let svg = bars("x", "", &[bar]).into_string();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
