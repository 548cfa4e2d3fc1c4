//! `keydesk audit consistency`.

use std::path::PathBuf;

use super::kept_file;
use crate::actions::Actions;
use crate::cli::{Refusal, find_company, say};
use crate::domain::checkpoint::{self, Checkpoint};
use crate::domain::consistency::is_beginning;
use crate::domain::consistency_file::ConsistencyFile;
use crate::domain::ids::TrailId;
use crate::domain::merkle::Frontier;
use crate::evidence::Prover;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Consistency {
    /// The company, by name or id; without it, the trail that the checkpoint names
    #[arg(long)]
    company: Option<String>,
    /// A checkpoint of its trail that was kept
    #[arg(long, value_name = "CHECKPOINT")]
    from: PathBuf,
    /// Prove it of the trail's first so many events instead of the latest checkpoint
    #[arg(long, value_name = "SIZE")]
    to: Option<u64>,
}

impl Consistency {
    pub(super) fn run(self, actions: &Actions) -> Result<(), Refusal> {
        let kept = kept_file(&self.from)?;
        let trail = self.trail(actions, &kept)?;
        let (origin, key) = (checkpoint::origin(actions.installation, trail), actions.secrets.signer.public_key());
        let from = key
            .verify(&kept, &origin)
            .map_err(|error| format!("The checkpoint {} is not to be believed: {error}.", self.from.display()))?;
        let head = actions.store.ask(|questions| questions.trail_head(trail))?;
        let size = head.size.unsigned_abs();
        let to = self.to.unwrap_or(size);
        if from.size > size {
            let kept = from.size;
            return Err(Refusal(format!(
                "The tail of the trail was cut: the checkpoint signs {kept} events, and there are {size}."
            )));
        }
        if to < from.size || to > size {
            let first = from.size;
            return Err(Refusal(format!(
                "There is nothing to prove of {to} events. Give a size from {first} to {size}."
            )));
        }
        let mut prover = Prover::new(&actions.store, trail, to)?;
        let tree = Checkpoint { size: to, root: prover.root().unwrap_or_else(|| Frontier::default().root()) };
        let proof = actions.store.ask(|questions| prover.consistency(questions, from.size))?;
        if !is_beginning(from, tree, &proof) {
            return Err(Refusal(format!(
                "The trail does not begin with the {} events that the checkpoint signs: its history was changed.",
                from.size
            )));
        }
        let note = (to == size).then_some(head.checkpoint);
        say(ConsistencyFile::new(&origin, from, tree, note, proof).text().trim_end())
    }
    fn trail(&self, actions: &Actions, kept: &str) -> Result<TrailId, Refusal> {
        if let Some(company) = &self.company {
            return Ok(find_company(actions, company)?.id.into());
        }
        let companies = actions.store.ask(|questions| questions.companies())?;
        let mut trails = companies.iter().map(|company| company.id.into()).chain([actions.installation.into()]);
        let named = kept.lines().next().unwrap_or_default();
        trails.find(|trail| checkpoint::origin(actions.installation, *trail) == named).ok_or_else(|| {
            Refusal(format!("The checkpoint {} belongs to no trail of this installation.", self.from.display()))
        })
    }
}
