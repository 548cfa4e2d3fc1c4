//! Runs nginx, Caddy and HAProxy with the files in `deploy/`, between a client and a fake platform.

mod client;
mod fake_upstream;
mod forwarding;
mod message;
mod outages;
mod process;
mod refusals;

/// Tests a gateway against every promise in `deploy/README.md`.
macro_rules! promises_of {
    ($gateway:ident: $($module:ident :: $promise:ident),+ $(,)?) => {
        mod $gateway {
            $(
                #[test]
                fn $promise() {
                    super::$module::$promise(super::process::$gateway);
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
                refusals::an_invalid_key_never_reaches_the_platform,
                refusals::a_revoked_key_is_refused_at_the_next_request,
                refusals::a_refusal_keeps_the_connection_to_keydesk,
                refusals::two_authorization_headers_are_refused,
                outages::nothing_passes_while_keydesk_is_stopped,
                outages::nothing_passes_while_keydesk_has_no_database,
                outages::an_unexpected_answer_of_keydesk_is_a_refusal,
                outages::a_slow_keydesk_is_a_refusal,
            }
        )+
    };
}

promises_of_each!(nginx, caddy, haproxy);
