//! Fills audit trails with many events by SQL. The leaf hashes are not those of the events, so these trails do not verify;
//! their heads are signed, so the server goes on.

use keydesk::domain::ids::CompanyId;
use keydesk::domain::text::normalize::hex;
use keydesk::domain::trail::checkpoint;
use keydesk::domain::trail::merkle::{Frontier, leaf_hash};

use super::{TestServer, database};

/// Events to append to a company's trail. Each field is an SQL expression in which `n` counts the events from 1.
pub struct Events<'a> {
    pub count: u64,
    pub at: &'a str,
    pub action: &'a str,
    pub actor: &'a str,
    pub key: &'a str,
    pub user_agent: &'a str,
}

impl Events<'_> {
    /// Events without an actor, one a second, ending before [`super::server::NOW`].
    pub const fn plain(count: u64) -> Self {
        let at = "1795424400000000 - 1000000 * (100000 - n)";
        Self { count, at, action: "'user.signed_out'", actor: "NULL", key: "NULL", user_agent: "NULL" }
    }

    /// Appends the events and updates the head of the trail.
    pub fn append(&self, server: &TestServer, company: CompanyId) {
        let Self { count, at, action, actor, key, user_agent } = self;
        let head = server.actions.store.query(|db| db.trails().head(company.into())).unwrap();
        let before = u64::try_from(head.size).unwrap();
        let (mut tree, leaf) = (Frontier::from_bytes(before, &head.frontier).unwrap(), leaf_hash(b"none"));
        (0..*count).for_each(|_| tree.push(leaf));
        let origin = checkpoint::origin(server.actions.installation, company.into());
        let signed = server.actions.secrets.signer().sign(&origin, tree.size(), &tree.root());
        let numbers = database::numbers(*count);
        let blob = |bytes: &[u8]| match database::postgres() {
            Some(_) => format!("decode('{}', 'hex')", hex(bytes)),
            None => format!("X'{}'", hex(bytes)),
        };
        let (leaf, frontier) = (blob(&leaf), blob(&tree.to_bytes()));
        let id = format!("'01940000-0000-7000-8000-' || CAST(100000000000 + {before} + n AS TEXT)");
        let actor_type = format!("CASE WHEN {actor} IS NULL THEN 'system' ELSE 'user' END");
        let target_type = format!("CASE WHEN {key} IS NULL THEN 'user' ELSE 'api_key' END");
        let sql = format!(
            "BEGIN;
            INSERT INTO events (trail_id, sequence, id, at, action, actor_type, actor_id, key_id, target_type, target_id, user_agent, leaf_hash)
                SELECT '{company}', {before} + n, {id}, {at}, {action}, {actor_type}, {actor}, {key}, {target_type}, coalesce({key}, 'unknown'), {user_agent}, {leaf}
                FROM ({numbers}) AS numbers;
            DELETE FROM audit_trail_hours WHERE trail_id = '{company}';
            INSERT INTO audit_trail_hours (trail_id, hour, first_sequence, last_sequence)
                SELECT trail_id, at / 3600000000, min(sequence), max(sequence) FROM events WHERE trail_id = '{company}' GROUP BY 1, 2;
            UPDATE audit_trails SET size = {before} + {count}, frontier = {frontier}, checkpoint = '{signed}' WHERE id = '{company}';
            COMMIT;"
        );
        database::tamper(&server.database_url, &sql);
    }
}
