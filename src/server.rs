//! Putting it together: configuration, secrets and store become actions; those and the routes become a server.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::actions::{Actions, OpenError, PasswordHasher, open_installation};
use crate::clock::Clock;
use crate::config::{Config, PublicUrl, SettingError};
use crate::edge::connections::Connections;
use crate::edge::{Edge, envelope};
use crate::secrets::{Secrets, SecretsError};
use crate::store::{MigrationError, Store, StoreError};
use crate::verify::Verifier;
use crate::web::Site;
use crate::{api, random, web};

/// A client has so long to send a request's head.
const REQUEST_HEAD: Duration = Duration::from_secs(10);
/// An idle connection is kept for so long.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// So often the trail is told of keys that ended by themselves.
const BETWEEN_ENDS: Duration = Duration::from_secs(20);
/// At the end, requests under way have so many seconds to finish.
const SHUTDOWN_SECONDS: u64 = 30;

/// Why the program does not start. Displays as one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is refused.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The secrets cannot be used.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The schema cannot be brought up to date.
    #[error(transparent)]
    Migration(MigrationError),
    /// The database and the secrets do not fit.
    #[error(transparent)]
    Open(OpenError),
    /// The database does not answer.
    #[error("{0}. Check --database-url, and whether what it names is there.")]
    Store(#[from] StoreError),
    /// A folder, a file or an address cannot be used.
    #[error("{0}")]
    Machine(String),
}

impl From<MigrationError> for StartError {
    fn from(error: MigrationError) -> Self {
        match error {
            MigrationError::Store(error) => Self::Store(error),
            other => Self::Migration(other),
        }
    }
}

impl From<OpenError> for StartError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Store(error) => Self::Store(error),
            other @ OpenError::OtherSecrets => Self::Open(other),
        }
    }
}

/// Opens the installation that the configuration names; makes what is missing.
///
/// # Errors
/// [`StartError`].
pub fn open(config: &Config, clock: &Clock) -> Result<Actions, StartError> {
    let _alone = lock(&config.data_dir)?;
    let stands = Store::stands(&config.database)?;
    let secrets = Secrets::open(&config.secrets_file, stands)?;
    Store::migrate(&config.database)?;
    let store = Store::connect(&config.database)?;
    let installation = open_installation(&store, &secrets, clock.now())?;
    let passwords = PasswordHasher::new().map_err(|error| StartError::Machine(error.to_string()))?;
    Ok(Actions {
        store,
        clock: clock.clone(),
        secrets: Arc::new(secrets),
        installation,
        key_format: config.key_format.clone(),
        platform_name: config.platform_name.clone(),
        passwords: Arc::new(passwords),
    })
}

/// Holds the data folder while it is set up: two programs that start at once must not make two sets of secrets.
fn lock(folder: &Path) -> Result<File, StartError> {
    let cannot = |error: io::Error| {
        StartError::Machine(format!(
            "The data folder {} cannot be used: {error}. Make it writable or name another with --data-dir.",
            folder.display()
        ))
    };
    if !folder.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(cannot)?;
    }
    let path = folder.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path).map_err(cannot)?;
    file.lock().map_err(cannot)?;
    Ok(file)
}

/// A server that listens and has not begun to answer.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    public_url: PublicUrl,
    setup_token: String,
    config: Config,
    actions: Actions,
}

impl Server {
    /// Takes the address that the configuration names.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn bind(config: Config, actions: Actions) -> Result<Self, StartError> {
        let cannot = |error: io::Error| {
            StartError::Machine(format!(
                "Cannot listen on {}: {error}. Stop what listens there, or choose another with --listen.",
                config.listen
            ))
        };
        let listener = TcpListener::bind(config.listen).map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let public_url = PublicUrl::new(&config, address);
        let setup_token = BASE64_URL_SAFE_NO_PAD.encode(random::bytes::<32>());
        Ok(Self { listener, address, public_url, setup_token, config, actions })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The link that opens set-up, while there is no user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn setup_link(&self) -> Result<Option<String>, StoreError> {
        let is_set_up = self.actions.store.ask(|questions| questions.any_user_exists())?;
        let path = web::paths::SETUP;
        Ok((!is_set_up).then(|| format!("{}{path}?token={}", self.public_url.as_str(), self.setup_token)))
    }

    /// The server, to be awaited: it answers until it is told to stop.
    ///
    /// # Errors
    /// [`StartError::Machine`].
    pub fn start(self) -> Result<actix_web::dev::Server, StartError> {
        let Self { listener, public_url, setup_token, config, actions, .. } = self;
        let edge = Data::new(Edge { trusted_proxies: config.trusted_proxies, https: public_url.is_https() });
        let (clock, secrets) = (actions.clock.clone(), Arc::clone(&actions.secrets));
        let store = Data::new(actions.store.clone());
        actix_web::rt::spawn(record_ends(actions.clone()));
        let site = Data::new(Site::new(actions, config.platform_name, public_url, setup_token));
        let connections = Connections::watched()
            .map_err(|error| StartError::Machine(format!("The server cannot start: {error}.")))?;
        let server = HttpServer::new(move || {
            let verifier = Data::new(Verifier::new(&store, &clock, &secrets, &config.key_format));
            App::new()
                .app_data(edge.clone())
                .configure(|routes| api::configure(routes, &verifier, &store))
                .configure(|routes| web::configure(routes, &site))
                .wrap(from_fn(envelope::wrap))
        });
        let server = server
            .on_connect(move |stream, data| connections.add(stream, data))
            .client_request_timeout(REQUEST_HEAD)
            .client_disconnect_timeout(Duration::from_secs(5))
            .keep_alive(KEEP_ALIVE)
            .shutdown_timeout(SHUTDOWN_SECONDS)
            .listen(listener)
            .map_err(|error| StartError::Machine(format!("The server cannot start: {error}.")))?;
        Ok(server.run())
    }
}

/// Keeps the trail up to date about keys that ended by themselves, for as long as the server runs.
async fn record_ends(actions: Actions) {
    loop {
        let recorder = actions.clone();
        match actix_web::web::block(move || recorder.record_ends()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the ends of keys could not be written into the trail"),
            Err(error) => tracing::warn!(%error, "the ends of keys could not be written into the trail"),
        }
        tokio::time::sleep(BETWEEN_ENDS).await;
    }
}
