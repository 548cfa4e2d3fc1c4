//! Tests of groups on a real database.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tempfile::TempDir;

use super::*;
use crate::config::Database;
use crate::store::connector::Connector;

const LONG: Duration = Duration::from_hours(1);
const UNLIMITED: Limits = Limits { actions: usize::MAX, time: LONG, wait: LONG };

type Action<'a> = Box<dyn FnOnce(&mut WriteDb<'_>) -> Outcome + Send + 'a>;

struct Fixture {
    database: Database,
    group: GroupCommit,
    _folder: TempDir,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

impl Fixture {
    fn new(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(folder.path().join("keydesk.db"));
        let connector = Connector::new(database.clone());
        let primary = connector.primaries().current();
        let manager = ConnectionManager { connector: connector.clone(), purpose: ConnectionPurpose::Write, primary };
        let writers = Pool::builder().max_size(1).build(manager).unwrap();
        let tables = "CREATE TABLE rows (id INTEGER PRIMARY KEY); \
            CREATE TABLE children (row INTEGER REFERENCES rows (id) DEFERRABLE INITIALLY DEFERRED)";
        writers.get().unwrap().batch_execute(tables).unwrap();
        Self { database, group: GroupCommit::with_limits(writers, &connector, limits), _folder: folder }
    }

    /// Returns what another connection sees.
    fn stored(&self) -> Vec<i64> {
        let mut reader = AnyConnection::open(&self.database, ConnectionPurpose::Read).unwrap();
        let rows: Vec<Row> = diesel::sql_query("SELECT id FROM rows ORDER BY id").load(&mut reader).unwrap();
        rows.into_iter().map(|row| row.id).collect()
    }

    fn waiting(&self) -> usize {
        self.group.lock().waiting.len()
    }

    /// Runs actions that all wait, in this order, while another one has the turn.
    fn run_waiting(&self, actions: Vec<Action<'_>>) -> Vec<thread::Result<Outcome>> {
        let (start, has_started) = mpsc::channel();
        let (release, released) = mpsc::channel();
        thread::scope(|scope| {
            let first = scope.spawn(move || {
                self.group.write(|_| {
                    start.send(()).unwrap();
                    released.recv().unwrap();
                    Ok::<_, StoreError>(())
                })
            });
            has_started.recv().unwrap();
            let mut threads = Vec::new();
            for action in actions {
                threads.push(scope.spawn(|| self.group.write(action)));
                while self.waiting() < threads.len() {
                    thread::yield_now();
                }
            }
            release.send(()).unwrap();
            let results = threads.into_iter().map(|thread| thread.join()).collect();
            let _ = first.join().unwrap();
            results
        })
    }
}

fn insert(id: i64) -> impl FnOnce(&mut WriteDb<'_>) -> Outcome + Send {
    move |tx| execute(tx, &format!("INSERT INTO rows VALUES ({id})"))
}

fn execute(tx: &mut WriteDb<'_>, statement: &str) -> Outcome {
    Ok(tx.connection.batch_execute(statement)?)
}

fn is_unavailable(result: &thread::Result<Outcome>) -> bool {
    matches!(result, Ok(Err(StoreError::Unavailable(_))))
}

#[test]
fn actions_that_wait_share_one_commit() {
    let fixture = Fixture::new(UNLIMITED);
    let last = |tx: &mut WriteDb<'_>| {
        assert!(fixture.stored().is_empty(), "the actions before are not committed");
        insert(3)(tx)
    };
    let results = fixture.run_waiting(vec![Box::new(insert(1)), Box::new(insert(2)), Box::new(last)]);
    assert!(results.iter().all(|result| matches!(result, Ok(Ok(())))), "{results:?}");
    assert_eq!(fixture.stored(), [1, 2, 3]);
}

#[test]
fn a_failed_action_is_rolled_back_alone() {
    let fixture = Fixture::new(UNLIMITED);
    let fails = |tx: &mut WriteDb<'_>| insert(2)(tx).and(Err(StoreError::Exists));
    let panics = |tx: &mut WriteDb<'_>| -> Outcome {
        insert(3)(tx)?;
        panic!("a test of panics")
    };
    let results = fixture.run_waiting(vec![
        Box::new(insert(1)),
        Box::new(fails),
        Box::new(panics),
        Box::new(insert(4)),
        Box::new(insert(4)),
    ]);
    assert!(matches!(results[0], Ok(Ok(()))) && matches!(results[3], Ok(Ok(()))), "{results:?}");
    assert!(matches!(results[1], Ok(Err(StoreError::Exists))) && results[2].is_err(), "{results:?}");
    assert!(matches!(results[4], Ok(Err(StoreError::Exists))), "{results:?}");
    assert_eq!(fixture.stored(), [1, 4]);
    fixture.group.write(insert(5)).unwrap();
}

#[test]
fn a_failed_commit_fails_each_action_and_refusal() {
    let fixture = Fixture::new(UNLIMITED);
    let orphan = |tx: &mut WriteDb<'_>| execute(tx, "INSERT INTO children VALUES (7)");
    let refused = |_: &mut WriteDb<'_>| Err(StoreError::Exists);
    let results =
        fixture.run_waiting(vec![Box::new(insert(1)), Box::new(orphan), Box::new(refused), Box::new(insert(2))]);
    assert!(results.iter().all(is_unavailable), "{results:?}");
    assert!(fixture.stored().is_empty());
    fixture.group.write(insert(3)).unwrap();
    assert_eq!(fixture.stored(), [3]);
}

#[test]
fn a_lost_transaction_fails_each_action_and_the_next_group_works() {
    let fixture = Fixture::new(UNLIMITED);
    // SQLite does this by itself after some errors.
    let lost = |tx: &mut WriteDb<'_>| execute(tx, "ROLLBACK");
    let results = fixture.run_waiting(vec![Box::new(insert(1)), Box::new(lost), Box::new(insert(2))]);
    assert!(is_unavailable(&results[0]) && is_unavailable(&results[1]), "{results:?}");
    assert!(matches!(results[2], Ok(Ok(()))), "{results:?}");
    assert_eq!(fixture.stored(), [2]);
    let alone = fixture.group.write(|tx| lost(tx).and(Err(StoreError::Exists)));
    assert!(matches!(alone, Err::<(), _>(StoreError::Exists)), "{alone:?}");
    fixture.group.write(insert(3)).unwrap();
}

#[test]
fn a_full_or_old_group_commits_before_the_next_action() {
    for limits in [Limits { actions: 2, ..UNLIMITED }, Limits { time: Duration::ZERO, ..UNLIMITED }] {
        let fixture = Fixture::new(limits);
        let sees_the_first = |tx: &mut WriteDb<'_>| {
            assert_eq!(fixture.stored(), [1], "{limits:?}");
            insert(2)(tx)
        };
        let results = fixture.run_waiting(vec![Box::new(insert(1)), Box::new(sees_the_first)]);
        assert!(results.iter().all(|result| matches!(result, Ok(Ok(())))), "{limits:?}: {results:?}");
    }
}

#[test]
fn an_action_that_waits_too_long_is_refused() {
    let fixture = Fixture::new(Limits { wait: Duration::from_millis(20), ..UNLIMITED });
    fixture
        .group
        .write(|tx| {
            let refused = thread::scope(|scope| scope.spawn(|| fixture.group.write(insert(1))).join());
            assert!(is_unavailable(&refused), "{refused:?}");
            assert_eq!(fixture.waiting(), 0);
            insert(2)(tx)
        })
        .unwrap();
    assert_eq!(fixture.stored(), [2]);
}

#[test]
fn exactly_the_acknowledged_actions_are_stored() {
    let fixture = Fixture::new(Limits { actions: 5, time: Duration::from_millis(2), wait: Duration::from_millis(3) });
    let acknowledged: BTreeSet<i64> = thread::scope(|scope| {
        let act = |id: i64| {
            let write = || {
                fixture.group.write(|tx| {
                    insert(id)(tx)?;
                    match id % 7 {
                        0 => Err(StoreError::Exists),
                        1 if id % 10 == 0 => panic!("a test of panics"),
                        _ => Ok(()),
                    }
                })
            };
            matches!(panic::catch_unwind(AssertUnwindSafe(write)), Ok(Ok(()))).then_some(id)
        };
        let threads: Vec<_> = (0..12)
            .map(|thread| scope.spawn(move || (thread * 100..thread * 100 + 100).filter_map(act).collect::<Vec<_>>()))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(fixture.stored(), acknowledged.into_iter().collect::<Vec<_>>());
    assert_eq!(fixture.waiting(), 0);
    fixture.group.write(insert(-1)).unwrap();
}

#[test]
fn a_change_of_many_pages_is_saved_without_temporary_files() {
    let fixture = Fixture::new(UNLIMITED);
    let fill = "CREATE TABLE texts (text TEXT); \
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) \
        INSERT INTO texts SELECT hex(zeroblob(1900)) FROM n";
    let change = "UPDATE texts SET text = lower(text) || 'x'; INSERT INTO rows VALUES (1)";
    for statements in [fill, change] {
        let outcome = fixture.group.write(|tx| Ok::<_, StoreError>(tx.connection.batch_execute(statements)?));
        assert!(outcome.is_ok(), "{outcome:?}");
    }
    assert_eq!(fixture.stored(), [1]);
}
