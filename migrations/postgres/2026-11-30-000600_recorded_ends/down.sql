DROP TRIGGER key_counts_after_change_of_key ON api_keys;
ALTER TABLE api_keys DROP COLUMN refused_from;
ALTER TABLE api_keys ADD COLUMN refused_from BIGINT NOT NULL GENERATED ALWAYS AS (
    CASE
        WHEN revoked_at IS NOT NULL THEN -9223372036854775807
        ELSE least(coalesce(expires_at, 9223372036854775807), coalesce(overlap_ends_at, 9223372036854775807))
    END
) STORED;

CREATE INDEX api_keys_by_creation ON api_keys (company_id, created_at, id, refused_from);
CREATE INDEX api_keys_by_end ON api_keys (company_id, ended_at, id, refused_from);
CREATE INDEX api_keys_by_service_account ON api_keys (company_id, service_account_id, refused_from);
CREATE INDEX api_keys_by_owner ON api_keys (company_id, owner, refused_from);

CREATE TRIGGER key_counts_after_change_of_key AFTER UPDATE ON api_keys
    FOR EACH ROW WHEN (OLD.refused_from <> NEW.refused_from OR OLD.company_id <> NEW.company_id)
    EXECUTE FUNCTION count_keys();

DELETE FROM key_counts;
INSERT INTO key_counts (company_id, stretch, keys)
SELECT company_id, refused_from >> 39, count(*)
FROM api_keys
GROUP BY 1, 2;
