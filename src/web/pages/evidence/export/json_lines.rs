//! Exports events as JSON Lines with proofs: a header with the checkpoint, a line per event, and a signed end.

use super::row::{Export, ExportedEvent};
use crate::actions::Actions;
use crate::domain::ids::TrailId;
use crate::domain::trail::checkpoint;
use crate::domain::trail::export::{
    self, ExportDigest, ExportedKeyChange, FORMAT, Filters, Header, Names, Since, VERSION,
};
use crate::domain::trail::filter::TrailFilter;
use crate::domain::trail::key_change::KeyChange;
use crate::evidence::Prover;
use crate::store::{Db, StoreError};

/// The state of a running JSON Lines export.
#[derive(Debug, Default)]
pub struct JsonLines {
    /// The size of the checkpoint to prove consistency with.
    since: Option<u64>,
    prover: Option<Prover>,
    digest: ExportDigest,
    events: u64,
}

impl JsonLines {
    pub fn since(since: Option<u64>) -> Self {
        Self { since, ..Self::default() }
    }

    /// Returns the header line.
    pub fn begin(&mut self, actions: &Actions, export: &Export) -> Result<String, StoreError> {
        let origin = origin(actions, export);
        let key = actions.secrets.signer().public_key();
        let header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            public_key: key.to_vkey(&origin),
            company_id: export.company.id.to_string(),
            company_name: export.company.name.clone(),
            exported_at: actions.clock.now().to_rfc_3339_with_micros().unwrap_or_default(),
            filters: Filters::from(&export.filter),
            events: export.count,
            full: export.filter == TrailFilter::default(),
            checkpoint: export.head.checkpoint.clone(),
            since: self.prove_since(actions, export)?,
            key_changes: self.key_changes(actions, export, &origin)?,
            origin,
        };
        let line = header.line();
        self.digest.update(line.as_bytes());
        Ok(line)
    }

    fn prove_since(&mut self, actions: &Actions, export: &Export) -> Result<Option<Since>, StoreError> {
        let Some(size) = self.since else { return Ok(None) };
        self.prepare(actions, export)?;
        let Some(prover) = &mut self.prover else { return Ok(None) };
        let proof = actions.store.query(|db| prover.consistency(db, size))?;
        Ok(Some(Since { size, proof }))
    }

    /// Returns the changes of the trail's key, each with the proof that this export continues it. One that is damaged has an
    /// empty proof, so that no reader accepts it.
    fn key_changes(
        &mut self,
        actions: &Actions,
        export: &Export,
        origin: &str,
    ) -> Result<Vec<ExportedKeyChange>, StoreError> {
        let notes = actions.store.query(|db| db.trails().key_changes(export.company.id.into()))?;
        if !notes.is_empty() {
            self.prepare(actions, export)?;
        }
        let mut changes = Vec::with_capacity(notes.len());
        for note in notes {
            let size = KeyChange::read(&note, origin).map_or(0, |change| change.checkpoint.size);
            let proof = match &mut self.prover {
                Some(prover) => actions.store.query(|db| prover.consistency(db, size))?,
                None => Vec::new(),
            };
            changes.push(ExportedKeyChange { note, proof });
        }
        Ok(changes)
    }

    /// Loads the data of the proofs, once.
    pub fn prepare(&mut self, actions: &Actions, export: &Export) -> Result<(), StoreError> {
        if self.prover.is_none() {
            let trail = TrailId::from(export.company.id);
            self.prover = Some(Prover::new(&actions.store, trail, export.head.size.unsigned_abs())?);
        }
        Ok(())
    }

    /// Returns the line of an event.
    pub fn event(&mut self, db: &mut Db<'_>, exported: &ExportedEvent) -> Result<String, StoreError> {
        let ExportedEvent { event, actor_name, key_preview, target_name } = exported;
        let proof = match &mut self.prover {
            Some(prover) => prover.inclusion(db, event.sequence)?,
            None => Vec::new(),
        };
        let non_empty = |name| Some(name).filter(|name: &&str| !name.is_empty());
        let names =
            Names { actor: non_empty(actor_name), key_preview: key_preview.as_deref(), target: non_empty(target_name) };
        let line = export::line(event, names, proof);
        self.digest.update(line.as_bytes());
        self.events += 1;
        Ok(line)
    }

    /// Returns the last line, which signs all lines before it.
    pub fn end(&mut self, actions: &Actions, export: &Export) -> String {
        std::mem::take(&mut self.digest).end_line(&origin(actions, export), self.events, &actions.secrets.signer())
    }
}

fn origin(actions: &Actions, export: &Export) -> String {
    checkpoint::origin(actions.installation, export.company.id.into())
}
