//! Putting it together: configuration, secrets and store become actions; those and the routes become a server.

mod background;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpServer};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use prometheus_client::registry::Registry;

pub use self::background::UsageRecorder;
use crate::actions::{Actions, OpenError, PasswordHasher, UsageNotes, open_installation};
use crate::api::{Machines, ShownMetrics};
use crate::clock::Clock;
use crate::config::{Config, PublicUrl, SettingError};
use crate::domain::checkpoint::CheckpointKey;
use crate::domain::ids::InstallationId;
use crate::edge::connections::{Connections, LONGEST_SILENCE};
use crate::edge::{Edge, envelope};
use crate::secrets::{Secrets, SecretsError};
use crate::store::{MigrationError, Store, StoreError};
use crate::verify::{Ledger, Metrics, Verification};
use crate::web::Site;
use crate::witness::{Source, WitnessError, Witnesses};
use crate::{api, random, web};

/// A client has so long to send a request's head.
const REQUEST_HEAD: Duration = Duration::from_secs(10);
/// An idle connection is kept for so long.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
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
    /// A witness of checkpoints cannot be used.
    #[error(transparent)]
    Witness(#[from] WitnessError),
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
        usage: UsageNotes::default(),
    })
}

/// What it takes to check an installation's trails.
pub struct Readable {
    /// The database.
    pub store: Store,
    /// The installation.
    pub id: InstallationId,
    /// The public key of its checkpoints.
    pub key: CheckpointKey,
    /// Whether that key is the one of the secrets file, and not the database's word alone.
    pub has_secrets: bool,
}

/// Opens an installation to check it: as [`open`] does, and a database without its secrets, such as somebody else's copy of
/// it, as it stands. The public key is then the one that the database itself names.
///
/// # Errors
/// [`StartError`].
pub fn open_to_read(config: &Config, clock: &Clock) -> Result<Readable, StartError> {
    if config.secrets_file.exists() || !Store::stands(&config.database)? {
        let Actions { store, installation, secrets, .. } = open(config, clock)?;
        return Ok(Readable { store, id: installation, key: secrets.signer.public_key(), has_secrets: true });
    }
    let store = Store::connect(&config.database)?;
    let damaged =
        || StartError::Machine("The database names no installation. Give another by --database-url.".to_owned());
    let installation = store.ask(|questions| questions.installation())?.ok_or_else(damaged)?;
    let key = CheckpointKey::from_bytes(&installation.checkpoint_key).ok_or_else(damaged)?;
    Ok(Readable { store, id: installation.id, key, has_secrets: false })
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
    ledger: Ledger,
    witnesses: Witnesses,
    longest_silence: Duration,
}

impl Server {
    /// Takes the address that the configuration names, and opens the witnesses.
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
        let source = Source {
            store: actions.store.clone(),
            clock: actions.clock.clone(),
            secrets: Arc::clone(&actions.secrets),
            installation: actions.installation,
        };
        let witnesses = Witnesses::open(&config.witnesses, &source)?;
        let listener = TcpListener::bind(config.listen).map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let public_url = PublicUrl::new(&config, address);
        let setup_token = BASE64_URL_SAFE_NO_PAD.encode(random::bytes::<32>());
        let (ledger, longest_silence) = (Ledger::default(), LONGEST_SILENCE);
        Ok(Self { listener, address, public_url, setup_token, config, actions, ledger, witnesses, longest_silence })
    }

    /// The same, but it cuts connections after another silence: a test need not wait for so long.
    #[must_use]
    pub fn with_longest_silence(self, longest_silence: Duration) -> Self {
        Self { longest_silence, ..self }
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

    /// Writes down what this server counts, when it is asked to: at the end, beyond what it does by itself.
    #[must_use]
    pub fn usage_recorder(&self) -> UsageRecorder {
        UsageRecorder { actions: self.actions.clone(), ledger: self.ledger.clone() }
    }

    /// Whoever is told of checkpoints, where somebody does not want to wait until the server does it by itself.
    #[must_use]
    pub fn witnesses(&self) -> Witnesses {
        self.witnesses.clone()
    }

    /// The server, to be awaited: it answers until it is told to stop.
    ///
    /// # Errors
    /// [`StartError::Machine`].
    pub fn start(self) -> Result<actix_web::dev::Server, StartError> {
        self.start_with(|_| {})
    }

    /// The same with further routes, which go first: a benchmark compares its own with the product's.
    ///
    /// # Errors
    /// [`StartError::Machine`].
    pub fn start_with(
        self,
        further: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> Result<actix_web::dev::Server, StartError> {
        let recorder = self.usage_recorder();
        let Self { listener, public_url, setup_token, config, actions, ledger, witnesses, longest_silence, .. } = self;
        let cannot = |error: io::Error| StartError::Machine(format!("The server cannot start: {error}."));
        background::begin(&actions, recorder);
        background::tell(&witnesses).map_err(cannot)?;
        let edge = Data::new(Edge { trusted_proxies: config.trusted_proxies, https: public_url.is_https() });
        let mut registry = Registry::default();
        let verification = Verification {
            store: actions.store.clone(),
            clock: actions.clock.clone(),
            secrets: Arc::clone(&actions.secrets),
            key_format: config.key_format,
            ledger,
            metrics: Metrics::registered(&mut registry),
        };
        let machines = Machines {
            verification,
            actions: Data::new(actions.clone()),
            public_url: Data::new(public_url.clone()),
            metrics: Data::new(ShownMetrics { registry: Arc::new(registry), token: config.metrics_token }),
        };
        let site = Data::new(Site::new(actions, config.platform_name, public_url, setup_token, witnesses));
        let connections = Connections::watched(longest_silence).map_err(cannot)?;
        let server = HttpServer::new(move || {
            App::new()
                .app_data(edge.clone())
                .configure(&further)
                .configure(|routes| api::configure(routes, &machines))
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
            .map_err(cannot)?;
        Ok(server.run())
    }
}
