//! Pages of a list: one row more than a page has is asked for, which says that it goes on.

/// So many rows are on a page.
pub const PAGE_SIZE: usize = 50;

/// The addresses of the pages around this one.
#[derive(Clone, Debug, Default)]
pub struct Pager {
    pub previous: Option<String>,
    pub next: Option<String>,
}

/// How a page was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    First,
    Onwards,
    Backwards,
}

/// How many rows to ask for.
pub(super) fn limit() -> i64 {
    i64::try_from(PAGE_SIZE + 1).unwrap_or(i64::MAX)
}

impl Pager {
    /// Takes the row away that only says that there are more. What is left leads on: back from its first row, and on from
    /// its last.
    pub(super) fn cut<T>(
        rows: &mut Vec<T>,
        reached: Reached,
        back_from: impl Fn(&T) -> String,
        on_from: impl Fn(&T) -> String,
    ) -> Self {
        let goes_on = rows.len() > PAGE_SIZE;
        let (has_previous, has_next) = match reached {
            Reached::First => (false, goes_on),
            Reached::Onwards => (true, goes_on),
            Reached::Backwards => (goes_on, true),
        };
        if goes_on {
            rows.remove(if reached == Reached::Backwards { 0 } else { PAGE_SIZE });
        }
        Self {
            previous: rows.first().filter(|_| has_previous).map(back_from),
            next: rows.last().filter(|_| has_next).map(on_from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(rows: usize, reached: Reached) -> (Vec<usize>, Option<String>, Option<String>) {
        let mut rows: Vec<usize> = (0..rows).collect();
        let pager = Pager::cut(&mut rows, reached, ToString::to_string, ToString::to_string);
        (rows, pager.previous, pager.next)
    }

    #[test]
    fn a_page_that_holds_all_there_is_leads_nowhere_but_where_it_was_reached_from() {
        for rows in [1, PAGE_SIZE] {
            let last = Some((rows - 1).to_string());
            assert_eq!(cut(rows, Reached::First), ((0..rows).collect(), None, None));
            assert_eq!(cut(rows, Reached::Onwards), ((0..rows).collect(), Some("0".to_owned()), None));
            assert_eq!(cut(rows, Reached::Backwards), ((0..rows).collect(), None, last));
        }
        assert_eq!(cut(0, Reached::Onwards), (vec![], None, None));
    }

    #[test]
    fn the_row_too_many_is_dropped_where_the_list_goes_on() {
        let on = Some((PAGE_SIZE - 1).to_string());
        assert_eq!(cut(PAGE_SIZE + 1, Reached::First), ((0..PAGE_SIZE).collect(), None, on));
        let (rows, previous, next) = cut(PAGE_SIZE + 1, Reached::Backwards);
        assert_eq!((rows[0], previous, next), (1, Some("1".to_owned()), Some(PAGE_SIZE.to_string())));
    }
}
