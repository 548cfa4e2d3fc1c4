//! `keydesk secrets …`.

use super::error::CliError;
use super::open::open_read_only;
use super::output::{print_lines, row, write_part};
use crate::actions::{Retirement, SecretSetStatus, running_servers, secrets_status};
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::secret_set::SecretSetState;
use crate::domain::timestamp::Timestamp;
use crate::server::{self, ReadOnlyInstallation};
use crate::store::{AnnouncedServer, StoreError};
use crate::web::app::text::{pluralized, with_thousands};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Secrets {
    /// List the sets of secrets, and what still needs each
    ///
    /// A line for each set: id, state, when it was added, active keys, the last use of one of them, second factors, and the
    /// running servers that have it, separated by tabs. Then what moves from the former sets to the active one.
    #[command(after_help = "Example:\n  keydesk secrets status")]
    Status,
    /// Add a set of secrets to the file: a pepper, and keys for checkpoints, cookies, forms, the throttle and second factors
    ///
    /// The new set becomes active once every running server has it; until then, and afterwards, the others go on working. A
    /// key moves to the active set when it is used. Servers read the file again by themselves.
    #[command(after_help = "Example:\n  keydesk secrets rotate")]
    Rotate,
    /// End the use of a set of secrets, in the database and in the file
    ///
    /// Fails while active keys or second factors need the set.
    #[command(
        after_help = "Examples:\n  keydesk secrets retire 3f2a91bc\n  keydesk secrets retire 3f2a91bc --revoke-rest"
    )]
    Retire {
        /// The id of the set, as keydesk secrets status prints it
        id: String,
        /// Revoke the keys that still need the set as compromised, and remove the second factors
        #[arg(long)]
        revoke_rest: bool,
    },
}

impl Secrets {
    pub(super) fn run(self, settings: Settings) -> Result<(), CliError> {
        match self {
            Self::Status => status(&open_read_only(settings)?),
            Self::Rotate => rotate(settings),
            Self::Retire { id, revoke_rest } => retire(settings, &id, revoke_rest),
        }
    }
}

fn rotate(settings: Settings) -> Result<(), CliError> {
    let config = settings.check()?;
    let actions = server::open(&config, &Clock::system())?;
    // Another rotation would replace the same file.
    let _lock = server::lock_data_folder(&config.data_dir)?;
    let id = actions.rotate_secrets()?;
    print_lines([
        format!("Added: {id}"),
        "It becomes active once every running server has it. Back up the secrets file now.".to_owned(),
    ])
}

fn retire(settings: Settings, id: &str, revoke_rest: bool) -> Result<(), CliError> {
    let config = settings.check()?;
    let actions = server::open(&config, &Clock::system())?;
    let _lock = server::lock_data_folder(&config.data_dir)?;
    let Retirement { revoked_keys, removed_second_factors, without_recovery_codes } =
        actions.retire_secrets(id, revoke_rest)?;
    let mut lines = vec![format!("Retired: {id}")];
    let mut report = |number: u64, sentence: &dyn Fn(u64) -> String| {
        if number > 0 {
            lines.push(sentence(number));
        }
    };
    report(revoked_keys, &|number| format!("Revoked {}.", pluralized(number, "key", "keys")));
    report(removed_second_factors, &|number| {
        format!("Removed {}.", pluralized(number, "second factor", "second factors"))
    });
    report(u64::try_from(without_recovery_codes).unwrap_or(0), &|number| {
        format!("{} lost their recovery codes.", pluralized(number, "user has", "users have"))
    });
    print_lines(lines)
}

fn status(installation: &ReadOnlyInstallation) -> Result<(), CliError> {
    let now = installation.clock.now();
    let store = &installation.store;
    let (sets, servers) =
        store.read(|db| Ok::<_, StoreError>((secrets_status(db, now)?, running_servers(db, now)?)))?;
    let servers = store.is_remote().then_some(&servers[..]);
    let rows: String = sets.iter().map(|set| status_row(set, servers)).collect();
    if write_part(&rows)? {
        print_lines(sentences(&sets, servers))?;
    }
    Ok(())
}

fn status_row(set: &SecretSetStatus, servers: Option<&[AnnouncedServer]>) -> String {
    let time = |at: Option<Timestamp>| at.and_then(Timestamp::to_rfc_3339).unwrap_or_else(|| "-".to_owned());
    row([
        &set.record.id,
        &set.state.as_str(),
        &time(Some(set.record.created_at)),
        &set.keys.active,
        &time(set.keys.last_used_at),
        &set.second_factors.authenticators,
        &servers.map_or_else(|| "-".to_owned(), |servers| format!("{}/{}", having(servers, set), servers.len())),
    ])
}

fn having(servers: &[AnnouncedServer], set: &SecretSetStatus) -> usize {
    servers.iter().filter(|server| server.set_ids.contains(&set.record.id)).count()
}

fn sentences(sets: &[SecretSetStatus], servers: Option<&[AnnouncedServer]>) -> Vec<String> {
    let active = |set: &&SecretSetStatus| set.state == SecretSetState::Active;
    let count = |keys: i64| u64::try_from(keys).unwrap_or(0);
    let under_active: u64 = sets.iter().filter(active).map(|set| count(set.keys.active)).sum();
    let all: u64 = sets.iter().map(|set| count(set.keys.active)).sum();
    let others = sets.iter().filter(|set| !active(set)).filter_map(|set| set.keys.last_used_at).max();
    let mut sentences = vec![match (all - under_active, others) {
        (0, _) if all == 0 => "There are no active keys.".to_owned(),
        (0, _) if all == 1 => "The only active key is under the active pepper.".to_owned(),
        (0, _) => format!("All {} active keys are under the active pepper.", with_thousands(all)),
        (left, others) => format!(
            "{} of {} under the new pepper; {}.",
            with_thousands(under_active),
            pluralized(all, "active key is", "active keys are"),
            match (left, others.and_then(Timestamp::to_rfc_3339)) {
                (1, Some(at)) => format!("the other was last used {at}"),
                (1, None) => "the other was never used".to_owned(),
                (_, Some(at)) => format!("the others were last used {at}"),
                (_, None) => "the others were never used".to_owned(),
            }
        ),
    }];
    for set in sets {
        let id = &set.record.id;
        match (set.state, servers) {
            (SecretSetState::Pending, Some(servers)) => {
                let (having, all) = (having(servers, set), servers.len());
                sentences.push(format!("The set {id} is pending: {having} of {all} running servers have it."));
            }
            (SecretSetState::Pending, None) => {
                sentences.push(format!("The set {id} is pending: a running server activates it within seconds."));
            }
            (SecretSetState::Former, _) if set.second_factors.with_recovery_codes > 0 => {
                let users = pluralized(count(set.second_factors.with_recovery_codes), "user", "users");
                sentences.push(format!("The recovery codes of {users} end with the set {id}."));
            }
            _ => {}
        }
    }
    sentences
}
