-- A gateway asks about keys of the whole installation. A revoked one keeps its row; its name is free.
CREATE TABLE gateways (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    credential_digest BLOB NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE UNIQUE INDEX gateways_by_name ON gateways (name_folded) WHERE revoked_at IS NULL;

-- What is known of a key's use, beside the key's row so that writing it down touches nothing that decides. One row for
-- each key; last_used_at is 0 for one that was never used, so that an index sorts them all. refused_since is an instant
-- at which the key's revocation had been acknowledged: whatever arrives later must have been refused.
CREATE TABLE key_usage (
    key_id TEXT NOT NULL PRIMARY KEY,
    company_id TEXT NOT NULL,
    last_used_at BIGINT NOT NULL DEFAULT 0,
    last_used_address TEXT,
    last_used_client TEXT,
    refused_since BIGINT,
    accepted_after_end BIGINT NOT NULL DEFAULT 0,
    refused_after_end BIGINT NOT NULL DEFAULT 0,
    first_refused_at BIGINT,
    last_refused_at BIGINT,
    last_refused_address TEXT,
    last_refused_client TEXT,
    last_refused_request TEXT,
    unreported_refusals BIGINT NOT NULL DEFAULT 0,
    report_due_at BIGINT NOT NULL DEFAULT 0,
    FOREIGN KEY (company_id, key_id) REFERENCES api_keys (company_id, id)
);

INSERT INTO key_usage (key_id, company_id, refused_since) SELECT id, company_id, revoked_at FROM api_keys;

CREATE INDEX key_usage_by_last_use ON key_usage (company_id, last_used_at, key_id);
CREATE INDEX key_usage_to_report ON key_usage (report_due_at) WHERE unreported_refusals > 0;

-- hour counts hours since 1970.
CREATE TABLE key_usage_hours (
    key_id TEXT NOT NULL REFERENCES api_keys (id),
    hour BIGINT NOT NULL,
    accepted BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    PRIMARY KEY (key_id, hour)
) WITHOUT ROWID;

CREATE INDEX key_usage_hours_by_hour ON key_usage_hours (hour);

-- Where a key was used from lately, and by which programs; a few rows for each key.
CREATE TABLE key_clients (
    key_id TEXT NOT NULL REFERENCES api_keys (id),
    address TEXT NOT NULL,
    client TEXT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    PRIMARY KEY (key_id, address, client)
) WITHOUT ROWID;

-- Counts whatever changes an answer about a key that somebody may remember. A new key changes none: unknown ones are not
-- remembered. PostgreSQL has no such table, as there nobody remembers keys.
CREATE TABLE key_epoch (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    epoch BIGINT NOT NULL
);

INSERT INTO key_epoch (only_row, epoch) VALUES (1, 0);

CREATE TRIGGER key_epoch_after_change_of_key AFTER UPDATE ON api_keys BEGIN
    UPDATE key_epoch SET epoch = epoch + 1;
END;

CREATE TRIGGER key_epoch_after_loss_of_key AFTER DELETE ON api_keys BEGIN
    UPDATE key_epoch SET epoch = epoch + 1;
END;

CREATE TRIGGER key_epoch_after_change_of_service_account AFTER UPDATE ON service_accounts BEGIN
    UPDATE key_epoch SET epoch = epoch + 1;
END;

CREATE TRIGGER key_epoch_after_change_of_company AFTER UPDATE OF name ON companies BEGIN
    UPDATE key_epoch SET epoch = epoch + 1;
END;
