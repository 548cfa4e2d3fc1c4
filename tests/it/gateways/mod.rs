//! nginx, Caddy and HAProxy as they are, with the files of `deploy/` as they are, between a client and a small platform.

mod client;
mod message;
mod outages;
mod passing;
mod process;
mod refusals;
mod stand_in;

/// Holds a gateway to every promise that `deploy/README.md` makes for it.
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
                passing::a_good_key_passes_and_the_platform_learns_whose_it_is,
                passing::what_a_client_claims_changes_nothing,
                passing::a_key_was_last_used_from_the_address_of_the_client,
                passing::a_body_arrives_whole,
                passing::keydesk_is_asked_about_the_key_and_told_nothing_else,
                refusals::a_key_that_is_not_good_never_reaches_the_platform,
                refusals::a_revoked_key_is_refused_at_the_very_next_request,
                refusals::a_refusal_costs_no_connection_to_keydesk,
                refusals::two_authorization_headers_are_refused,
                outages::nothing_passes_while_keydesk_is_stopped,
                outages::nothing_passes_while_keydesk_has_no_database,
                outages::what_is_not_the_yes_of_keydesk_is_a_no,
                outages::a_slow_keydesk_is_not_waited_for,
            }
        )+
    };
}

promises_of_each!(nginx, caddy, haproxy);
