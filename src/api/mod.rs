//! The machine endpoints: JSON and problem documents, no pages.

mod authenticate;
mod bearer;
pub mod conditions;
mod describe;
mod forward_auth;
mod gateway_credential;
mod health;
mod introspect;
mod metrics;
mod openapi;
mod problem;
mod readiness;
mod revoke;
mod schema;
mod whoami;

use actix_web::dev::HttpServiceFactory;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, Route};

use self::authenticate::KeyAuthenticator;
pub use self::metrics::MetricsEndpoint;
use self::problem::Problem;
pub use self::readiness::Readiness;
use crate::actions::Actions;
use crate::config::PublicUrl;
use crate::verify::VerifierContext;

/// The state of the machine endpoints.
#[derive(Clone)]
pub struct ApiState {
    /// Verifies keys.
    pub verifier_context: VerifierContext,
    /// Revokes keys.
    pub actions: Data<Actions>,
    /// The issuer of introspected keys.
    pub public_url: Data<PublicUrl>,
    /// Shows the metrics.
    pub metrics: Data<MetricsEndpoint>,
    /// Says whether the server is ready.
    pub readiness: Data<Readiness>,
}

/// Adds the machine endpoints to the server of the current worker thread. The busiest routes come first: the router
/// tries one pattern after the other, and patterns with parameters are the slowest.
pub fn configure(config: &mut ServiceConfig, state: &ApiState) {
    config.app_data(Data::new(KeyAuthenticator::for_this_thread(&state.verifier_context)));
    config.app_data(state.actions.clone());
    config.app_data(state.public_url.clone());
    config.app_data(state.metrics.clone());
    config.app_data(state.readiness.clone());
    config.service(get("/v1/whoami", whoami::get));
    // A proxy appends its client's path, which may start with any separator.
    for path in ["/v1/forward-auth", "/v1/forward-auth{anything:[^A-Za-z0-9_-].*}"] {
        // Proxies expect 200, 401 or 503: a defect is reported as 503.
        let resource = web::resource(path).route(web::to(forward_auth::any));
        config.service(resource.wrap(from_fn(describe::describe_as_unavailable)));
    }
    config.service(post("/v1/introspect", introspect::post));
    config.service(post("/v1/revoke", revoke::post));
    config.service(get("/v1/openapi.json", openapi::get));
    let not_found = || std::future::ready(Err::<HttpResponse, _>(Problem::NotFound));
    let unknown = web::resource(["/v1", "/v1/{anything:.*}"]).default_service(web::to(not_found));
    config.service(unknown.wrap(from_fn(describe::describe)));
    config.service(get("/healthz", health::liveness));
    config.service(get("/readyz", health::readiness));
    config.service(get("/metrics", metrics::get));
}

/// An endpoint for GET and HEAD.
fn get<H, A>(path: &str, handler: H) -> impl HttpServiceFactory + 'static
where
    H: Handler<A>,
    A: FromRequest + 'static,
    H::Output: Responder + 'static,
{
    let head = web::method(Method::HEAD).to(handler.clone());
    endpoint(path, [web::get().to(handler), head], "GET, HEAD")
}

/// An endpoint for POST.
fn post<H, A>(path: &str, handler: H) -> impl HttpServiceFactory + 'static
where
    H: Handler<A>,
    A: FromRequest + 'static,
    H::Output: Responder + 'static,
{
    endpoint(path, [web::post().to(handler)], "POST")
}

fn endpoint(
    path: &str,
    routes: impl IntoIterator<Item = Route>,
    allowed: &'static str,
) -> impl HttpServiceFactory + 'static {
    let wrong_method = move || std::future::ready(Err::<HttpResponse, _>(Problem::WrongMethod(allowed)));
    let resource = routes.into_iter().fold(web::resource(path), Resource::route);
    resource.default_service(web::to(wrong_method)).wrap(from_fn(describe::describe))
}
