//! The panel over the list: what good practice finds, worst first.

use crate::domain::practice::finding::Practice;
use crate::domain::practice::summary::{Summary, day_of};
use crate::domain::timestamp::Timestamp;
use crate::web::app::text::pluralized;
use crate::web::components::trend::Trend;
use crate::web::pages::api_keys::list_address::KeyListAddress;
use crate::web::pages::api_keys::list_filters::Filters;

const MAX_LINES: usize = 5;

#[derive(Clone, Debug)]
pub struct PracticePanel {
    /// The heaviest findings.
    pub lines: Vec<PracticeLine>,
    /// “All 214 keys follow your practice”, if nothing is found.
    pub praise: Option<String>,
    /// “and 2 more findings”.
    pub more: Option<String>,
    /// The keys with findings over the last 90 days.
    pub trend: Option<Trend>,
}

#[derive(Clone, Debug)]
pub struct PracticeLine {
    /// “3 keys”.
    pub keys: String,
    /// “have never been used”.
    pub predicate: &'static str,
    /// The list of these keys.
    pub href: String,
}

impl PracticePanel {
    /// The panel of a company with active keys.
    #[must_use]
    pub fn new(summary: &Summary, active_keys: u64, now: Timestamp) -> Self {
        let found: Vec<PracticeLine> = summary.found().map(|(practice, keys)| line(practice, keys)).collect();
        let hidden = found.len().saturating_sub(MAX_LINES) as u64;
        let praise = found.is_empty().then(|| match active_keys {
            1 => "Your key follows your practice".to_owned(),
            _ => format!("All {} follow your practice", pluralized(active_keys, "key", "keys")),
        });
        Self {
            praise,
            more: (hidden > 0).then(|| format!("and {}", pluralized(hidden, "more finding", "more findings"))),
            trend: Trend::of("Keys with findings", &summary.until(day_of(now))),
            lines: found.into_iter().take(MAX_LINES).collect(),
        }
    }
}

fn line(practice: Practice, keys: i64) -> PracticeLine {
    let count = u64::try_from(keys).unwrap_or(0);
    let filters = Filters { practice: Some(practice), ..Filters::NONE };
    PracticeLine {
        keys: pluralized(count, "key", "keys"),
        predicate: practice.predicate(keys),
        href: KeyListAddress::filtered(filters).href(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::practice::finding::Findings;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    #[test]
    fn the_panel_shows_five_findings_worst_first() {
        let mut summary = Summary::default();
        for practice in Practice::ALL.into_iter().rev().take(7) {
            summary.update(Findings::default(), Findings::of(practice));
        }
        let panel = PracticePanel::new(&summary, 7, NOW);
        let lines: Vec<String> = panel.lines.iter().map(|line| format!("{} {}", line.keys, line.predicate)).collect();
        assert_eq!(lines.len(), MAX_LINES);
        assert_eq!(lines[0], "1 key is used by a person, with a browser or an API tool");
        assert!(panel.lines[0].href.ends_with("?practice=human-client"));
        assert_eq!(panel.more.as_deref(), Some("and 2 more findings"));
        assert_eq!(panel.praise, None);
    }

    #[test]
    fn a_company_without_findings_is_praised() {
        let panel = PracticePanel::new(&Summary::default(), 1_214, NOW);
        assert_eq!(panel.praise.as_deref(), Some("All 1,214 keys follow your practice"));
        assert!(panel.lines.is_empty() && panel.more.is_none());
        let panel = PracticePanel::new(&Summary::default(), 1, NOW);
        assert_eq!(panel.praise.as_deref(), Some("Your key follows your practice"));
    }
}
