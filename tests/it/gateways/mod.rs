//! Runs nginx, Caddy, HAProxy, Envoy and Traefik with the files in `deploy/`, between a client and a platform.

mod client;
mod fake_upstream;
mod forwarding;
mod hostile;
mod message;
mod outages;
pub mod process;
mod refusals;

/// Tests a gateway against every promise in `deploy/README.md`. The second list judges Keydesk, too, and runs on both
/// databases; the first one runs on SQLite.
macro_rules! promises_of {
    ($gateway:ident: $($module:ident :: $promise:ident),+; $($both_module:ident :: $both:ident),+) => {
        mod $gateway {
            $(
                #[test]
                fn $promise() {
                    if crate::support::database::postgres().is_none() {
                        super::$module::$promise(super::process::$gateway);
                    }
                }
            )+
            $(
                #[test]
                fn $both() {
                    super::$both_module::$both(super::process::$gateway);
                }
            )+
        }
    };
}

macro_rules! promises_of_each {
    ($($gateway:ident),+) => {
        $(
            promises_of! {
                $gateway:
                forwarding::a_valid_key_passes_with_identity_headers,
                forwarding::forged_headers_change_nothing,
                forwarding::usage_records_the_address_of_the_client,
                forwarding::a_body_arrives_complete,
                forwarding::keydesk_receives_only_the_key,
                hostile::no_hostile_request_passes,
                hostile::an_open_websocket_outlives_its_key,
                refusals::an_invalid_key_never_reaches_the_platform,
                refusals::a_refusal_keeps_the_connection_to_keydesk,
                refusals::two_authorization_headers_are_refused,
                outages::nothing_passes_while_keydesk_is_stopped_or_frozen,
                outages::an_unexpected_answer_of_keydesk_is_a_refusal,
                outages::a_slow_keydesk_is_a_refusal;
                refusals::a_revoked_key_is_refused_at_the_next_request,
                outages::nothing_passes_while_keydesk_has_no_database
            }
        )+
    };
}

promises_of_each!(nginx, caddy, older_caddy, haproxy, envoy, traefik);
