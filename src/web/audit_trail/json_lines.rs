//! Events as JSON Lines with their proofs: a header with the checkpoint, a line for each event, an end that signs them all.

use super::exported::{Export, ExportedEvent};
use crate::actions::Actions;
use crate::domain::checkpoint;
use crate::domain::export::{self, FORMAT, Filters, Header, Names, Seal, Since, VERSION};
use crate::domain::ids::TrailId;
use crate::domain::trail_filter::TrailFilter;
use crate::evidence::Prover;
use crate::store::{Snapshot, StoreError};

/// An export in JSON Lines under way.
#[derive(Debug, Default)]
pub(super) struct JsonLines {
    /// Prove also that the trail begins with so many events.
    since: Option<u64>,
    prover: Option<Prover>,
    seal: Seal,
    events: u64,
}

impl JsonLines {
    pub(super) fn since(since: Option<u64>) -> Self {
        Self { since, ..Self::default() }
    }

    /// The header.
    pub(super) fn begin(&mut self, actions: &Actions, export: &Export) -> Result<String, StoreError> {
        let origin = origin(actions, export);
        let header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            public_key: actions.secrets.signer.public_key().to_vkey(&origin),
            origin,
            company_id: export.company.id.to_string(),
            company_name: export.company.name.clone(),
            exported_at: actions.clock.now().to_rfc_3339_with_micros().unwrap_or_default(),
            filters: Filters::from(&export.filter),
            events: export.count,
            full: export.filter == TrailFilter::default(),
            checkpoint: export.head.checkpoint.clone(),
            since: self.prove_since(actions, export)?,
        };
        let line = header.line();
        self.seal.take(line.as_bytes());
        Ok(line)
    }

    fn prove_since(&mut self, actions: &Actions, export: &Export) -> Result<Option<Since>, StoreError> {
        let Some(size) = self.since else { return Ok(None) };
        self.prepare(actions, export)?;
        let Some(prover) = &mut self.prover else { return Ok(None) };
        let proof = actions.store.ask(|questions| prover.consistency(questions, size))?;
        Ok(Some(Since { size, proof }))
    }

    /// Reads what proofs are made of, once.
    pub(super) fn prepare(&mut self, actions: &Actions, export: &Export) -> Result<(), StoreError> {
        if self.prover.is_none() {
            let trail = TrailId::from(export.company.id);
            self.prover = Some(Prover::new(&actions.store, trail, export.head.size.unsigned_abs())?);
        }
        Ok(())
    }

    /// The line of an event.
    pub(super) fn event(
        &mut self,
        questions: &mut Snapshot<'_>,
        exported: &ExportedEvent,
    ) -> Result<String, StoreError> {
        let ExportedEvent { event, actor_name, key_preview, target_name } = exported;
        let proof = match &mut self.prover {
            Some(prover) => prover.inclusion(questions, event.sequence)?,
            None => Vec::new(),
        };
        let given = |name| Some(name).filter(|name: &&str| !name.is_empty());
        let names = Names { actor: given(actor_name), key_preview: key_preview.as_deref(), target: given(target_name) };
        let line = export::line(event, names, proof);
        self.seal.take(line.as_bytes());
        self.events += 1;
        Ok(line)
    }

    /// The end.
    pub(super) fn end(&mut self, actions: &Actions, export: &Export) -> String {
        std::mem::take(&mut self.seal).line(&origin(actions, export), self.events, &actions.secrets.signer)
    }
}

fn origin(actions: &Actions, export: &Export) -> String {
    checkpoint::origin(actions.installation, export.company.id.into())
}
