DROP INDEX api_keys_to_record;
DROP INDEX api_keys_by_replacement;
ALTER TABLE api_keys
    DROP COLUMN ended_at,
    DROP COLUMN refused_from,
    DROP COLUMN end_recorded,
    DROP COLUMN overlap_extended,
    DROP COLUMN overlap_ends_at,
    DROP COLUMN rotated_by,
    DROP COLUMN replaced_by,
    DROP COLUMN owner;
ALTER TABLE api_keys
    ADD COLUMN ended_at BIGINT NOT NULL GENERATED ALWAYS AS (
        least(coalesce(expires_at, 9223372036854775807), coalesce(revoked_at, 9223372036854775807))
    ) STORED,
    ADD COLUMN refused_from BIGINT NOT NULL GENERATED ALWAYS AS (
        CASE WHEN revoked_at IS NOT NULL THEN -9223372036854775807 ELSE coalesce(expires_at, 9223372036854775807) END
    ) STORED;

CREATE INDEX api_keys_by_creation ON api_keys (company_id, created_at, id, refused_from);
CREATE INDEX api_keys_by_end ON api_keys (company_id, ended_at, id, refused_from);
CREATE INDEX api_keys_by_service_account ON api_keys (company_id, service_account_id, refused_from);
ALTER TABLE companies DROP COLUMN rotation_period_days;
ALTER TABLE companies DROP COLUMN maximum_lifetime_days;
ALTER TABLE companies DROP COLUMN default_expiry_days;
