ALTER TABLE users ADD COLUMN time_zone TEXT;
ALTER TABLE users ADD COLUMN theme TEXT NOT NULL DEFAULT 'system' CHECK (theme IN ('system', 'light', 'dark'));
ALTER TABLE users ADD COLUMN last_signed_in_at BIGINT;
-- Counts what ended the user's sign-ins: one that began before may not turn into a session afterwards.
ALTER TABLE users ADD COLUMN sign_in_epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE companies ADD COLUMN require_second_factor BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE sessions ADD COLUMN pending_second_factor BLOB;

-- A user may have one link that lets them choose a password; what is stored is its token's digest.
CREATE TABLE invitations (
    user_id TEXT NOT NULL PRIMARY KEY,
    company_id TEXT NOT NULL,
    token_digest BLOB NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL,
    FOREIGN KEY (company_id, user_id) REFERENCES users (company_id, id)
);

-- seed makes the authenticator's secret together with a key that is in the secrets file, not here.
CREATE TABLE second_factors (
    user_id TEXT NOT NULL PRIMARY KEY,
    company_id TEXT NOT NULL,
    seed BLOB NOT NULL,
    since BIGINT NOT NULL,
    FOREIGN KEY (company_id, user_id) REFERENCES users (company_id, id)
);

-- The periods whose code was used lately, so that no code is good twice.
CREATE TABLE used_codes (
    user_id TEXT NOT NULL REFERENCES second_factors (user_id),
    step BIGINT NOT NULL,
    PRIMARY KEY (user_id, step)
);

CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES second_factors (user_id),
    digest BLOB NOT NULL,
    PRIMARY KEY (user_id, digest)
);

-- Whoever gave a password and has yet to give a code. No session: that begins with the code.
CREATE TABLE sign_ins_awaiting_code (
    token_digest BLOB NOT NULL PRIMARY KEY,
    company_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    next TEXT,
    created_at BIGINT NOT NULL,
    FOREIGN KEY (company_id, user_id) REFERENCES users (company_id, id)
);

CREATE INDEX sign_ins_awaiting_code_by_creation ON sign_ins_awaiting_code (created_at);
CREATE INDEX sign_ins_awaiting_code_by_user ON sign_ins_awaiting_code (user_id);

-- Browsers that a user has signed in with: failed sign-ins elsewhere do not keep them out.
CREATE TABLE known_devices (
    token_digest BLOB NOT NULL PRIMARY KEY,
    company_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    FOREIGN KEY (company_id, user_id) REFERENCES users (company_id, id)
);

CREATE INDEX known_devices_by_user ON known_devices (user_id, seen_at);

-- SQLite adds no column that must have a value and refers to another table: the table is made anew.

-- ended_at is the instant of the end, whatever ends the key, for showing and sorting; for a key without an end, the end
-- of time. refused_from is what decides: a revoked key is refused at every instant, so that no clock that goes wrong or
-- differs between two servers can bring it back.
CREATE TABLE api_keys_with_owner (
    id TEXT NOT NULL PRIMARY KEY,
    company_id TEXT NOT NULL REFERENCES companies (id),
    service_account_id TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    pepper_id TEXT NOT NULL,
    preview TEXT NOT NULL,
    preview_folded TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    owner TEXT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    revoked_by_type TEXT,
    revoked_by TEXT,
    revocation_reason TEXT,
    revocation_comment TEXT,
    ended_at BIGINT NOT NULL GENERATED ALWAYS AS (
        min(coalesce(expires_at, 9223372036854775807), coalesce(revoked_at, 9223372036854775807))
    ) STORED,
    refused_from BIGINT NOT NULL GENERATED ALWAYS AS (
        CASE WHEN revoked_at IS NOT NULL THEN -9223372036854775807 ELSE coalesce(expires_at, 9223372036854775807) END
    ) STORED,
    UNIQUE (company_id, id),
    FOREIGN KEY (company_id, service_account_id) REFERENCES service_accounts (company_id, id),
    FOREIGN KEY (company_id, created_by) REFERENCES users (company_id, id),
    FOREIGN KEY (company_id, owner) REFERENCES users (company_id, id),
    FOREIGN KEY (company_id, revoked_by) REFERENCES users (company_id, id),
    CHECK ((revoked_at IS NULL) = (revoked_by_type IS NULL)),
    CHECK ((revoked_at IS NULL) = (revocation_reason IS NULL)),
    CHECK ((revoked_by IS NOT NULL) = (revoked_by_type IS NOT NULL AND revoked_by_type = 'user'))
);

INSERT INTO api_keys_with_owner (
    id, company_id, service_account_id, digest, pepper_id, preview, preview_folded, created_at, created_by, expires_at,
    revoked_at, revoked_by_type, revoked_by, revocation_reason, revocation_comment,
    owner
)
SELECT
    id, company_id, service_account_id, digest, pepper_id, preview, preview_folded, created_at, created_by, expires_at,
    revoked_at, revoked_by_type, revoked_by, revocation_reason, revocation_comment,
    created_by
FROM api_keys;

DROP TABLE api_keys;
ALTER TABLE api_keys_with_owner RENAME TO api_keys;

-- Each is in the order of a list and holds what decides whether a row is in it: no sorting, and no row is read in vain. An
-- index that begins with refused_from would look better to SQLite, and sort thousands of rows for fifty.
CREATE INDEX api_keys_by_creation ON api_keys (company_id, created_at, id, refused_from);
CREATE INDEX api_keys_by_end ON api_keys (company_id, ended_at, id, refused_from);
CREATE INDEX api_keys_by_service_account ON api_keys (company_id, service_account_id, refused_from);
CREATE INDEX api_keys_by_owner ON api_keys (company_id, owner, refused_from);
