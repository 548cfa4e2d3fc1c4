//! Servers that answer whether a key is good from a slow database, in ways that are wrong on purpose, and in the right one.

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
use keydesk::domain::api_key::KeyState;
use keydesk::domain::key_digest::KeyDigest;
use keydesk::verify::{self, Lane};

/// How long a read takes here: long enough for a revocation to come between.
const READ: Duration = Duration::from_millis(4);

/// How such a server answers.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// By the next read, as Keydesk does.
    NextRead,
    /// By what it read up to 20 ms ago.
    ShortLivedCache,
    /// By the read that is under way, where there is one.
    ReadInFlight,
}

type InFlight = Shared<LocalBoxFuture<'static, bool>>;

struct Answers {
    actions: Actions,
    way: Way,
    lane: Arc<Lane<KeyDigest, bool>>,
    to_reader: mpsc::Sender<()>,
    cache: RefCell<HashMap<KeyDigest, (Instant, bool)>>,
    in_flight: RefCell<HashMap<KeyDigest, InFlight>>,
}

fn is_good_now(actions: &Actions, digest: &KeyDigest) -> bool {
    let key = actions.store.ask(|questions| questions.key_by_digest(digest)).unwrap();
    key.is_some_and(|key| key.ends.state(actions.clock.now()) == KeyState::Active)
}

async fn read(actions: &Actions, digest: &KeyDigest) -> bool {
    let is_good = is_good_now(actions, digest);
    // What was read is on its way.
    actix_web::rt::time::sleep(READ).await;
    is_good
}

impl Answers {
    fn new(actions: Actions, way: Way) -> Self {
        let lane = Arc::new(Lane::default());
        let (to_reader, calls) = mpsc::channel();
        let (own, read_for) = (actions.clone(), Arc::clone(&lane));
        std::thread::spawn(move || {
            while calls.recv().is_ok() {
                let read = |digests: &[KeyDigest]| {
                    let answers = digests.iter().map(|digest| is_good_now(&own, digest)).collect();
                    std::thread::sleep(READ);
                    Ok(answers)
                };
                read_for.answer(read, verify::Answers::hand_out);
            }
        });
        Self { actions, way, lane, to_reader, cache: RefCell::default(), in_flight: RefCell::default() }
    }

    async fn is_good(self: Rc<Self>, digest: KeyDigest) -> bool {
        match self.way {
            Way::NextRead => self.lane.ask(digest, || self.to_reader.send(()).unwrap()).await.unwrap(),
            Way::ShortLivedCache => {
                let known = self.cache.borrow().get(&digest).copied();
                if let Some((_, is_good)) = known.filter(|(at, _)| at.elapsed() < Duration::from_millis(20)) {
                    return is_good;
                }
                let is_good = read(&self.actions, &digest).await;
                self.cache.borrow_mut().insert(digest, (Instant::now(), is_good));
                is_good
            }
            Way::ReadInFlight => {
                let under_way = self.in_flight.borrow().get(&digest).cloned();
                if let Some(under_way) = under_way {
                    return under_way.await;
                }
                let own = Rc::clone(&self);
                let reading = async move { read(&own.actions, &digest).await }.boxed_local().shared();
                self.in_flight.borrow_mut().insert(digest, reading.clone());
                let is_good = reading.await;
                self.in_flight.borrow_mut().remove(&digest);
                is_good
            }
        }
    }
}

async fn answer(request: HttpRequest, answers: Data<Rc<Answers>>) -> HttpResponse {
    let header = request.headers().get("authorization").unwrap().to_str().unwrap();
    let key = answers.actions.key_format.parse(header.strip_prefix("Bearer ").unwrap()).unwrap();
    let digest = key.digest(&answers.actions.secrets.pepper);
    let is_good = Rc::clone(&answers).is_good(digest).await;
    if is_good { HttpResponse::Ok().body("good") } else { HttpResponse::Unauthorized().finish() }
}

/// Such a server on the database of another one, until it is dropped.
pub struct SlowServer {
    pub address: SocketAddr,
    handle: ServerHandle,
}

impl SlowServer {
    pub fn start(actions: &Actions, way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let actions = actions.clone();
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    let answers = Data::new(Rc::new(Answers::new(actions.clone(), way)));
                    App::new().app_data(answers).default_service(web::to(answer))
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
