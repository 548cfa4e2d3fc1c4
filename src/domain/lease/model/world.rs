//! The state of the model, and what each step does to it.

use std::time::Duration;

use crate::domain::lease::Lease;

/// The rules of the model. All but the first are wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rules {
    AsBuilt,
    /// The lease counts from the return of a beat.
    LeaseFromReturn,
    /// The first revocation on a new primary is acknowledged at once.
    NoWait,
    /// Answers need no lease.
    NoLease,
    /// Any standby confirms, also one that is not the next primary.
    AnyStandby,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Pass(Duration),
    SendBeat(usize),
    SendRevocation(usize),
    /// The database handles what a node sent.
    Handle(usize),
    /// The node receives what was committed.
    Return(usize),
    /// The node reconnects to the primary with the newest timeline.
    Reconnect(usize),
    Cut(usize),
    Heal(usize),
    Promote(usize),
    /// The newest primary names another standby that is to confirm its commits.
    Name(usize),
    /// A standby follows the primary with the newest timeline.
    Follow(usize),
}

pub(super) const NODES: usize = 3;
/// The rates of the nodes' clocks, in millionths of real time.
const RATES: [i64; NODES] = [1_000_000 - 4_000, 1_000_000, 1_000_000 + 4_000];

struct DatabaseServer {
    /// `None` for a standby.
    timeline: Option<u32>,
    follows: Option<usize>,
    is_cut_off: bool,
    /// The standby that confirms the commits of this primary. `None` if they need none.
    confirmed_by: Option<usize>,
    /// The revocations in its log.
    log: Vec<u32>,
}

struct Node {
    clock_rate: i64,
    server: usize,
    timeline: u32,
    lease: Lease,
    beat: Option<Request>,
    revocation: Option<(Request, u32)>,
    /// The revocation that waits to be acknowledged, and until when by the node's clock.
    waiting: Vec<(u32, Duration)>,
}

#[derive(Clone, Copy)]
struct Request {
    sent: Duration,
    is_committed: bool,
}

pub(super) struct World {
    rules: Rules,
    now: Duration,
    servers: Vec<DatabaseServer>,
    nodes: Vec<Node>,
    acknowledged: Vec<u32>,
    next_revocation: u32,
}

impl Node {
    fn clock(&self, now: Duration) -> Duration {
        let micros = i64::try_from(now.as_micros()).unwrap() * self.clock_rate / 1_000_000;
        Duration::from_micros(u64::try_from(micros).unwrap())
    }
}

impl World {
    pub(super) fn new(rules: Rules, servers: usize) -> Self {
        let server = |index| DatabaseServer {
            timeline: (index == 0).then_some(1),
            follows: (index != 0).then_some(0),
            is_cut_off: false,
            confirmed_by: (index == 0).then_some(1),
            log: Vec::new(),
        };
        let node = |index: usize| Node {
            clock_rate: RATES[index],
            server: 0,
            timeline: 1,
            lease: suspended(),
            beat: None,
            revocation: None,
            waiting: Vec::new(),
        };
        Self {
            rules,
            now: Duration::from_secs(10),
            servers: (0..servers).map(server).collect(),
            nodes: (0..NODES).map(node).collect(),
            acknowledged: Vec::new(),
            next_revocation: 0,
        }
    }

    fn primary(&self) -> usize {
        let newest = (0..self.servers.len()).max_by_key(|server| self.servers[*server].timeline);
        newest.unwrap()
    }

    fn follows(&self, standby: usize, primary: usize) -> bool {
        self.servers[standby].follows == Some(primary)
            && !self.servers[standby].is_cut_off
            && !self.servers[primary].is_cut_off
    }

    /// Commits on a server, if the standby that it names confirms. Other standbys get the log, too.
    fn commit(&mut self, server: usize, revocation: Option<u32>) -> bool {
        let confirms = |standby| {
            let any = self.rules == Rules::AnyStandby;
            if any {
                (0..self.servers.len()).any(|any| self.follows(any, server))
            } else {
                self.follows(standby, server)
            }
        };
        let is_confirmed = self.servers[server].confirmed_by.is_none_or(confirms);
        if self.servers[server].timeline.is_none() || !is_confirmed {
            return false;
        }
        self.servers[server].log.extend(revocation);
        for standby in 0..self.servers.len() {
            if self.follows(standby, server) {
                self.servers[standby].log = self.servers[server].log.clone();
            }
        }
        true
    }

    pub(super) fn take(&mut self, step: Step) {
        let (servers, now) = (self.servers.len(), self.now);
        match step {
            Step::Pass(time) => self.now += time,
            Step::SendBeat(node) => {
                let node = &mut self.nodes[node];
                let sent = node.clock(now);
                node.beat.get_or_insert(Request { sent, is_committed: false });
            }
            Step::SendRevocation(node) => {
                let node = &mut self.nodes[node];
                if node.revocation.is_none() {
                    node.revocation = Some((Request { sent: now, is_committed: false }, self.next_revocation));
                    self.next_revocation += 1;
                }
            }
            Step::Handle(node) => self.handle(node),
            Step::Return(node) => self.deliver(node),
            Step::Reconnect(node) => {
                let (server, rules) = (self.primary(), self.rules);
                let timeline = self.servers[server].timeline.unwrap();
                let node = &mut self.nodes[node];
                if timeline > node.timeline {
                    (node.server, node.timeline) = (server, timeline);
                    (node.lease, node.beat, node.revocation) = (suspended(), None, None);
                    // Changes of the former primary are no longer acknowledged.
                    if rules == Rules::AsBuilt {
                        node.waiting.clear();
                    }
                }
            }
            Step::Cut(server) => self.servers[server % servers].is_cut_off = true,
            Step::Heal(server) => self.servers[server % servers].is_cut_off = false,
            Step::Promote(server) => self.promote(server % servers),
            Step::Name(standby) => {
                let (standby, primary) = (standby % servers, self.primary());
                if self.follows(standby, primary) && self.servers[standby].log == self.servers[primary].log {
                    self.servers[primary].confirmed_by = Some(standby);
                }
            }
            Step::Follow(server) => {
                let (server, primary) = (server % servers, self.primary());
                if server != primary && !self.servers[server].is_cut_off && !self.servers[primary].is_cut_off {
                    let log = self.servers[primary].log.clone();
                    let standby = &mut self.servers[server];
                    (standby.timeline, standby.follows, standby.log) = (None, Some(primary), log);
                    standby.confirmed_by = None;
                }
            }
        }
        self.acknowledge();
    }

    fn handle(&mut self, node: usize) {
        let server = self.nodes[node].server;
        if self.nodes[node].beat.is_some_and(|beat| !beat.is_committed) && self.commit(server, None) {
            self.nodes[node].beat.iter_mut().for_each(|beat| beat.is_committed = true);
        }
        if let Some((request, revocation)) = self.nodes[node].revocation
            && !request.is_committed
            && self.commit(server, Some(revocation))
        {
            self.nodes[node].revocation.iter_mut().for_each(|(request, _)| request.is_committed = true);
        }
    }

    fn deliver(&mut self, index: usize) {
        let (rules, now) = (self.rules, self.now);
        let node = &mut self.nodes[index];
        let clock = node.clock(now);
        if let Some(beat) = node.beat.take_if(|beat| beat.is_committed) {
            node.lease.extend(if rules == Rules::LeaseFromReturn { clock } else { beat.sent }, clock);
        }
        if let Some((_, revocation)) = node.revocation.take_if(|(request, _)| request.is_committed) {
            let wait = node.lease.acknowledgement_wait(clock);
            node.waiting.push((revocation, clock + if rules == Rules::NoWait { Duration::ZERO } else { wait }));
        }
    }

    fn acknowledge(&mut self) {
        for node in &mut self.nodes {
            let clock = node.clock(self.now);
            self.acknowledged.extend(node.waiting.extract_if(.., |(_, from)| *from <= clock).map(|(id, _)| id));
        }
    }

    /// Promotes the standby that confirms the commits of the newest primary. With two servers, it then commits alone;
    /// with three, the third confirms.
    fn promote(&mut self, server: usize) {
        let primary = self.primary();
        if self.servers[primary].confirmed_by == Some(server) && !self.servers[server].is_cut_off {
            let timeline = self.servers[primary].timeline.unwrap() + 1;
            let third = (0..self.servers.len()).find(|third| ![primary, server].contains(third));
            let promoted = &mut self.servers[server];
            (promoted.timeline, promoted.follows, promoted.confirmed_by) = (Some(timeline), None, third);
        }
    }

    /// A request arrives at each node now. Returns the revocation that a node does not know although it was
    /// acknowledged.
    pub(super) fn stale_answer(&self) -> Option<(usize, u32)> {
        let answers = |node: &Node| {
            let is_primary = self.servers[node.server].timeline == Some(node.timeline);
            is_primary && (self.rules == Rules::NoLease || node.lease.is_valid(|| node.clock(self.now)))
        };
        self.nodes.iter().enumerate().filter(|(_, node)| answers(node)).find_map(|(index, node)| {
            let log = &self.servers[node.server].log;
            self.acknowledged.iter().find(|id| !log.contains(id)).map(|id| (index, *id))
        })
    }
}

fn suspended() -> Lease {
    let lease = Lease::new(true);
    lease.suspend();
    lease
}
