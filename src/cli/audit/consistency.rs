//! `keydesk audit consistency`.

use std::path::PathBuf;

use super::files::read_text;
use crate::cli::error::CliError;
use crate::cli::open::find_company;
use crate::cli::output::print_line;
use crate::domain::ids::TrailId;
use crate::domain::trail::checkpoint::{self, Checkpoint};
use crate::domain::trail::consistency::is_consistent;
use crate::domain::trail::consistency_file::ConsistencyFile;
use crate::domain::trail::merkle::Frontier;
use crate::evidence::{self, Prover};
use crate::server::ReadOnlyInstallation;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Consistency {
    /// The company, by name or id; without it, the trail that the checkpoint names
    #[arg(long)]
    company: Option<String>,
    /// A checkpoint of the trail that you kept
    #[arg(long, value_name = "CHECKPOINT")]
    from: PathBuf,
    /// Prove it for the first SIZE events of the trail instead of the latest checkpoint
    #[arg(long, value_name = "SIZE")]
    to: Option<u64>,
}

impl Consistency {
    pub(super) fn run(self, installation: &ReadOnlyInstallation) -> Result<(), CliError> {
        let note = read_text(&self.from)?;
        let trail = self.trail(installation, &note)?;
        let (origin, key) = (checkpoint::origin(installation.id, trail), installation.key);
        let keys = installation.store.query(|db| evidence::key_chain(db, trail, &origin, key))?;
        let keys = keys.map_err(|error| format!("The audit trail does not verify: {error}."))?;
        let from = keys
            .verify(&note, &origin)
            .map_err(|error| format!("The checkpoint {} is not valid: {error}.", self.from.display()))?;
        let head = installation.store.query(|db| db.trails().head(trail))?;
        let size = head.size.unsigned_abs();
        let to = self.to.unwrap_or(size);
        if from.size > size {
            let signed = from.size;
            return Err(CliError(format!(
                "The trail was truncated: the checkpoint signs {signed} events, but the trail has {size}."
            )));
        }
        if to < from.size || to > size {
            let first = from.size;
            return Err(CliError(format!(
                "Consistency with {to} events cannot be proved. Give a size from {first} to {size}."
            )));
        }
        let mut prover = Prover::new(&installation.store, trail, to)?;
        let tree = Checkpoint { size: to, root: prover.root().unwrap_or_else(|| Frontier::default().root()) };
        let proof = installation.store.query(|db| prover.consistency(db, from.size))?;
        if !is_consistent(from, tree, &proof) {
            return Err(CliError(format!(
                "The trail does not start with the {} events that the checkpoint signs: its history was changed.",
                from.size
            )));
        }
        let latest_checkpoint = (to == size).then_some(head.checkpoint);
        print_line(ConsistencyFile::new(&origin, from, tree, latest_checkpoint, proof).text().trim_end())
    }

    fn trail(&self, installation: &ReadOnlyInstallation, note: &str) -> Result<TrailId, CliError> {
        if let Some(company) = &self.company {
            return Ok(find_company(&installation.store, company)?.id.into());
        }
        let companies = installation.store.query(|db| db.companies().all())?;
        let mut trails = companies.iter().map(|company| company.id.into()).chain([installation.id.into()]);
        let origin = note.lines().next().unwrap_or_default();
        trails.find(|trail| checkpoint::origin(installation.id, *trail) == origin).ok_or_else(|| {
            CliError(format!("The checkpoint {} belongs to no trail of this installation.", self.from.display()))
        })
    }
}
