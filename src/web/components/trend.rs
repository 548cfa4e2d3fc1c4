//! A small line of a number over the last days, as inline SVG.

use askama::Template;

use crate::web::app::text::with_thousands;

#[derive(Clone, Debug, Template)]
#[template(path = "components/trend.html")]
pub struct Trend {
    /// The points of the line on a grid of 90 by 20, from the top left corner.
    points: String,
    /// What the line shows, in words.
    pub text: String,
}

const HEIGHT: i64 = 20;
const WIDTH: usize = 90;

impl Trend {
    /// The line of a number of each day, oldest first. `None` if there are fewer than two days.
    #[must_use]
    pub fn of(subject: &str, numbers: &[i64]) -> Option<Self> {
        let (first, last) = (*numbers.first()?, *numbers.last()?);
        if numbers.len() < 2 {
            return None;
        }
        let highest = numbers.iter().copied().max().unwrap_or(0).max(1);
        let start = WIDTH.saturating_sub(numbers.len());
        let points: Vec<String> = numbers
            .iter()
            .enumerate()
            .map(|(day, number)| format!("{},{}", start + day, HEIGHT - number * HEIGHT / highest))
            .collect();
        let count = |number: i64| with_thousands(u64::try_from(number).unwrap_or(0));
        let days = numbers.len();
        let text = format!(
            "{subject}, last {days} days: from {} to {}, at most {}",
            count(first),
            count(last),
            count(highest)
        );
        Some(Self { points: points.join(" "), text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_ends_at_the_right_and_scales_to_the_highest_number() {
        let trend = Trend::of("Keys with findings", &[10, 5, 0]).unwrap();
        assert_eq!(trend.points, "87,0 88,10 89,20");
        assert_eq!(trend.text, "Keys with findings, last 3 days: from 10 to 0, at most 10");
        assert!(Trend::of("", &[3]).is_none() && Trend::of("", &[]).is_none());
    }
}
