//! What the server does beside answering: writes down how keys were used, tells the trail what came
//! about by itself, and witnesses what the trail says.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use std::{future, io, thread};

use actix_web::rt::spawn;
use actix_web::web::block;

use crate::actions::Actions;
use crate::store::StoreError;
use crate::verify::Ledger;
use crate::witness::{Witness, Witnesses};

/// The use of keys is written down this often, and at the end; where very many keys are in use, as seldom as it takes for
/// the writing to fill a twentieth of one thread's time at most.
const BETWEEN_RECORDS: Duration = Duration::from_secs(3);
const REST_PER_WORK: u32 = 19;
/// So often the trail is told of keys that ended by themselves.
const BETWEEN_ENDS: Duration = Duration::from_secs(20);
/// A witness learns of a change within a minute, also where it fails once and there are many trails.
const BETWEEN_ROUNDS: Duration = Duration::from_secs(15);
const BETWEEN_CLEARANCES: Duration = Duration::from_hours(1);

/// Writes down how keys were used.
#[derive(Clone, Debug)]
pub struct UsageRecorder {
    pub(super) actions: Actions,
    pub(super) ledger: Ledger,
}

impl UsageRecorder {
    /// Writes down what was counted until now.
    ///
    /// # Errors
    /// [`StoreError`]; what was not written waits for the next time.
    pub fn record(&self) -> Result<(), StoreError> {
        let now = self.actions.clock.now();
        let (left, recorded) = self.actions.record_usage(self.ledger.take(), now);
        self.ledger.put_back(left);
        recorded?;
        self.actions.report_refusals()
    }
}

/// Begins what is done again and again for as long as the server runs.
pub(super) fn begin(actions: &Actions, recorder: UsageRecorder) {
    let ends = actions.clone();
    spawn(again_and_again("the ends of keys could not be written into the trail", BETWEEN_ENDS, move || {
        ends.record_ends()
    }));
    spawn(again_and_again("the use of keys could not be written down", BETWEEN_RECORDS, move || recorder.record()));
    let actions = actions.clone();
    spawn(again_and_again("old usage could not be forgotten", BETWEEN_CLEARANCES, move || actions.forget_old_usage()));
}

/// Tells the witnesses of new checkpoints for as long as the server runs. Each has a thread of its own, which ends with the
/// process whatever it waits for: one that is slow delays neither a page, nor another witness, nor the server's end.
pub(super) fn tell(witnesses: &Witnesses) -> io::Result<()> {
    for witness in witnesses.each() {
        let witness = Arc::clone(witness);
        let (server, server_is_gone) = mpsc::channel::<()>();
        spawn(async move {
            let _server = server;
            future::pending::<()>().await;
        });
        thread::Builder::new().name("witness".to_owned()).spawn(move || {
            while server_is_gone.try_recv() != Err(mpsc::TryRecvError::Disconnected) {
                tell_once(&witness);
                // Ends early where the server does.
                let _ = server_is_gone.recv_timeout(BETWEEN_ROUNDS);
            }
        })?;
    }
    Ok(())
}

fn tell_once(witness: &Witness) {
    match catch_unwind(AssertUnwindSafe(|| witness.tell())) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "checkpoints could not be witnessed"),
        Err(_) => tracing::warn!("checkpoints could not be witnessed: the thread panicked"),
    }
}

async fn again_and_again(
    when_it_fails: &'static str,
    pause: Duration,
    work: impl Fn() -> Result<(), StoreError> + Clone + Send + 'static,
) {
    let warn = |error: &dyn Display| tracing::warn!(%error, "{when_it_fails}");
    loop {
        let began = Instant::now();
        match block(work.clone()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn(&error),
            Err(error) => warn(&error),
        }
        tokio::time::sleep(pause.max(began.elapsed() * REST_PER_WORK)).await;
    }
}
