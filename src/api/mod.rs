//! What machines ask: JSON and problem documents, never a page.

mod bearer;
mod forward_auth;
mod health;
mod introspect;
mod log_limit;
mod metrics;
mod openapi;
mod presented;
mod problem;
mod revoke;
mod whoami;

use actix_web::dev::HttpServiceFactory;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, Route};

pub use self::metrics::ShownMetrics;
use self::presented::Desk;
use self::problem::Problem;
use crate::actions::Actions;
use crate::config::PublicUrl;
use crate::edge::body::Fields;
use crate::verify::Verification;

/// What the machine endpoints answer from.
#[derive(Clone)]
pub struct Machines {
    /// Whether keys are good.
    pub verification: Verification,
    /// What can be done.
    pub actions: Data<Actions>,
    /// Who issues the keys.
    pub public_url: Data<PublicUrl>,
    /// What is counted.
    pub metrics: Data<ShownMetrics>,
}

/// Puts the machine endpoints in place; once for each thread that serves. Whatever is asked most goes first: a path is held
/// against one pattern after the other, and those with parameters take longest.
pub fn configure(config: &mut ServiceConfig, machines: &Machines) {
    config.app_data(Data::new(Desk::new(machines.verification.for_this_thread())));
    config.app_data(machines.actions.clone());
    config.app_data(machines.public_url.clone());
    config.app_data(machines.metrics.clone());
    config.service(read("/v1/whoami", whoami::show));
    for path in ["/v1/forward-auth", "/v1/forward-auth/{anything:.*}"] {
        // A proxy takes 200, 401 and 503: it is told of no defect.
        let resource = web::resource(path).route(web::to(forward_auth::answer));
        config.service(resource.wrap(from_fn(problem::describe_as_unavailable)));
    }
    config.service(sent("/v1/introspect", introspect::answer));
    config.service(sent("/v1/revoke", revoke::answer));
    config.service(read("/v1/openapi.json", openapi::show));
    let not_found = || std::future::ready(Err::<HttpResponse, _>(Problem::NotFound));
    config.service(web::scope("/v1").default_service(web::to(not_found)));
    config.service(read("/healthz", health::alive));
    config.service(read("/readyz", health::ready));
    config.service(read("/metrics", metrics::show));
}

/// The key that a form carries.
fn token_of(fields: &Fields) -> Result<&str, Problem> {
    fields.given("token_type_hint")?;
    match fields.one("token")? {
        "" => Err(Problem::TokenMissing),
        token => Ok(token),
    }
}

/// An endpoint that is read.
fn read<H, A>(path: &str, handler: H) -> impl HttpServiceFactory + 'static
where
    H: Handler<A>,
    A: FromRequest + 'static,
    H::Output: Responder + 'static,
{
    let head = web::method(Method::HEAD).to(handler.clone());
    endpoint(path, [web::get().to(handler), head], "GET, HEAD")
}

/// An endpoint that a form is sent to.
fn sent<H, A>(path: &str, handler: H) -> impl HttpServiceFactory + 'static
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
    let refuse = move || std::future::ready(Err::<HttpResponse, _>(Problem::WrongMethod(allowed)));
    let resource = routes.into_iter().fold(web::resource(path), Resource::route);
    resource.default_service(web::to(refuse)).wrap(from_fn(problem::describe))
}
