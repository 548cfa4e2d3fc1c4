//! Servers that verify keys on a slow database: one correctly, and two that are wrong on purpose.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared};
use keydesk::actions::Actions;
use keydesk::domain::key::digest::PresentedDigests;
use keydesk::domain::key::lifecycle::KeyState;
use keydesk::verify::{self, Batcher};

/// The duration of a read, long enough for a revocation to happen meanwhile.
const READ: Duration = Duration::from_millis(4);

/// How a server looks up keys.
#[derive(Clone, Copy, Debug)]
pub enum Strategy {
    /// With the next read, as Keydesk does.
    NextRead,
    /// From a cache that keeps entries for 20 ms.
    ShortLivedCache,
    /// By joining a read of the same key that is in flight.
    ReadInFlight,
}

type InFlight = Shared<LocalBoxFuture<'static, bool>>;

struct Lookup {
    actions: Actions,
    strategy: Strategy,
    batcher: Arc<Batcher<PresentedDigests, bool>>,
    to_reader: mpsc::Sender<()>,
    cache: RefCell<HashMap<PresentedDigests, (Instant, bool)>>,
    in_flight: RefCell<HashMap<PresentedDigests, InFlight>>,
}

fn is_active_now(actions: &Actions, digest: &PresentedDigests) -> bool {
    let key = actions.store.query(|db| db.keys().by_digest(digest)).unwrap();
    key.is_some_and(|key| key.ends.state(actions.clock.now()) == KeyState::Active)
}

async fn read(actions: &Actions, digest: &PresentedDigests) -> bool {
    let is_active = is_active_now(actions, digest);
    // The time until the result arrives.
    actix_web::rt::time::sleep(READ).await;
    is_active
}

impl Lookup {
    fn new(actions: Actions, strategy: Strategy) -> Self {
        let batcher = Arc::new(Batcher::default());
        let (to_reader, calls) = mpsc::channel();
        let (own, read_for) = (actions.clone(), Arc::clone(&batcher));
        std::thread::spawn(move || {
            while calls.recv().is_ok() {
                let read = |digests: &[PresentedDigests]| {
                    let answers = digests.iter().map(|digest| is_active_now(&own, digest)).collect();
                    std::thread::sleep(READ);
                    Ok(answers)
                };
                read_for.run(read, verify::Replies::deliver);
            }
        });
        Self { actions, strategy, batcher, to_reader, cache: RefCell::default(), in_flight: RefCell::default() }
    }

    async fn is_active(self: Rc<Self>, digest: PresentedDigests) -> bool {
        match self.strategy {
            Strategy::NextRead => self.batcher.submit(digest, || self.to_reader.send(()).unwrap()).await.unwrap(),
            Strategy::ShortLivedCache => {
                let known = self.cache.borrow().get(&digest).copied();
                if let Some((_, is_active)) = known.filter(|(at, _)| at.elapsed() < Duration::from_millis(20)) {
                    return is_active;
                }
                let is_active = read(&self.actions, &digest).await;
                self.cache.borrow_mut().insert(digest, (Instant::now(), is_active));
                is_active
            }
            Strategy::ReadInFlight => {
                let in_flight = self.in_flight.borrow().get(&digest).cloned();
                if let Some(in_flight) = in_flight {
                    return in_flight.await;
                }
                let own = Rc::clone(&self);
                let presented = digest.clone();
                let reading = async move { read(&own.actions, &presented).await }.boxed_local().shared();
                self.in_flight.borrow_mut().insert(digest.clone(), reading.clone());
                let is_active = reading.await;
                self.in_flight.borrow_mut().remove(&digest);
                is_active
            }
        }
    }
}

async fn answer(request: HttpRequest, lookup: Data<Rc<Lookup>>) -> HttpResponse {
    let header = request.headers().get("authorization").unwrap().to_str().unwrap();
    let key = lookup.actions.key_format.parse(header.strip_prefix("Bearer ").unwrap()).unwrap();
    let digest = key.presented(lookup.actions.secrets.keyring().peppers());
    let is_active = Rc::clone(&lookup).is_active(digest).await;
    if is_active { HttpResponse::Ok().body("good") } else { HttpResponse::Unauthorized().finish() }
}

/// A server on the database of another one. Dropping it stops it.
pub struct SlowServer {
    pub address: SocketAddr,
    handle: ServerHandle,
}

impl SlowServer {
    pub fn start(actions: &Actions, strategy: Strategy) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let actions = actions.clone();
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    let lookup = Data::new(Rc::new(Lookup::new(actions.clone(), strategy)));
                    App::new().app_data(lookup).default_service(web::to(answer))
                });
                let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
                sender.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self { address, handle: receiver.recv().unwrap() }
    }
}

impl Drop for SlowServer {
    fn drop(&mut self) {
        let _ = self.handle.stop(false).now_or_never();
    }
}
