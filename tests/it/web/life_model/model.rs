//! What a company's keys are, in the plainest words: lists that are searched from end to end.

use std::time::Duration;

use keydesk::domain::instant::Instant;

pub const WEEK: Duration = Duration::from_hours(7 * 24);

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, and a key is shown or a page is led to.
    Done,
    /// The name belongs to another service account, or to an active key.
    NameTaken,
    /// The key's state does not allow it.
    Stands,
}

#[derive(Debug)]
pub struct Key {
    pub id: String,
    pub secret: String,
    pub account: usize,
    pub owner: String,
    pub expires_at: Option<Instant>,
    pub overlap_ends_at: Option<Instant>,
    pub revoked: bool,
    /// The key that is to take its place, by its number.
    pub replaced_by: Option<usize>,
    /// The overlap was made longer.
    pub extended: bool,
    /// The trail must speak of the end that came by itself.
    pub is_recorded: bool,
    /// What people did with it.
    pub events: Vec<&'static str>,
}

#[derive(Debug)]
pub struct Model {
    pub now: Instant,
    /// The names of the service accounts.
    pub accounts: Vec<String>,
    pub keys: Vec<Key>,
}

fn folded(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

impl Key {
    /// The end that comes by itself, where it has come.
    pub fn own_end(&self, now: Instant) -> Option<&'static str> {
        let ends = [(self.expires_at, "expired"), (self.overlap_ends_at, "revoked")];
        let came = ends.into_iter().filter_map(|(at, state)| Some((at.filter(|at| *at <= now)?, state)));
        // At the same instant, being replaced is what counts.
        came.min_by_key(|(at, state)| (*at, *state == "expired")).map(|(_, state)| state)
    }

    pub fn state(&self, now: Instant) -> &'static str {
        if self.revoked { "revoked" } else { self.own_end(now).unwrap_or("active") }
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
        self.accounts.iter().position(|known| folded(known) == folded(name))
    }

    fn has_active(&self, account: usize) -> bool {
        (0..self.keys.len()).any(|key| self.keys[key].account == account && self.is_active(key))
    }

    /// The next instant at which a key ends by itself.
    pub fn next_end(&self) -> Option<Instant> {
        let ends = self.keys.iter().flat_map(|key| [key.expires_at, key.overlap_ends_at]);
        ends.flatten().filter(|at| *at > self.now).min()
    }

    pub fn may_create(&self, name: &str) -> Outcome {
        match self.account(name) {
            Some(account) if self.has_active(account) => Outcome::NameTaken,
            _ => Outcome::Done,
        }
    }

    pub fn create(&mut self, name: &str, (id, secret): (String, String), owner: &str, expires_at: Option<Instant>) {
        let account = self.account(name).unwrap_or_else(|| {
            self.accounts.push(name.to_owned());
            self.accounts.len() - 1
        });
        self.add(account, (id, secret), owner.to_owned(), expires_at);
    }

    fn add(&mut self, account: usize, (id, secret): (String, String), owner: String, expires_at: Option<Instant>) {
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
            return Outcome::Stands;
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
        let stands = self.state(key) == "revoked" || is_being_replaced || newer;
        if stands { Outcome::Stands } else { Outcome::Done }
    }

    pub fn rotate(
        &mut self,
        key: usize,
        new: (String, String),
        overlap: Option<Duration>,
        expires_at: Option<Instant>,
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
            return Outcome::Stands;
        };
        if key.expires_at.is_some_and(|expiry| expiry <= ends_at) {
            return Outcome::Stands;
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
            return Outcome::Stands;
        }
        key.revoked = true;
        key.events.push("api_key.revoked superseded");
        Outcome::Done
    }

    /// Whether it is this that ends the key.
    pub fn revoke(&mut self, key: usize) -> bool {
        let is_active = self.is_active(key);
        if is_active {
            self.keys[key].revoked = true;
            self.keys[key].events.push("api_key.revoked unspecified");
        }
        is_active
    }

    pub fn record_ends(&mut self) {
        let now = self.now;
        for key in self.keys.iter_mut().filter(|key| !key.revoked) {
            key.is_recorded |= key.own_end(now).is_some();
        }
    }
}
