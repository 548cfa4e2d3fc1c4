//! The table of results: each figure, its baseline and its target.

use std::fmt;

use super::wrk::Sample;

/// A figure of a sample.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    RequestsPerSecond,
    P50,
    P95,
    P99,
    Processor,
}

impl Figure {
    fn of(self, sample: &Sample) -> f64 {
        match self {
            Self::RequestsPerSecond => sample.requests_per_second,
            Self::P50 => sample.p50_micros,
            Self::P95 => sample.p95_micros,
            Self::P99 => sample.p99_micros,
            Self::Processor => sample.processor_micros,
        }
    }

    fn format(self, value: f64) -> String {
        match self {
            Self::RequestsPerSecond => format!("{value:.0}/s"),
            Self::P50 | Self::P95 | Self::P99 if value >= 1_000.0 => format!("{:.2} ms", value / 1_000.0),
            Self::P50 | Self::P95 | Self::P99 => format!("{value:.0} µs"),
            Self::Processor => format!("{value:.1} µs"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::RequestsPerSecond => "answers",
            Self::P50 => "p50",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::Processor => "processor time of the server for each",
        }
    }
}

/// The target of a figure, as a multiple of its baseline.
#[derive(Clone, Copy)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// Within this fraction of it, above or below.
    Within(f64),
    None,
}

impl Target {
    fn is_met(self, ratio: f64) -> Option<bool> {
        match self {
            Self::AtLeast(minimum) => Some(ratio >= minimum),
            Self::AtMost(maximum) => Some(ratio <= maximum),
            Self::Within(tolerance) => Some(ratio.min(1.0 / ratio) >= 1.0 - tolerance),
            Self::None => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(minimum) => write!(f, "≥ {minimum}"),
            Self::AtMost(maximum) => write!(f, "≤ {maximum}"),
            Self::Within(tolerance) => write!(f, "within {:.0} %", tolerance * 100.0),
            Self::None => Ok(()),
        }
    }
}

/// A row of the table.
pub struct TableRow {
    what: String,
    measured: String,
    against: String,
    ratio: String,
    target: String,
    is_met: Option<bool>,
}

impl TableRow {
    /// Compares a figure of two loads that were measured alternately.
    pub fn compared(
        figure: Figure,
        target: Target,
        (name, samples): (&str, &[Sample]),
        (baseline_name, baseline): (&str, &[Sample]),
    ) -> Self {
        let values = |samples: &[Sample]| samples.iter().map(|sample| figure.of(sample)).collect::<Vec<_>>();
        let (values, baseline) = (values(samples), values(baseline));
        let mut ratios: Vec<_> = values.iter().zip(&baseline).map(|(value, baseline)| value / baseline).collect();
        let ratio = median(&mut ratios);
        let spread = (ratios.first().copied().unwrap_or(ratio), ratios.last().copied().unwrap_or(ratio));
        Self {
            what: format!("{name}: {}", figure.name()),
            measured: figure.format(median(&mut values.clone())),
            against: format!("{baseline_name}: {}", figure.format(median(&mut baseline.clone()))),
            ratio: format!("{ratio:.2} ({:.2} to {:.2})", spread.0, spread.1),
            target: target.to_string(),
            is_met: target.is_met(ratio),
        }
    }

    /// Compares a figure of one load with a maximum.
    pub fn at_most(figure: Figure, maximum: f64, (name, samples): (&str, &[Sample])) -> Self {
        let mut values: Vec<_> = samples.iter().map(|sample| figure.of(sample)).collect();
        let value = median(&mut values);
        let what = format!("{name}: {}", figure.name());
        Self::single(&what, figure.format(value), &format!("≤ {}", figure.format(maximum)), Some(value <= maximum))
    }

    /// A figure of one load, without a target.
    pub fn measured(figure: Figure, (name, samples): (&str, &[Sample])) -> Self {
        let mut values: Vec<_> = samples.iter().map(|sample| figure.of(sample)).collect();
        Self::single(&format!("{name}: {}", figure.name()), figure.format(median(&mut values)), "", None)
    }

    /// A figure without a baseline.
    pub fn single(what: &str, measured: String, target: &str, is_met: Option<bool>) -> Self {
        let (against, ratio) = (String::new(), String::new());
        Self { what: what.to_owned(), measured, against, ratio, target: target.to_owned(), is_met }
    }
}

/// Prints the rows as a Markdown table.
pub fn print(rows: &[TableRow]) {
    println!("| | measured | against | ratio, median (least to most) | target | met |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for TableRow { what, measured, against, ratio, target, is_met } in rows {
        let met = match is_met {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        println!("| {what} | {measured} | {against} | {ratio} | {target} | {met} |");
    }
}

/// Sorts the values and returns their median.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}
