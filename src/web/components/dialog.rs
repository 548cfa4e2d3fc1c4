//! A dialog over a page. It has its own template, so a page can render any dialog.

use std::fmt;

use askama::{DynTemplate, Template};

pub struct Dialog {
    /// The first part of the document title.
    pub title: String,
    /// Whether the form shows an error.
    pub has_error: bool,
    /// Whether a click outside closes it. False for a secret that is shown only once.
    pub is_dismissible: bool,
    template: Box<dyn DynTemplate>,
}

impl Dialog {
    #[must_use]
    pub fn new(title: impl Into<String>, template: impl Template + 'static) -> Self {
        Self { title: title.into(), has_error: false, is_dismissible: true, template: Box::new(template) }
    }

    /// A dialog with a form, which may show errors.
    #[must_use]
    pub fn form(title: impl Into<String>, has_error: bool, template: impl Template + 'static) -> Self {
        Self { has_error, ..Self::new(title, template) }
    }

    /// A dialog with a secret that is shown only once.
    #[must_use]
    pub fn secret(title: impl Into<String>, template: impl Template + 'static) -> Self {
        Self { is_dismissible: false, ..Self::new(title, template) }
    }

    /// The document title while the dialog is open over a page titled `page`.
    #[must_use]
    pub fn document_title(&self, separator: &str, page: &str) -> String {
        format!("{}{}{separator}{page}", if self.has_error { "Error: " } else { "" }, self.title)
    }
}

impl fmt::Display for Dialog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.template.fmt(f)
    }
}
