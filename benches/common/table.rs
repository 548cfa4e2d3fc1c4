//! The table: what was measured, against what, and whether that is what was asked for.

use std::fmt;

use super::wrk::Sample;

/// Something that a sample says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    RequestsASecond,
    P50,
    P95,
    P99,
    Processor,
}

impl Figure {
    fn of(self, sample: &Sample) -> f64 {
        match self {
            Self::RequestsASecond => sample.requests_a_second,
            Self::P50 => sample.p50_micros,
            Self::P95 => sample.p95_micros,
            Self::P99 => sample.p99_micros,
            Self::Processor => sample.processor_micros,
        }
    }

    fn shown(self, value: f64) -> String {
        match self {
            Self::RequestsASecond => format!("{value:.0}/s"),
            Self::P50 | Self::P95 | Self::P99 if value >= 1_000.0 => format!("{:.2} ms", value / 1_000.0),
            Self::P50 | Self::P95 | Self::P99 => format!("{value:.0} µs"),
            Self::Processor => format!("{value:.1} µs"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::RequestsASecond => "answers",
            Self::P50 => "p50",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::Processor => "processor time of the server for each",
        }
    }
}

/// What is asked of a figure, as a multiple of the one it is held against.
#[derive(Clone, Copy)]
pub enum Asked {
    AtLeast(f64),
    AtMost(f64),
    /// So near to it, whichever is greater.
    Within(f64),
    Nothing,
}

impl Asked {
    fn is_met(self, ratio: f64) -> Option<bool> {
        match self {
            Self::AtLeast(least) => Some(ratio >= least),
            Self::AtMost(most) => Some(ratio <= most),
            Self::Within(near) => Some(ratio.min(1.0 / ratio) >= 1.0 - near),
            Self::Nothing => None,
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "≥ {least}"),
            Self::AtMost(most) => write!(f, "≤ {most}"),
            Self::Within(near) => write!(f, "within {:.0} %", near * 100.0),
            Self::Nothing => Ok(()),
        }
    }
}

/// A line of the table.
pub struct Line {
    what: String,
    measured: String,
    against: String,
    ratio: String,
    asked: String,
    is_met: Option<bool>,
}

impl Line {
    /// A figure of two loads that took turns.
    pub fn compared(
        figure: Figure,
        asked: Asked,
        (name, samples): (&str, &[Sample]),
        (other_name, others): (&str, &[Sample]),
    ) -> Self {
        let values = |samples: &[Sample]| samples.iter().map(|sample| figure.of(sample)).collect::<Vec<_>>();
        let (values, others) = (values(samples), values(others));
        let mut ratios: Vec<_> = values.iter().zip(&others).map(|(value, other)| value / other).collect();
        let ratio = median(&mut ratios);
        let spread = (ratios.first().copied().unwrap_or(ratio), ratios.last().copied().unwrap_or(ratio));
        Self {
            what: format!("{name}: {}", figure.name()),
            measured: figure.shown(median(&mut values.clone())),
            against: format!("{other_name}: {}", figure.shown(median(&mut others.clone()))),
            ratio: format!("{ratio:.2} ({:.2} to {:.2})", spread.0, spread.1),
            asked: asked.to_string(),
            is_met: asked.is_met(ratio),
        }
    }

    /// A figure of one load that is asked for by itself.
    pub fn at_most(figure: Figure, most: f64, (name, samples): (&str, &[Sample])) -> Self {
        let mut values: Vec<_> = samples.iter().map(|sample| figure.of(sample)).collect();
        let value = median(&mut values);
        let what = format!("{name}: {}", figure.name());
        Self::alone(&what, figure.shown(value), &format!("≤ {}", figure.shown(most)), Some(value <= most))
    }

    /// A figure that stands alone.
    pub fn alone(what: &str, measured: String, asked: &str, is_met: Option<bool>) -> Self {
        let (against, ratio) = (String::new(), String::new());
        Self { what: what.to_owned(), measured, against, ratio, asked: asked.to_owned(), is_met }
    }
}

/// Prints lines as a table in Markdown.
pub fn print(lines: &[Line]) {
    println!("| | measured | against | ratio, median (least to most) | asked | met |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for Line { what, measured, against, ratio, asked, is_met } in lines {
        let met = match is_met {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        println!("| {what} | {measured} | {against} | {ratio} | {asked} | {met} |");
    }
}

/// The middle one, or the mean of the middle two; sorts them.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}
