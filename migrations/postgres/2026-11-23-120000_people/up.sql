ALTER TABLE users ADD COLUMN time_zone TEXT;
ALTER TABLE users ADD COLUMN theme TEXT NOT NULL DEFAULT 'system' CHECK (theme IN ('system', 'light', 'dark'));
ALTER TABLE users ADD COLUMN last_signed_in_at BIGINT;
-- Counts what ended the user's sign-ins: one that began before may not turn into a session afterwards.
ALTER TABLE users ADD COLUMN sign_in_epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE companies ADD COLUMN require_second_factor BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE users ALTER COLUMN name TYPE TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN pending_second_factor BYTEA;

-- A user may have one link that lets them choose a password; what is stored is its token's digest.
CREATE TABLE invitations (
    user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    company_id TEXT COLLATE "C" NOT NULL,
    token_digest BYTEA NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL,
    FOREIGN KEY (company_id, user_id) REFERENCES users (company_id, id)
);

-- seed makes the authenticator's secret together with a key that is in the secrets file, not here.
CREATE TABLE second_factors (
    user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    company_id TEXT COLLATE "C" NOT NULL,
    seed BYTEA NOT NULL,
    since BIGINT NOT NULL,
    FOREIGN KEY (company_id, user_id) REFERENCES users (company_id, id)
);

-- The periods whose code was used lately, so that no code is good twice.
CREATE TABLE used_codes (
    user_id TEXT COLLATE "C" NOT NULL REFERENCES second_factors (user_id),
    step BIGINT NOT NULL,
    PRIMARY KEY (user_id, step)
);

CREATE TABLE recovery_codes (
    user_id TEXT COLLATE "C" NOT NULL REFERENCES second_factors (user_id),
    digest BYTEA NOT NULL,
    PRIMARY KEY (user_id, digest)
);

-- Whoever gave a password and has yet to give a code. No session: that begins with the code.
CREATE TABLE sign_ins_awaiting_code (
    token_digest BYTEA NOT NULL PRIMARY KEY,
    company_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    epoch BIGINT NOT NULL,
    next TEXT,
    created_at BIGINT NOT NULL,
    FOREIGN KEY (company_id, user_id) REFERENCES users (company_id, id)
);

CREATE INDEX sign_ins_awaiting_code_by_creation ON sign_ins_awaiting_code (created_at);
CREATE INDEX sign_ins_awaiting_code_by_user ON sign_ins_awaiting_code (user_id);

-- Browsers that a user has signed in with: failed sign-ins elsewhere do not keep them out.
CREATE TABLE known_devices (
    token_digest BYTEA NOT NULL PRIMARY KEY,
    company_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    seen_at BIGINT NOT NULL,
    FOREIGN KEY (company_id, user_id) REFERENCES users (company_id, id)
);

CREATE INDEX known_devices_by_user ON known_devices (user_id, seen_at);
