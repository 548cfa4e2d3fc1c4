//! The HTTP server: composes pages and machine endpoints, and serves them.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpServer};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use super::background::{self, Continuity, SetupLinkCloser, UsageRecorder};
use super::clock_warning::ClockWarning;
use super::error::StartError;
use super::key_prefixes;
use super::lease;
use super::metrics::ServerMetrics;
use super::open::signing_key;
use super::sampler::Sampler;
use super::secrets_watch::SecretsWatch;
use super::service_manager::ServiceManager;
use super::shutdown::Shutdown;
use super::start_line;
use super::wal_watch::WalWatch;
use super::watchdog::Watchdog;
use crate::actions::Actions;
use crate::api::{ApiState, MetricsEndpoint, Readiness};
use crate::config::{Config, PublicUrl};
use crate::domain::timestamp::Timestamp;
use crate::domain::token::Token;
use crate::evidence::StateMonitor;
use crate::http::connections::{Connections, IDLE_TIMEOUT};
use crate::http::{Drain, HttpConfig, descriptors, response_headers};
use crate::verify::{Metrics, UsageCounter, VerifierContext};
use crate::web::app::state::AppState;
use crate::witness::{WitnessContext, Witnesses};
use crate::{api, web};

/// The time in which a client sends the head of its first request.
const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const KEEP_ALIVE: Duration = Duration::from_secs(30);
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The time in which active requests finish when the server stops.
const SHUTDOWN_TIMEOUT_SECONDS: u64 = 30;

/// A server that listens, but does not accept connections yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    public_url: PublicUrl,
    setup_token: Option<Token>,
    workers: usize,
    drain: Drain,
    config: Config,
    actions: Actions,
    usage_counter: UsageCounter,
    secrets_watch: SecretsWatch,
    witnesses: Witnesses,
    monitor: StateMonitor,
    idle_timeout: Duration,
    sampler: Sampler,
    started: Timestamp,
    dropped_log_lines: Counter,
    service_manager: ServiceManager,
}

impl Server {
    /// Binds the configured address and opens the witnesses.
    ///
    /// # Errors
    /// [`StartError`]: the address or a witness cannot be used.
    pub fn bind(config: Config, actions: Actions) -> Result<Self, StartError> {
        let unusable = |error: io::Error| {
            StartError::System(format!(
                "Cannot listen on {}: {error}. Stop the program that listens there, or choose another address with --listen.",
                config.listen
            ))
        };
        key_prefixes::refuse_dropped(&config, &actions)?;
        let context = WitnessContext {
            store: actions.store.clone(),
            clock: actions.clock.clone(),
            secrets: Arc::clone(&actions.secrets),
            installation: actions.installation,
            memory: actions.memory.clone(),
        };
        let witnesses = Witnesses::open(&config.witnesses, &context)?;
        let monitor = StateMonitor::new(actions.store.clone(), actions.installation, signing_key(&actions.secrets));
        let listener = TcpListener::bind(config.listen).map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        let public_url = PublicUrl::new(&config, address);
        let started = actions.clock.now();
        let sampler = Sampler::new(&actions, witnesses.clone(), config.data_dir.clone());
        let workers = available_parallelism().map_or(1, NonZero::get);
        actions.store.prepare_to_serve(workers)?;
        let setup_token = actions.open_setup_link()?;
        let secrets_watch = SecretsWatch::new(&actions);
        secrets_watch.begin()?;
        Ok(Self {
            listener,
            address,
            public_url,
            setup_token,
            workers,
            drain: Drain::default(),
            config,
            actions,
            usage_counter: UsageCounter::default(),
            secrets_watch,
            witnesses,
            monitor,
            idle_timeout: IDLE_TIMEOUT,
            sampler,
            started,
            dropped_log_lines: Counter::default(),
            service_manager: ServiceManager::default(),
        })
    }

    /// Returns the server with another idle timeout, for tests.
    #[must_use]
    pub fn with_idle_timeout(self, idle_timeout: Duration) -> Self {
        Self { idle_timeout, ..self }
    }

    /// Returns the server with this counter of dropped log lines in its metrics.
    #[must_use]
    pub fn with_dropped_log_lines(self, dropped_log_lines: Counter) -> Self {
        Self { dropped_log_lines, ..self }
    }

    /// Returns the server with this service manager, which it tells what it does.
    #[must_use]
    pub fn with_service_manager(self, service_manager: ServiceManager) -> Self {
        Self { service_manager, ..self }
    }

    /// The address that the server listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the link that opens set-up, if no user exists.
    #[must_use]
    pub fn setup_link(&self) -> Option<String> {
        let (origin, path) = (self.public_url.as_str(), web::paths::SETUP);
        self.setup_token.as_ref().map(|token| format!("{origin}{path}?token={}", token.expose_secret()))
    }

    /// Returns what ends the set-up link of this server when it has stopped.
    #[must_use]
    pub fn setup_link_closer(&self) -> SetupLinkCloser {
        SetupLinkCloser { actions: self.actions.clone(), token: self.setup_token.as_ref().map(Token::digest) }
    }

    /// Installs the handlers of the signals that stop the server.
    ///
    /// # Errors
    /// [`StartError::System`]: the system refuses them.
    pub fn shutdown(&self) -> Result<Shutdown, StartError> {
        let installed = Shutdown::install(self.drain.clone(), self.config.drain, self.service_manager.clone());
        installed.map_err(|error| StartError::System(format!("Signals cannot be handled: {error}.")))
    }

    /// Returns a recorder for the usage that is left when the server has stopped. While it runs, it records usage
    /// itself.
    #[must_use]
    pub fn usage_recorder(&self) -> UsageRecorder {
        UsageRecorder {
            actions: self.actions.clone(),
            usage_counter: self.usage_counter.clone(),
            clock_warning: ClockWarning::default(),
        }
    }

    /// Returns what follows the secrets, to end it when the server has stopped. While it runs, the server runs it itself.
    #[must_use]
    pub fn secrets_watch(&self) -> SecretsWatch {
        self.secrets_watch.clone()
    }

    /// Returns the witnesses, to publish checkpoints at once. While the server runs, it publishes them itself.
    #[must_use]
    pub fn witnesses(&self) -> Witnesses {
        self.witnesses.clone()
    }

    /// Returns the monitor of trails and tables, to check them at once. While the server runs, it checks them itself.
    #[must_use]
    pub fn state_monitor(&self) -> StateMonitor {
        self.monitor.clone()
    }

    /// Returns the reader of the numbers for the metrics, to read them at once. While the server runs, it reads them
    /// itself.
    #[must_use]
    pub fn sampler(&self) -> Sampler {
        self.sampler.clone()
    }

    /// Returns the comparison of the trails with the remembered checkpoints, to run it at once and when the server has
    /// stopped. While it runs, the server runs it itself.
    #[must_use]
    pub fn continuity(&self) -> Continuity {
        Continuity::new(&self.actions)
    }

    /// Starts the server. The returned future ends when the server has stopped.
    ///
    /// # Errors
    /// [`StartError::System`]: the system has no thread left.
    pub fn start(self) -> Result<actix_web::dev::Server, StartError> {
        self.start_with(|_| {})
    }

    /// Starts the server with additional routes, which take precedence: a benchmark compares its own handler with ours.
    ///
    /// # Errors
    /// [`StartError::System`]: the system has no thread left.
    pub fn start_with(
        self,
        additional_routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> Result<actix_web::dev::Server, StartError> {
        let (recorder, continuity) = (self.usage_recorder(), self.continuity());
        let Self {
            listener,
            address,
            public_url,
            setup_token,
            workers,
            drain,
            config,
            actions,
            usage_counter,
            secrets_watch,
            witnesses,
            monitor,
            idle_timeout,
            sampler,
            started,
            dropped_log_lines,
            service_manager,
        } = self;
        let failed = |error: io::Error| StartError::System(format!("The server cannot start: {error}."));
        lease::start(&actions.store, background::server_stop()).map_err(failed)?;
        start_line::log(&actions.store, address, &config.trusted_proxies);
        let watchdog = Watchdog::start(service_manager, workers, drain.clone()).map_err(failed)?;
        let store = actions.store.clone();
        let wal_watch = WalWatch::new(store.clone());
        background::start_jobs(&actions, recorder, sampler.clone(), wal_watch.clone(), secrets_watch.clone());
        background::start_write_probe(&actions.store).map_err(failed)?;
        background::start_renewing_setup_link(&actions, setup_token.as_ref());
        background::start_comparisons(continuity).map_err(failed)?;
        background::start_publishing(&witnesses).map_err(failed)?;
        background::start_state_checks(monitor.clone(), actions.clock.clone()).map_err(failed)?;
        let http_config = HttpConfig {
            trusted_proxies: config.trusted_proxies,
            https: public_url.is_https(),
            key_format: config.key_format.clone(),
            drain: drain.clone(),
            request_counts: Arc::default(),
            unlisted_proxy: Arc::default(),
        };
        let mut registry = Registry::default();
        monitor.register(&mut registry);
        witnesses.register(&mut registry);
        actions.usage.register(&mut registry);
        let server_metrics = ServerMetrics {
            clock: actions.clock.clone(),
            started,
            store,
            memory: actions.memory.clone(),
            sampler,
            wal_watch,
            request_counts: Arc::clone(&http_config.request_counts),
            unlisted_proxy: Arc::clone(&http_config.unlisted_proxy),
        };
        server_metrics.register(dropped_log_lines, &mut registry);
        let verifier_context = VerifierContext {
            store: actions.store.clone(),
            clock: actions.clock.clone(),
            secrets: Arc::clone(&actions.secrets),
            renewals: secrets_watch.renewals().clone(),
            key_format: config.key_format,
            usage_counter,
            metrics: Metrics::registered(&mut registry),
            memory: actions.memory.clone(),
            installation: actions.installation,
        };
        let web_state = AppState::new(actions.clone(), config.platform_name, public_url.clone(), witnesses, monitor);
        web_state.sign_ins.register(&mut registry);
        let web_state = Data::new(web_state);
        let shared_actions = Data::new(actions);
        let endpoints = ApiState {
            verifier_context,
            readiness: Data::new(Readiness { actions: shared_actions.clone(), drain }),
            actions: shared_actions,
            public_url: Data::new(public_url),
            metrics: Data::new(MetricsEndpoint { registry: Arc::new(registry), token: config.metrics_token }),
        };
        let max_connections = descriptors::connections_per_worker(descriptors::raise_limit(), workers);
        let connections = Connections::start_watching(idle_timeout, max_connections * workers).map_err(failed)?;
        let server = HttpServer::new(move || {
            watchdog.iter().for_each(Watchdog::observe_this_worker);
            App::new()
                // Each worker counts the references to its own.
                .app_data(Data::new(http_config.clone()))
                .configure(&additional_routes)
                .configure(|routes| api::configure(routes, &endpoints))
                .configure(|routes| web::configure(routes, &web_state))
                .wrap(from_fn(response_headers::middleware))
        });
        let server = server
            .workers(workers)
            .max_connections(max_connections)
            .on_connect(move |stream, data| connections.add(stream, data))
            .client_request_timeout(REQUEST_HEAD_TIMEOUT)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .keep_alive(KEEP_ALIVE)
            .shutdown_timeout(SHUTDOWN_TIMEOUT_SECONDS)
            .disable_signals()
            .listen(listener)
            .map_err(failed)?;
        Ok(server.run())
    }
}
