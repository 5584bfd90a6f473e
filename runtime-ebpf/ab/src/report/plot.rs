//! Plots, as SVG that stands in the page.
//!
//! Decides: scales, ticks and places. Every number that is written in a plot is a text of the comparison, except ticks.
//! Trusts: its callers' names and texts, which it escapes.
//! Never does: need a script, a font or anything else from elsewhere.

use std::fmt::Write;

use super::html::escaped;

/// Width of every plot. The page scales it.
const WIDTH: f64 = 860.0;
/// Where bars begin: names stand before.
const BARS_AT: f64 = 190.0;
/// Room for the text behind the longest bar.
const LABEL: f64 = 250.0;
/// Height of a bar with the space around.
const BAR: f64 = 30.0;
/// Height of the plot of lines, and the room around it.
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
    /// One behind the other; the second is the collector's.
    pub(super) parts: Vec<f64>,
    /// Quartiles of the sum.
    pub(super) whisker: (f64, f64),
    /// What is written behind it.
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
pub(super) fn bars(id: &str, about: &str, bars: &[Bar<'_>]) -> String {
    let longest = bars.iter().map(|bar| bar.whisker.1.max(bar.parts.iter().sum())).fold(0.0, f64::max);
    let scale = if longest > 0.0 { (WIDTH - BARS_AT - LABEL) / longest } else { 0.0 };
    let mut svg = open(id, about, bars.len() as f64 * BAR + 8.0);
    for (index, bar) in bars.iter().enumerate() {
        let top = index as f64 * BAR + 8.0;
        let middle = top + BAR / 2.0 - 3.0;
        let name = escaped(bar.name);
        put(&mut svg, &format!("<text x='{:.1}' y='{:.1}' class='name'>{name}</text>", BARS_AT - 10.0, middle + 4.0));
        let mut from = BARS_AT;
        for (part, value) in bar.parts.iter().enumerate() {
            let (width, color) = (value * scale, bar.color);
            let class = if part == 0 { "bar" } else { "bar beside" };
            put(
                &mut svg,
                &format!(
                    "<rect x='{from:.1}' y='{top:.1}' width='{width:.1}' height='{:.1}' class='{class} c{color}' \
                     data-variant='{name}'/>",
                    BAR - 8.0
                ),
            );
            from += width;
        }
        let (low, high) = (BARS_AT + bar.whisker.0 * scale, BARS_AT + bar.whisker.1 * scale);
        let (above, below) = (middle - 5.0, middle + 5.0);
        put(
            &mut svg,
            &format!(
                "<path class='whisker' d='M{low:.1} {middle:.1}H{high:.1}M{low:.1} {above:.1}V{below:.1}\
                 M{high:.1} {above:.1}V{below:.1}'/>"
            ),
        );
        let (x, y) = (from.max(high) + 10.0, middle + 4.0);
        put(&mut svg, &format!("<text x='{x:.1}' y='{y:.1}' class='value'>{}</text>", escaped(&bar.label)));
    }
    svg + "</svg>"
}

/// Latency by percentile. Each nine takes as much room as the one before, and so does each tenfold latency.
pub(super) fn lines(id: &str, about: &str, lines: &[Line<'_>]) -> String {
    let points = || lines.iter().flat_map(|line| &line.points).filter(|point| is_shown(point));
    let (low, high) = points().fold((f64::MAX, f64::MIN), |(low, high), point| (low.min(point.1), high.max(point.1)));
    let (low, high) = (low.log10() - 0.05, high.log10() + 0.05);
    let most = points().map(|point| nines(point.0)).fold(1.0, f64::max);
    let x = |percentile: f64| LEFT + nines(percentile) / most * (WIDTH - LEFT - RIGHT);
    let y = |us: f64| TOP + (high - us.log10()) / (high - low) * (HEIGHT - TOP - BOTTOM);
    let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);

    let mut svg = open(id, about, HEIGHT);
    for percentile in [50.0, 75.0, 90.0, 99.0, 99.9, 99.99] {
        if nines(percentile) <= most + 1e-9 {
            let x = x(percentile);
            put(&mut svg, &format!("<path class='grid' d='M{x:.1} {TOP}V{bottom:.1}'/>"));
            put(&mut svg, &format!("<text x='{x:.1}' y='{:.1}' class='tick x'>{percentile} %</text>", bottom + 18.0));
        }
    }
    for us in ticks(low, high) {
        let y = y(us);
        put(&mut svg, &format!("<path class='grid' d='M{LEFT} {y:.1}H{right:.1}'/>"));
        put(&mut svg, &format!("<text x='{:.1}' y='{:.1}' class='tick y'>{}</text>", LEFT - 8.0, y + 4.0, time(us)));
    }
    let middle = f64::midpoint(LEFT, right);
    put(
        &mut svg,
        &format!("<text x='{middle:.1}' y='{:.1}' class='tick x'>percentile of requests</text>", HEIGHT - 8.0),
    );
    for line in lines {
        let (color, name) = (line.color, escaped(line.name));
        let shown = line.points.iter().filter(|point| is_shown(point));
        let places: Vec<_> = shown.map(|(percentile, us)| (x(*percentile), y(*us))).collect();
        let path: Vec<_> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        put(&mut svg, &format!("<polyline class='line c{color}' data-variant='{name}' points='{}'/>", path.join(" ")));
        for (x, y) in places {
            put(&mut svg, &format!("<circle class='dot c{color}' cx='{x:.1}' cy='{y:.1}' r='2.5'/>"));
        }
    }
    svg + "</svg>"
}

fn open(id: &str, about: &str, height: f64) -> String {
    format!("<svg id='{id}' viewBox='0 0 {WIDTH} {height:.0}' role='img' aria-label='{}'>\n", escaped(about))
}

fn put(svg: &mut String, element: &str) {
    writeln!(svg, "{element}").expect("a String takes everything");
}

/// The longest latency of all has no place on an axis of nines, and zero has none on one of powers.
fn is_shown(point: &(f64, f64)) -> bool {
    point.0 < 100.0 && point.1 > 0.0
}

/// How many nines a percentile has: 90 has one, 99 has two.
fn nines(percentile: f64) -> f64 {
    -(1.0 - percentile / 100.0).log10()
}

/// 1, 2 and 5 times powers of ten between these powers.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let decades = (low.floor() as i32)..=(high.ceil() as i32);
    let ticks = decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|step| step * 10.0_f64.powi(decade)));
    ticks.filter(|tick| (low..=high).contains(&tick.log10())).collect()
}

/// A tick's time.
fn time(us: f64) -> String {
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
    fn axes() {
        assert!((nines(90.0) - 1.0).abs() < 1e-9 && (nines(99.9) - 3.0).abs() < 1e-9);
        assert_eq!(ticks(1.9, 3.1), [100.0, 200.0, 500.0, 1000.0]);
        assert_eq!([time(50.0), time(2000.0), time(5e6)], ["50 µs", "2 ms", "5 s"]);
    }

    #[test]
    fn nothing_told_makes_a_plot_without_numbers_that_are_none() {
        let empty = [Line { name: "a<b", color: 0, points: vec![(100.0, 5.0), (50.0, 0.0)] }];
        let svg = lines("x", "", &empty);
        assert!(svg.contains("a&lt;b") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let bar = Bar { name: "a", color: 0, parts: vec![0.0], whisker: (0.0, 0.0), label: "0".into() };
        let svg = bars("x", "", &[bar]);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
