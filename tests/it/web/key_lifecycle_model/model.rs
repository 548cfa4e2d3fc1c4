//! A simple model of the keys of a company: lists that are searched linearly.

use std::time::Duration;

use keydesk::domain::timestamp::Timestamp;

pub const WEEK: Duration = Duration::from_hours(7 * 24);

/// The result of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The request succeeds.
    Done,
    /// The name belongs to another service account or to an active key.
    NameTaken,
    /// The state of the key does not allow the request.
    Conflict,
}

#[derive(Debug)]
pub struct Key {
    pub id: String,
    pub secret: String,
    pub account: usize,
    pub owner: String,
    pub expires_at: Option<Timestamp>,
    pub overlap_ends_at: Option<Timestamp>,
    pub revoked: bool,
    /// The index of the key that replaces it.
    pub replaced_by: Option<usize>,
    pub extended: bool,
    /// Whether the trail must contain the end by time.
    pub is_recorded: bool,
    /// The events by users.
    pub events: Vec<&'static str>,
}

#[derive(Debug)]
pub struct Model {
    pub now: Timestamp,
    /// The names of the service accounts.
    pub accounts: Vec<String>,
    pub keys: Vec<Key>,
}

fn case_folded(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

impl Key {
    /// The state after an end by time, if that time has come.
    pub fn end_by_time(&self, now: Timestamp) -> Option<&'static str> {
        let ends = [(self.expires_at, "expired"), (self.overlap_ends_at, "revoked")];
        let came = ends.into_iter().filter_map(|(at, state)| Some((at.filter(|at| *at <= now)?, state)));
        // At the same time, the end of the overlap counts.
        came.min_by_key(|(at, state)| (*at, *state == "expired")).map(|(_, state)| state)
    }

    pub fn state(&self, now: Timestamp) -> &'static str {
        if self.revoked { "revoked" } else { self.end_by_time(now).unwrap_or("active") }
    }
}

impl Model {
    pub fn state(&self, key: usize) -> &'static str {
        self.keys[key].state(self.now)
    }

    pub fn name(&self, key: usize) -> &str {
        &self.accounts[self.keys[key].account]
    }

    pub fn is_active(&self, key: usize) -> bool {
        self.state(key) == "active"
    }

    fn account(&self, name: &str) -> Option<usize> {
        self.accounts.iter().position(|known| case_folded(known) == case_folded(name))
    }

    fn has_active(&self, account: usize) -> bool {
        (0..self.keys.len()).any(|key| self.keys[key].account == account && self.is_active(key))
    }

    /// The next time at which a key ends.
    pub fn next_end(&self) -> Option<Timestamp> {
        let ends = self.keys.iter().flat_map(|key| [key.expires_at, key.overlap_ends_at]);
        ends.flatten().filter(|at| *at > self.now).min()
    }

    pub fn may_create(&self, name: &str) -> Outcome {
        match self.account(name) {
            Some(account) if self.has_active(account) => Outcome::NameTaken,
            _ => Outcome::Done,
        }
    }

    pub fn create(&mut self, name: &str, (id, secret): (String, String), owner: &str, expires_at: Option<Timestamp>) {
        let account = self.account(name).unwrap_or_else(|| {
            self.accounts.push(name.to_owned());
            self.accounts.len() - 1
        });
        self.add(account, (id, secret), owner.to_owned(), expires_at);
    }

    fn add(&mut self, account: usize, (id, secret): (String, String), owner: String, expires_at: Option<Timestamp>) {
        let (revoked, is_recorded) = (false, false);
        let (overlap_ends_at, events) = (None, vec!["api_key.created"]);
        self.keys.push(Key {
            id,
            secret,
            account,
            owner,
            expires_at,
            overlap_ends_at,
            revoked,
            replaced_by: None,
            extended: false,
            is_recorded,
            events,
        });
    }

    pub fn edit(&mut self, key: usize, name: &str, owner: &str) -> Outcome {
        if self.state(key) == "revoked" {
            return Outcome::Conflict;
        }
        let own = self.keys[key].account;
        if self.account(name).is_some_and(|account| account != own) {
            return Outcome::NameTaken;
        }
        if self.accounts[own] != name {
            name.clone_into(&mut self.accounts[own]);
            self.keys[key].events.push("api_key.renamed");
        }
        if self.keys[key].owner != owner {
            owner.clone_into(&mut self.keys[key].owner);
            self.keys[key].events.push("api_key.handed_over");
        }
        Outcome::Done
    }

    pub fn may_rotate(&self, key: usize) -> Outcome {
        let newer = self.state(key) == "expired" && self.has_active(self.keys[key].account);
        let is_being_replaced = self.keys[key].replaced_by.is_some_and(|new| self.is_active(new));
        let conflicts = self.state(key) == "revoked" || is_being_replaced || newer;
        if conflicts { Outcome::Conflict } else { Outcome::Done }
    }

    pub fn rotate(
        &mut self,
        key: usize,
        new: (String, String),
        overlap: Option<Duration>,
        expires_at: Option<Timestamp>,
    ) {
        let (now, was_active, next) = (self.now, self.is_active(key), self.keys.len());
        let old = &mut self.keys[key];
        old.events.push("api_key.rotated");
        (old.replaced_by, old.extended) = (Some(next), false);
        match overlap {
            Some(overlap) if was_active => old.overlap_ends_at = Some(now + overlap),
            None if was_active => {
                old.revoked = true;
                old.events.push("api_key.revoked superseded");
            }
            _ => old.overlap_ends_at = None,
        }
        let (account, owner) = (old.account, old.owner.clone());
        self.add(account, new, owner, expires_at);
    }

    pub fn extend(&mut self, key: usize) -> Outcome {
        let is_active = self.is_active(key);
        let key = &mut self.keys[key];
        let Some(ends_at) = key.overlap_ends_at.filter(|_| is_active && !key.extended) else {
            return Outcome::Conflict;
        };
        if key.expires_at.is_some_and(|expiry| expiry <= ends_at) {
            return Outcome::Conflict;
        }
        key.overlap_ends_at = Some(ends_at + WEEK);
        key.extended = true;
        key.events.push("api_key.expiry_changed");
        Outcome::Done
    }

    pub fn end_now(&mut self, key: usize) -> Outcome {
        let is_active = self.is_active(key);
        let key = &mut self.keys[key];
        if !is_active || key.overlap_ends_at.is_none() {
            return Outcome::Conflict;
        }
        key.revoked = true;
        key.events.push("api_key.revoked superseded");
        Outcome::Done
    }

    /// Revokes a key. Returns whether it was active.
    pub fn revoke(&mut self, key: usize) -> bool {
        let is_active = self.is_active(key);
        if is_active {
            self.keys[key].revoked = true;
            self.keys[key].events.push("api_key.revoked unspecified");
        }
        is_active
    }

    pub fn record_ended_keys(&mut self) {
        let now = self.now;
        for key in self.keys.iter_mut().filter(|key| !key.revoked) {
            key.is_recorded |= key.end_by_time(now).is_some();
        }
    }
}
