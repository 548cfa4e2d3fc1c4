ALTER TABLE companies ADD COLUMN default_expiry_days INTEGER;
ALTER TABLE companies ADD COLUMN maximum_lifetime_days INTEGER;
ALTER TABLE companies ADD COLUMN rotation_period_days INTEGER;

ALTER TABLE api_keys ADD COLUMN owner TEXT COLLATE "C";
UPDATE api_keys SET owner = created_by;
ALTER TABLE api_keys ALTER COLUMN owner SET NOT NULL;

-- replaced_by is the key that took this one's place; from overlap_ends_at on this one is revoked, by whoever rotated it,
-- whether or not anybody has written that down. end_recorded says that the trail speaks of an end that came by itself.
ALTER TABLE api_keys
    DROP COLUMN ended_at,
    DROP COLUMN refused_from,
    ADD COLUMN replaced_by TEXT COLLATE "C",
    ADD COLUMN rotated_by TEXT COLLATE "C",
    ADD COLUMN overlap_ends_at BIGINT,
    ADD COLUMN overlap_extended BOOLEAN NOT NULL DEFAULT FALSE,
    ADD COLUMN end_recorded BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE api_keys
    ADD COLUMN ended_at BIGINT NOT NULL GENERATED ALWAYS AS (
        least(
            coalesce(expires_at, 9223372036854775807),
            coalesce(overlap_ends_at, 9223372036854775807),
            coalesce(revoked_at, 9223372036854775807)
        )
    ) STORED,
    ADD COLUMN refused_from BIGINT NOT NULL GENERATED ALWAYS AS (
        CASE
            WHEN revoked_at IS NOT NULL THEN -9223372036854775807
            ELSE least(coalesce(expires_at, 9223372036854775807), coalesce(overlap_ends_at, 9223372036854775807))
        END
    ) STORED,
    ADD FOREIGN KEY (company_id, owner) REFERENCES users (company_id, id),
    ADD FOREIGN KEY (company_id, rotated_by) REFERENCES users (company_id, id),
    ADD FOREIGN KEY (company_id, replaced_by) REFERENCES api_keys (company_id, id),
    ADD CHECK ((replaced_by IS NULL) = (rotated_by IS NULL)),
    ADD CHECK (overlap_ends_at IS NULL OR replaced_by IS NOT NULL);

CREATE INDEX api_keys_by_creation ON api_keys (company_id, created_at, id, refused_from);
CREATE INDEX api_keys_by_end ON api_keys (company_id, ended_at, id, refused_from);
CREATE INDEX api_keys_by_service_account ON api_keys (company_id, service_account_id, refused_from);
CREATE INDEX api_keys_by_owner ON api_keys (company_id, owner, refused_from);
CREATE INDEX api_keys_by_replacement ON api_keys (company_id, replaced_by) WHERE replaced_by IS NOT NULL;
-- The ends that the trail does not speak of yet.
CREATE INDEX api_keys_to_record ON api_keys (ended_at) WHERE NOT end_recorded AND revoked_at IS NULL;
