//! What machines ask: JSON and problem documents, never a page.

mod bearer;
mod health;
mod problem;
mod whoami;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder};

use self::problem::Problem;
use crate::edge::panics;
use crate::store::Store;
use crate::verify::Verifier;

/// Puts the machine endpoints in place.
pub fn configure(config: &mut ServiceConfig, verifier: &Data<Verifier>, store: &Data<Store>) {
    let not_found = || std::future::ready(Err::<HttpResponse, _>(Problem::NotFound));
    let v1 = web::scope("/v1")
        .app_data(verifier.clone())
        .service(endpoint("/whoami", whoami::show))
        .default_service(web::to(not_found))
        .wrap(from_fn(panics::catch))
        .wrap(from_fn(problem::describe));
    config.service(v1);
    config.app_data(store.clone());
    config.service(endpoint("/healthz", health::alive));
    config.service(endpoint("/readyz", health::ready).wrap(from_fn(problem::describe)));
}

/// An endpoint that is read.
fn endpoint<H, A>(path: &str, handler: H) -> Resource
where
    H: Handler<A>,
    A: FromRequest + 'static,
    H::Output: Responder + 'static,
{
    let refuse = || std::future::ready(Err::<HttpResponse, _>(Problem::WrongMethod("GET, HEAD")));
    web::resource(path)
        .route(web::get().to(handler.clone()))
        .route(web::method(Method::HEAD).to(handler))
        .default_service(web::to(refuse))
}
