ALTER TABLE companies ADD COLUMN default_expiry_days INTEGER;
ALTER TABLE companies ADD COLUMN maximum_lifetime_days INTEGER;
ALTER TABLE companies ADD COLUMN rotation_period_days INTEGER;

-- SQLite adds no column that must have a value and refers to another table: the table is made anew.

-- replaced_by is the key that took this one's place; from overlap_ends_at on this one is revoked, by whoever rotated it,
-- whether or not anybody has written that down. end_recorded says that the trail speaks of an end that came by itself.
CREATE TABLE api_keys_with_owner_and_overlap (
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
    replaced_by TEXT,
    rotated_by TEXT,
    overlap_ends_at BIGINT,
    overlap_extended BOOLEAN NOT NULL DEFAULT FALSE,
    end_recorded BOOLEAN NOT NULL DEFAULT FALSE,
    ended_at BIGINT NOT NULL GENERATED ALWAYS AS (
        min(
            coalesce(expires_at, 9223372036854775807),
            coalesce(overlap_ends_at, 9223372036854775807),
            coalesce(revoked_at, 9223372036854775807)
        )
    ) STORED,
    refused_from BIGINT NOT NULL GENERATED ALWAYS AS (
        CASE
            WHEN revoked_at IS NOT NULL THEN -9223372036854775807
            ELSE min(coalesce(expires_at, 9223372036854775807), coalesce(overlap_ends_at, 9223372036854775807))
        END
    ) STORED,
    UNIQUE (company_id, id),
    FOREIGN KEY (company_id, service_account_id) REFERENCES service_accounts (company_id, id),
    FOREIGN KEY (company_id, created_by) REFERENCES users (company_id, id),
    FOREIGN KEY (company_id, owner) REFERENCES users (company_id, id),
    FOREIGN KEY (company_id, revoked_by) REFERENCES users (company_id, id),
    FOREIGN KEY (company_id, rotated_by) REFERENCES users (company_id, id),
    FOREIGN KEY (company_id, replaced_by) REFERENCES api_keys_with_owner_and_overlap (company_id, id),
    CHECK ((replaced_by IS NULL) = (rotated_by IS NULL)),
    CHECK (overlap_ends_at IS NULL OR replaced_by IS NOT NULL),
    CHECK ((revoked_at IS NULL) = (revoked_by_type IS NULL)),
    CHECK ((revoked_at IS NULL) = (revocation_reason IS NULL)),
    CHECK ((revoked_by IS NOT NULL) = (revoked_by_type IS NOT NULL AND revoked_by_type = 'user'))
);

INSERT INTO api_keys_with_owner_and_overlap (
    id, company_id, service_account_id, digest, pepper_id, preview, preview_folded, created_at, created_by, owner,
    expires_at, revoked_at, revoked_by_type, revoked_by, revocation_reason, revocation_comment
)
SELECT
    id, company_id, service_account_id, digest, pepper_id, preview, preview_folded, created_at, created_by, created_by,
    expires_at, revoked_at, revoked_by_type, revoked_by, revocation_reason, revocation_comment
FROM api_keys;

DROP TABLE api_keys;
ALTER TABLE api_keys_with_owner_and_overlap RENAME TO api_keys;

-- Each is in the order of a list and holds what decides whether a row is in it: no sorting, and no row is read in vain. An
-- index that begins with refused_from would look better to SQLite, and sort thousands of rows for fifty.
CREATE INDEX api_keys_by_creation ON api_keys (company_id, created_at, id, refused_from);
CREATE INDEX api_keys_by_end ON api_keys (company_id, ended_at, id, refused_from);
CREATE INDEX api_keys_by_service_account ON api_keys (company_id, service_account_id, refused_from);
CREATE INDEX api_keys_by_owner ON api_keys (company_id, owner, refused_from);
CREATE INDEX api_keys_by_replacement ON api_keys (company_id, replaced_by) WHERE replaced_by IS NOT NULL;
-- The ends that the trail does not speak of yet.
CREATE INDEX api_keys_to_record ON api_keys (ended_at) WHERE NOT end_recorded AND revoked_at IS NULL;
