//! Paging through a list. A query reads one row more than a page holds, which shows whether there is another page.

/// Rows on a page.
pub const PAGE_SIZE: usize = 50;

/// The URLs of the neighbouring pages, and of both ends where a list offers them.
#[derive(Clone, Debug, Default)]
pub struct Pager {
    pub first: Option<String>,
    pub previous: Option<String>,
    pub next: Option<String>,
    pub last: Option<String>,
}

/// The direction in which a page was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageDirection {
    First,
    Forward,
    Backward,
}

/// The limit for the query of a page: one row more than the page shows.
pub fn limit() -> i64 {
    i64::try_from(PAGE_SIZE + 1).unwrap_or(i64::MAX)
}

impl Pager {
    /// Removes the extra row. The URLs of the neighbouring pages come from the first and the last row that remain.
    pub fn trim<T>(
        rows: &mut Vec<T>,
        direction: PageDirection,
        previous_url: impl Fn(&T) -> String,
        next_url: impl Fn(&T) -> String,
    ) -> Self {
        let has_more = rows.len() > PAGE_SIZE;
        let (has_previous, has_next) = match direction {
            PageDirection::First => (false, has_more),
            PageDirection::Forward => (true, has_more),
            PageDirection::Backward => (has_more, true),
        };
        if has_more {
            rows.remove(if direction == PageDirection::Backward { 0 } else { PAGE_SIZE });
        }
        Self {
            previous: rows.first().filter(|_| has_previous).map(previous_url),
            next: rows.last().filter(|_| has_next).map(next_url),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trim(rows: usize, direction: PageDirection) -> (Vec<usize>, Option<String>, Option<String>) {
        let mut rows: Vec<usize> = (0..rows).collect();
        let pager = Pager::trim(&mut rows, direction, ToString::to_string, ToString::to_string);
        (rows, pager.previous, pager.next)
    }

    #[test]
    fn a_page_with_all_rows_links_only_back_to_where_it_came_from() {
        for rows in [1, PAGE_SIZE] {
            let last = Some((rows - 1).to_string());
            assert_eq!(trim(rows, PageDirection::First), ((0..rows).collect(), None, None));
            assert_eq!(trim(rows, PageDirection::Forward), ((0..rows).collect(), Some("0".to_owned()), None));
            assert_eq!(trim(rows, PageDirection::Backward), ((0..rows).collect(), None, last));
        }
        assert_eq!(trim(0, PageDirection::Forward), (vec![], None, None));
    }

    #[test]
    fn the_extra_row_is_dropped_and_adds_a_link() {
        let last = Some((PAGE_SIZE - 1).to_string());
        assert_eq!(trim(PAGE_SIZE + 1, PageDirection::First), ((0..PAGE_SIZE).collect(), None, last));
        let (rows, previous, next) = trim(PAGE_SIZE + 1, PageDirection::Backward);
        assert_eq!((rows[0], previous, next), (1, Some("1".to_owned()), Some(PAGE_SIZE.to_string())));
    }
}
