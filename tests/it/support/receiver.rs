//! A webhook receiver that keeps its requests and answers as the test says.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{self, Receiver as Channel, Sender};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpSocket;

const SECRET_BYTES: [u8; 32] = *b"thirty-two bytes that are shared";

/// The content of the webhook's secret file.
pub fn secret() -> String {
    format!("whsec_{}", BASE64_STANDARD.encode(SECRET_BYTES))
}

#[derive(Clone, Debug)]
pub struct Delivery {
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Delivery {
    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn trail(&self) -> String {
        self.json()["data"]["trail"].as_str().unwrap().to_owned()
    }

    /// Whether the signature is valid by the Standard Webhooks specification.
    pub fn is_signed(&self) -> bool {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&SECRET_BYTES).unwrap();
        mac.update(format!("{}.{}.{}", self.id(), self.headers["webhook-timestamp"], self.body).as_bytes());
        let code = BASE64_STANDARD.encode(mac.finalize().into_bytes());
        self.headers["webhook-signature"] == format!("v1,{code}")
    }
}

/// A status line and headers.
type Reply = String;

/// Reports that a request has arrived, and waits for permission to answer it.
type Gate = (Sender<()>, Channel<()>);

/// A receiver that answers 204 unless the test has queued another reply.
#[derive(Clone)]
pub struct Receiver {
    pub address: SocketAddr,
    posted: Arc<Mutex<Vec<Delivery>>>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    gate: Arc<Mutex<Option<Gate>>>,
}

/// A private certificate authority and a certificate that it issued for the receiver.
pub struct Authority {
    /// The root certificate, for a file of trusted certificates.
    pub pem: String,
    config: Arc<ServerConfig>,
}

impl Authority {
    pub fn new() -> Self {
        let own_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own = params.self_signed(&own_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &Issuer::new(params, own_key)).unwrap();
        let chain = vec![CertificateDer::from(leaf.der().to_vec())];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
        Self { pem: own.pem(), config: Arc::new(config) }
    }
}

impl Receiver {
    pub fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), None)
    }

    pub fn with_tls(authority: &Authority) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), Some(Arc::clone(&authority.config)))
    }

    fn on(listener: TcpListener, tls: Option<Arc<ServerConfig>>) -> Self {
        let address = listener.local_addr().unwrap();
        let receiver = Self { address, posted: Arc::default(), replies: Arc::default(), gate: Arc::default() };
        let serving = receiver.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                match &tls {
                    None => serving.serve(stream),
                    Some(tls) => {
                        serving.serve(StreamOwned::new(ServerConnection::new(Arc::clone(tls)).unwrap(), stream));
                    }
                }
            }
        });
        receiver
    }

    fn serve(&self, stream: impl Read + Write) {
        let mut stream = BufReader::new(stream);
        let Some(posted) = read(&mut stream) else { return };
        self.posted.lock().unwrap().push(posted);
        let gate = self.gate.lock().unwrap().take();
        if let Some((arrived, release)) = gate {
            arrived.send(()).unwrap();
            release.recv().unwrap();
        }
        let reply = self.replies.lock().unwrap().pop_front().unwrap_or_else(|| "204 No Content".to_owned());
        let answer = format!("HTTP/1.1 {reply}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        // The client may have disconnected.
        let _ = stream.get_mut().write_all(answer.as_bytes()).and_then(|()| stream.get_mut().flush());
    }

    /// Queues a reply.
    pub fn reply(&self, reply: &str) {
        self.replies.lock().unwrap().push_back(reply.to_owned());
    }

    /// Holds back the next answer. The first channel reports the request, the second releases the answer.
    pub fn hold(&self) -> (Channel<()>, Sender<()>) {
        let ((arrived, has_arrived), (release, released)) = (mpsc::channel(), mpsc::channel());
        *self.gate.lock().unwrap() = Some((arrived, released));
        (has_arrived, release)
    }

    pub fn posted(&self) -> Vec<Delivery> {
        self.posted.lock().unwrap().clone()
    }

    pub fn url(&self) -> String {
        format!("http://{}/in", self.address)
    }
}

fn read(stream: &mut impl BufRead) -> Option<Delivery> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    Some(Delivery { path, headers, body: String::from_utf8(body).ok()? })
}

/// An address that refuses connections until a receiver starts there. It stays bound, so no other program can take it.
pub struct ReservedAddress {
    pub address: SocketAddr,
    socket: TcpSocket,
}

impl ReservedAddress {
    pub fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self { address: socket.local_addr().unwrap(), socket }
    }

    pub fn start(self) -> Receiver {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let listener = runtime.block_on(async { self.socket.listen(64).unwrap().into_std().unwrap() });
        listener.set_nonblocking(false).unwrap();
        Receiver::on(listener, None)
    }
}
