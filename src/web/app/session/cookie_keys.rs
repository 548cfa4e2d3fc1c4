//! Lets session cookies outlive a rotation of the secrets. actix-session knows one key, which is of this process and never
//! leaves it; this middleware translates between that key and those of the keyring.

use actix_web::body::MessageBody;
use actix_web::cookie::{Cookie, CookieJar, Key, SameSite};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::secrets::Keyring;
use crate::web::app::state::AppState;

/// A cookie of the request that a key of the keyring signed.
struct Presented {
    value: String,
    /// The key is not the active one.
    is_former: bool,
}

/// Translates the session cookie of the request, and the one that the response sets. A cookie that a former key signed is
/// sent again under the active one with the next page.
pub async fn translate<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let Some(app) = request.app_data::<Data<AppState>>().cloned() else { return next.call(request).await };
    let keyring = app.actions.secrets.keyring();
    let presented = translate_request(request.headers_mut(), &app, &keyring);
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    let is_set = translate_response(headers, &app, &keyring);
    if let Some(former) = presented.filter(|presented| presented.is_former)
        && !is_set
        && is_page(headers)
    {
        let renewed = Cookie::build(app.cookie_name().to_owned(), former.value)
            .path("/")
            .http_only(true)
            .secure(app.public_url.is_https())
            .same_site(SameSite::Lax)
            .finish();
        if let Some(signed) = signed(renewed, &key_of(&keyring)) {
            headers.append(SET_COOKIE, signed);
        }
    }
    Ok(response)
}

/// The key of new cookies.
fn key_of(keyring: &Keyring) -> Key {
    Key::from(keyring.active().cookie_key())
}

fn translate_request(headers: &mut HeaderMap, app: &AppState, keyring: &Keyring) -> Option<Presented> {
    let mut presented = None;
    let mut translated = Vec::new();
    for header in headers.get_all(COOKIE) {
        let Ok(text) = header.to_str() else {
            translated.push(header.clone());
            continue;
        };
        let pairs = text.split(';').map(|pair| {
            let own = Cookie::parse_encoded(pair.trim()).ok().filter(|cookie| cookie.name() == app.cookie_name());
            let Some(found) = own.and_then(|cookie| verified_by_any(cookie, keyring)) else { return pair.to_owned() };
            let local = signed(Cookie::new(app.cookie_name().to_owned(), found.value.clone()), app.session_key());
            presented = Some(found);
            local.and_then(|value| value.to_str().ok().map(str::to_owned)).unwrap_or_else(|| pair.to_owned())
        });
        let text = pairs.collect::<Vec<_>>().join(";");
        translated.push(HeaderValue::from_str(&text).unwrap_or_else(|_| header.clone()));
    }
    if presented.is_some() {
        headers.remove(COOKIE);
        for header in translated {
            headers.append(COOKIE, header);
        }
    }
    presented
}

/// Returns whether the response sets the session cookie, or removes it.
fn translate_response(headers: &mut HeaderMap, app: &AppState, keyring: &Keyring) -> bool {
    let mut is_set = false;
    let all: Vec<HeaderValue> = headers.get_all(SET_COOKIE).cloned().collect();
    let translated: Vec<HeaderValue> = all
        .into_iter()
        .map(|header| {
            let text = header.to_str().ok().map(str::to_owned);
            let cookie = text.and_then(|text| Cookie::parse_encoded(text).ok());
            let Some(cookie) = cookie.filter(|cookie| cookie.name() == app.cookie_name()) else { return header };
            is_set = true;
            let local = verified(cookie, app.session_key());
            local.and_then(|cookie| signed(cookie, &key_of(keyring))).unwrap_or(header)
        })
        .collect();
    if is_set {
        headers.remove(SET_COOKIE);
        for header in translated {
            headers.append(SET_COOKIE, header);
        }
    }
    is_set
}

fn verified_by_any(cookie: Cookie<'_>, keyring: &Keyring) -> Option<Presented> {
    let cookie = cookie.into_owned();
    keyring.sets().enumerate().find_map(|(index, set)| {
        let verified = verified(cookie.clone(), &Key::from(set.cookie_key()))?;
        Some(Presented { value: verified.value().to_owned(), is_former: index > 0 })
    })
}

/// Returns the cookie with its plain value, if the key signed it.
fn verified(cookie: Cookie<'static>, key: &Key) -> Option<Cookie<'static>> {
    CookieJar::new().signed(key).verify(cookie)
}

/// Returns the header of the cookie, signed.
fn signed(cookie: Cookie<'static>, key: &Key) -> Option<HeaderValue> {
    let name = cookie.name().to_owned();
    let mut jar = CookieJar::new();
    jar.signed_mut(key).add(cookie);
    HeaderValue::from_str(&jar.get(&name)?.encoded().to_string()).ok()
}

/// Files that browsers share and cache must not set a cookie.
fn is_page(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|content_type| content_type.starts_with("text/html"))
}
