-- Columns that are compared or sorted collate as bytes, as they do on SQLite.
-- Instants are UTC microseconds since 1970. Ids are opaque. Folded columns hold what is compared, searched and sorted.

CREATE TABLE audit_trails (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL,
    frontier BYTEA NOT NULL,
    checkpoint TEXT NOT NULL
);

CREATE TABLE installation (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES audit_trails (id),
    created_at BIGINT NOT NULL,
    checkpoint_key BYTEA NOT NULL,
    pepper_id TEXT NOT NULL,
    only_row INTEGER NOT NULL DEFAULT 1 UNIQUE CHECK (only_row = 1)
);

CREATE TABLE companies (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES audit_trails (id),
    name TEXT NOT NULL,
    name_folded TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

-- A deleted user keeps the row and the id; everything that says who it was is NULL then.
CREATE TABLE users (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    company_id TEXT COLLATE "C" NOT NULL REFERENCES companies (id),
    role TEXT NOT NULL CHECK (role IN ('admin', 'auditor')),
    name TEXT,
    email TEXT,
    email_folded TEXT COLLATE "C" UNIQUE,
    password_hash TEXT,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    UNIQUE (company_id, id),
    CHECK ((deleted_at IS NULL) = (name IS NOT NULL AND email IS NOT NULL AND email_folded IS NOT NULL))
);

CREATE TABLE service_accounts (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    company_id TEXT COLLATE "C" NOT NULL REFERENCES companies (id),
    name TEXT NOT NULL,
    name_folded TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (company_id, id),
    UNIQUE (company_id, name_folded)
);

-- ended_at is the instant of the end, whatever ends the key, for showing and sorting; for a key without an end, the end
-- of time. refused_from is what decides: a revoked key is refused at every instant, so that no clock that goes wrong or
-- differs between two servers can bring it back.
CREATE TABLE api_keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    company_id TEXT COLLATE "C" NOT NULL REFERENCES companies (id),
    service_account_id TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL UNIQUE,
    pepper_id TEXT NOT NULL,
    preview TEXT NOT NULL,
    preview_folded TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    revoked_by_type TEXT,
    revoked_by TEXT COLLATE "C",
    revocation_reason TEXT,
    revocation_comment TEXT,
    ended_at BIGINT NOT NULL GENERATED ALWAYS AS (
        least(coalesce(expires_at, 9223372036854775807), coalesce(revoked_at, 9223372036854775807))
    ) STORED,
    refused_from BIGINT NOT NULL GENERATED ALWAYS AS (
        CASE WHEN revoked_at IS NOT NULL THEN -9223372036854775807 ELSE coalesce(expires_at, 9223372036854775807) END
    ) STORED,
    UNIQUE (company_id, id),
    FOREIGN KEY (company_id, service_account_id) REFERENCES service_accounts (company_id, id),
    FOREIGN KEY (company_id, created_by) REFERENCES users (company_id, id),
    FOREIGN KEY (company_id, revoked_by) REFERENCES users (company_id, id),
    CHECK ((revoked_at IS NULL) = (revoked_by_type IS NULL)),
    CHECK ((revoked_at IS NULL) = (revocation_reason IS NULL)),
    CHECK ((revoked_by IS NOT NULL) = (revoked_by_type IS NOT NULL AND revoked_by_type = 'user'))
);

-- Each is in the order of a list and holds what decides whether a row is in it: no sorting, and no row is read in vain. An
-- index that begins with refused_from would look better to SQLite, and sort thousands of rows for fifty.
CREATE INDEX api_keys_by_creation ON api_keys (company_id, created_at, id, refused_from);
CREATE INDEX api_keys_by_end ON api_keys (company_id, ended_at, id, refused_from);
CREATE INDEX api_keys_by_service_account ON api_keys (company_id, service_account_id, refused_from);

CREATE TABLE submissions (
    id BYTEA NOT NULL PRIMARY KEY,
    used_at BIGINT NOT NULL
);

CREATE INDEX submissions_by_use ON submissions (used_at);

CREATE TABLE sessions (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    token_digest BYTEA NOT NULL UNIQUE,
    company_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    client_address TEXT,
    user_agent TEXT,
    FOREIGN KEY (company_id, user_id) REFERENCES users (company_id, id)
);

CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_last_seen ON sessions (last_seen_at);

-- subject is a keyed digest of an e-mail address or of a client's address: strangers' addresses are not kept.
CREATE TABLE sign_in_failures (
    subject BYTEA NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    unreported BIGINT NOT NULL,
    reported_at BIGINT
);

CREATE INDEX sign_in_failures_by_last ON sign_in_failures (last_at);

CREATE TABLE events (
    trail_id TEXT COLLATE "C" NOT NULL REFERENCES audit_trails (id),
    sequence BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    at BIGINT NOT NULL,
    action TEXT NOT NULL,
    actor_type TEXT NOT NULL,
    actor_id TEXT COLLATE "C",
    key_id TEXT COLLATE "C",
    target_type TEXT NOT NULL,
    target_id TEXT COLLATE "C" NOT NULL,
    before_json TEXT,
    after_json TEXT,
    reason TEXT,
    comment TEXT,
    client_address TEXT,
    user_agent TEXT,
    request_id TEXT,
    leaf_hash BYTEA NOT NULL,
    about_keys INTEGER NOT NULL GENERATED ALWAYS AS (
        CASE WHEN action LIKE 'api\_key.%' ESCAPE '\' OR action = 'user.deleted' THEN 1 ELSE 0 END
    ) STORED,
    PRIMARY KEY (trail_id, sequence)
);

CREATE INDEX events_about_keys ON events (trail_id, about_keys, sequence);
CREATE INDEX events_by_key ON events (trail_id, key_id, sequence);

CREATE FUNCTION refuse_to_change_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events of the audit trail are never changed or deleted';
END;
$$;

CREATE TRIGGER events_are_not_changed BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION refuse_to_change_events();

CREATE TRIGGER events_are_not_truncated BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_events();
