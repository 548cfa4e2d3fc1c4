//! A long history, made by the database itself: trails as they are after years. Their hashes are none, but they count.

use keydesk::domain::ids::CompanyId;
use keydesk::domain::merkle::{Frontier, leaf_hash};
use keydesk::domain::text::hex;

use super::{TestServer, database};

/// Events to be appended to a company's trail; each value is an expression of SQL in which `n` counts them from 1.
pub struct Events<'a> {
    pub count: u64,
    pub at: &'a str,
    pub action: &'a str,
    pub actor: &'a str,
    pub key: &'a str,
    pub user_agent: &'a str,
}

impl Events<'_> {
    /// As many events that nobody did, one a second before the clock's first instant.
    pub const fn plain(count: u64) -> Self {
        let at = "1795424400000000 - 1000000 * (100000 - n)";
        Self { count, at, action: "'user.signed_out'", actor: "NULL", key: "NULL", user_agent: "NULL" }
    }

    /// Appends them, and says so in the trail's head.
    pub fn append(&self, server: &TestServer, company: CompanyId) {
        let Self { count, at, action, actor, key, user_agent } = self;
        let size = |url| database::column(url, "size", &format!("FROM audit_trails WHERE id = '{company}'")).remove(0);
        let before: u64 = size(&server.database_url).unwrap().parse().unwrap();
        let mut tree = Frontier::default();
        (0..before + count).for_each(|_| tree.push(leaf_hash(b"none")));
        let frontier = hex(&tree.to_bytes());
        let numbers = database::numbers(*count);
        let (empty, frontier) = if database::postgres().is_some() {
            ("''::bytea", format!("decode('{frontier}', 'hex')"))
        } else {
            ("zeroblob(0)", format!("X'{frontier}'"))
        };
        let id = format!("'01940000-0000-7000-8000-' || CAST(100000000000 + {before} + n AS TEXT)");
        let who = format!("CASE WHEN {actor} IS NULL THEN 'system' ELSE 'user' END");
        let what = format!("CASE WHEN {key} IS NULL THEN 'user' ELSE 'api_key' END");
        let sql = format!(
            "BEGIN;
            INSERT INTO events (trail_id, sequence, id, at, action, actor_type, actor_id, key_id, target_type, target_id, user_agent, leaf_hash)
                SELECT '{company}', {before} + n, {id}, {at}, {action}, {who}, {actor}, {key}, {what}, coalesce({key}, 'nobody'), {user_agent}, {empty}
                FROM ({numbers}) AS numbers;
            DELETE FROM audit_trail_hours WHERE trail_id = '{company}';
            INSERT INTO audit_trail_hours (trail_id, hour, first_sequence, last_sequence)
                SELECT trail_id, at / 3600000000, min(sequence), max(sequence) FROM events WHERE trail_id = '{company}' GROUP BY 1, 2;
            UPDATE audit_trails SET size = {before} + {count}, frontier = {frontier} WHERE id = '{company}';
            COMMIT;"
        );
        database::tamper(&server.database_url, &sql);
    }
}
