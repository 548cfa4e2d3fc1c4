//! The Evidence page with sample data.

use crate::domain::trail::action::Action;
use crate::evidence::Verdict;
use crate::web::components::field::Field;
use crate::web::components::samples::{Rendered, ago, layout, render, zone};
use crate::web::pages::audit_trail::address::TrailAddress;
use crate::web::pages::evidence::export::handlers::no_such_checkpoint;
use crate::web::pages::evidence::state_check::StateCheckView;
use crate::web::pages::evidence::view::EvidencePage;
use crate::web::pages::evidence::witnesses::WitnessesView;

impl EvidencePage {
    pub fn samples() -> Vec<Rendered> {
        let page = || Self {
            layout: layout(),
            events: 1_204,
            witnesses: WitnessesView::sample(),
            state_check: StateCheckView::sample(Verdict::Fits),
            address: TrailAddress::default(),
            since: Field::default(),
            zone: zone().label(ago(0)),
        };
        let filtered = TrailAddress { actions: vec![Action::ApiKeyRevoked], ..TrailAddress::of_key("k8") };
        let alone = Self { witnesses: WitnessesView::default(), state_check: StateCheckView::default(), ..page() };
        let alarm = StateCheckView::sample(Verdict::RowsDiffer(2));
        let since = Field::invalid("1,300", no_such_checkpoint(1_204));
        let good = WitnessesView::good_sample();
        vec![
            render("evidence", &Self { witnesses: good, ..page() }),
            render("evidence-witnesses", &page()),
            render("evidence-alone", &Self { address: filtered, ..alone }),
            render("evidence-differences", &Self { state_check: alarm, ..page() }),
            render("evidence-since-refused", &Self { since, ..page() }),
        ]
    }
}
