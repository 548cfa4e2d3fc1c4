// @generated automatically by Diesel CLI.

diesel::table! {
    api_keys (id) {
        id -> Text,
        company_id -> Text,
        service_account_id -> Text,
        digest -> Binary,
        pepper_id -> Text,
        preview -> Text,
        preview_folded -> Text,
        created_at -> BigInt,
        created_by -> Text,
        owner -> Text,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        revoked_by_type -> Nullable<Text>,
        revoked_by -> Nullable<Text>,
        revocation_reason -> Nullable<Text>,
        revocation_comment -> Nullable<Text>,
        replaced_by -> Nullable<Text>,
        rotated_by -> Nullable<Text>,
        overlap_ends_at -> Nullable<BigInt>,
        overlap_extended -> Bool,
        end_recorded -> Bool,
        ended_at -> BigInt,
        refused_from -> BigInt,
        version -> BigInt,
        digest_kind -> Text,
        created_by_type -> Text,
    }
}

diesel::table! {
    assessment_queue (id) {
        id -> Text,
        company_id -> Text,
        key_id -> Text,
    }
}

diesel::table! {
    audit_trail_hours (trail_id, hour) {
        trail_id -> Text,
        hour -> BigInt,
        first_sequence -> BigInt,
        last_sequence -> BigInt,
    }
}

diesel::table! {
    audit_trails (id) {
        id -> Text,
        size -> BigInt,
        frontier -> Binary,
        checkpoint -> Text,
    }
}

diesel::table! {
    checkpoint_key_changes (trail_id, ordinal) {
        trail_id -> Text,
        ordinal -> BigInt,
        note -> Text,
    }
}

diesel::table! {
    checkpoint_witnesses (trail_id, witness) {
        trail_id -> Text,
        witness -> Text,
        size -> BigInt,
        checkpoint -> Text,
        witnessed_at -> BigInt,
    }
}

diesel::table! {
    companies (id) {
        id -> Text,
        name -> Text,
        name_folded -> Text,
        created_at -> BigInt,
        require_second_factor -> Bool,
        default_expiry_days -> Nullable<Integer>,
        maximum_lifetime_days -> Nullable<Integer>,
        rotation_period_days -> Nullable<Integer>,
        version -> BigInt,
        default_expiry_reason -> Nullable<Text>,
        maximum_lifetime_reason -> Nullable<Text>,
        rotation_period_reason -> Nullable<Text>,
        idle_end_days -> Nullable<Integer>,
        idle_end_reason -> Nullable<Text>,
    }
}

diesel::table! {
    events (trail_id, sequence) {
        trail_id -> Text,
        sequence -> BigInt,
        id -> Text,
        at -> BigInt,
        action -> Text,
        actor_type -> Text,
        actor_id -> Nullable<Text>,
        key_id -> Nullable<Text>,
        target_type -> Text,
        target_id -> Text,
        before_json -> Nullable<Text>,
        after_json -> Nullable<Text>,
        reason -> Nullable<Text>,
        comment -> Nullable<Text>,
        client_address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        request_id -> Nullable<Text>,
        leaf_hash -> Binary,
        about_keys -> Integer,
    }
}

diesel::table! {
    gateways (id) {
        id -> Text,
        name -> Text,
        name_folded -> Text,
        credential_digest -> Binary,
        created_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    installation (id) {
        id -> Text,
        created_at -> BigInt,
        checkpoint_key -> Binary,
        pepper_id -> Text,
        only_row -> Integer,
    }
}

diesel::table! {
    invitations (user_id) {
        user_id -> Text,
        company_id -> Text,
        token_digest -> Binary,
        expires_at -> BigInt,
        created_by_type -> Nullable<Text>,
        created_by -> Nullable<Text>,
    }
}

diesel::table! {
    key_assessments (key_id) {
        key_id -> Text,
        company_id -> Text,
        findings -> BigInt,
        due_at -> BigInt,
    }
}

diesel::table! {
    key_clients (key_id, address, client) {
        key_id -> Text,
        address -> Text,
        client -> Text,
        last_seen_at -> BigInt,
    }
}

diesel::table! {
    key_counts (company_id, stretch) {
        company_id -> Text,
        stretch -> BigInt,
        keys -> BigInt,
    }
}

diesel::table! {
    key_epoch (only_row) {
        only_row -> Integer,
        epoch -> BigInt,
    }
}

diesel::table! {
    key_prefixes (prefix) {
        prefix -> Text,
    }
}

diesel::table! {
    key_usage (key_id) {
        key_id -> Text,
        company_id -> Text,
        last_used_at -> BigInt,
        last_used_address -> Nullable<Text>,
        last_used_client -> Nullable<Text>,
        refused_since -> Nullable<BigInt>,
        accepted_after_end -> BigInt,
        refused_after_end -> BigInt,
        first_refused_at -> Nullable<BigInt>,
        last_refused_at -> Nullable<BigInt>,
        last_refused_address -> Nullable<Text>,
        last_refused_client -> Nullable<Text>,
        last_refused_request -> Nullable<Text>,
        unreported_refusals -> BigInt,
        report_due_at -> BigInt,
    }
}

diesel::table! {
    key_usage_hours (key_id, hour) {
        key_id -> Text,
        hour -> BigInt,
        accepted -> BigInt,
        refused -> BigInt,
    }
}

diesel::table! {
    known_devices (token_digest) {
        token_digest -> Binary,
        company_id -> Text,
        user_id -> Text,
        seen_at -> BigInt,
    }
}

diesel::table! {
    name_keys (only_row) {
        only_row -> Integer,
        version -> Text,
    }
}

diesel::table! {
    practice_days (company_id, day) {
        company_id -> Text,
        day -> BigInt,
        active_keys -> BigInt,
        keys_with_findings -> BigInt,
    }
}

diesel::table! {
    practice_summaries (company_id) {
        company_id -> Text,
        summary -> Text,
    }
}

diesel::table! {
    recovery_codes (user_id, digest) {
        user_id -> Text,
        digest -> Binary,
        set_id -> Text,
    }
}

diesel::table! {
    refused_sign_ins (subject, refused_at) {
        subject -> Binary,
        refused_at -> BigInt,
        company_id -> Nullable<Text>,
        user_id -> Nullable<Text>,
        refusals -> BigInt,
        client_address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        request_id -> Nullable<Text>,
    }
}

diesel::table! {
    second_factors (user_id) {
        user_id -> Text,
        company_id -> Text,
        seed -> Binary,
        since -> BigInt,
        set_id -> Text,
        mask -> Nullable<Binary>,
    }
}

diesel::table! {
    secret_checks (name, id) {
        name -> Text,
        id -> Text,
        value -> Binary,
    }
}

diesel::table! {
    secret_servers (id) {
        id -> Text,
        set_ids -> Text,
        seen_at -> BigInt,
    }
}

diesel::table! {
    secret_sets (id) {
        id -> Text,
        created_at -> BigInt,
        activated_at -> Nullable<BigInt>,
        retired_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    service_accounts (id) {
        id -> Text,
        company_id -> Text,
        name -> Text,
        name_folded -> Text,
        created_at -> BigInt,
        version -> BigInt,
        name_search -> Text,
        name_sort_key -> Binary,
        purpose -> Text,
        department -> Text,
        contact -> Text,
        purpose_search -> Text,
    }
}

diesel::table! {
    setup_links (token_digest) {
        token_digest -> Binary,
        renewed_at -> BigInt,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        token_digest -> Binary,
        company_id -> Text,
        user_id -> Text,
        created_at -> BigInt,
        last_seen_at -> BigInt,
        client_address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        pending_second_factor -> Nullable<Binary>,
    }
}

diesel::table! {
    sign_in_failures (subject) {
        subject -> Binary,
        failures -> BigInt,
        first_at -> BigInt,
        last_at -> BigInt,
        unreported -> BigInt,
        reported_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    sign_ins_awaiting_code (token_digest) {
        token_digest -> Binary,
        company_id -> Text,
        user_id -> Text,
        epoch -> BigInt,
        next -> Nullable<Text>,
        created_at -> BigInt,
    }
}

diesel::table! {
    submissions (id) {
        id -> Binary,
        used_at -> BigInt,
    }
}

diesel::table! {
    used_codes (user_id, step) {
        user_id -> Text,
        step -> BigInt,
    }
}

diesel::table! {
    users (id) {
        id -> Text,
        company_id -> Text,
        role -> Text,
        name -> Nullable<Text>,
        email -> Nullable<Text>,
        email_folded -> Nullable<Text>,
        password_hash -> Nullable<Text>,
        created_at -> BigInt,
        deleted_at -> Nullable<BigInt>,
        time_zone -> Nullable<Text>,
        theme -> Text,
        last_signed_in_at -> Nullable<BigInt>,
        sign_in_epoch -> BigInt,
        role_version -> BigInt,
        profile_version -> BigInt,
        name_sort_key -> Nullable<Binary>,
        name_search -> Nullable<Text>,
    }
}

diesel::joinable!(api_keys -> companies (company_id));
diesel::joinable!(audit_trail_hours -> audit_trails (trail_id));
diesel::joinable!(checkpoint_key_changes -> audit_trails (trail_id));
diesel::joinable!(checkpoint_witnesses -> audit_trails (trail_id));
diesel::joinable!(companies -> audit_trails (id));
diesel::joinable!(events -> audit_trails (trail_id));
diesel::joinable!(installation -> audit_trails (id));
diesel::joinable!(key_clients -> api_keys (key_id));
diesel::joinable!(key_counts -> companies (company_id));
diesel::joinable!(key_usage_hours -> api_keys (key_id));
diesel::joinable!(practice_days -> companies (company_id));
diesel::joinable!(practice_summaries -> companies (company_id));
diesel::joinable!(recovery_codes -> second_factors (user_id));
diesel::joinable!(service_accounts -> companies (company_id));
diesel::joinable!(used_codes -> second_factors (user_id));
diesel::joinable!(users -> companies (company_id));

diesel::allow_tables_to_appear_in_same_query!(
    api_keys,
    assessment_queue,
    audit_trail_hours,
    audit_trails,
    checkpoint_key_changes,
    checkpoint_witnesses,
    companies,
    events,
    gateways,
    installation,
    invitations,
    key_assessments,
    key_clients,
    key_counts,
    key_epoch,
    key_prefixes,
    key_usage,
    key_usage_hours,
    known_devices,
    name_keys,
    practice_days,
    practice_summaries,
    recovery_codes,
    refused_sign_ins,
    second_factors,
    secret_checks,
    secret_servers,
    secret_sets,
    service_accounts,
    sessions,
    setup_links,
    sign_in_failures,
    sign_ins_awaiting_code,
    submissions,
    used_codes,
    users,
);
