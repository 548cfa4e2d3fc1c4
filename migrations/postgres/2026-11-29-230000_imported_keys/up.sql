-- digest_kind is what the digest was computed from under the pepper: the key, or the SHA-256 of a key, which is all that
-- was imported of it. created_by_type is the actor who created the key. If that is not a user, created_by is the user whom
-- the actor made the owner.
ALTER TABLE api_keys ADD COLUMN digest_kind TEXT NOT NULL DEFAULT 'key' CHECK (digest_kind IN ('key', 'sha256'));
ALTER TABLE api_keys ADD COLUMN created_by_type TEXT NOT NULL DEFAULT 'user';

-- Look-ups ask whether any key is stored by its SHA-256.
CREATE INDEX api_keys_of_sha256 ON api_keys (digest_kind) WHERE digest_kind = 'sha256';

-- An import adds thousands of keys in one transaction. Counting them one by one would leave as many versions of one row of
-- key_counts behind, which each further count reads again.
CREATE FUNCTION count_new_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO key_counts AS counted (company_id, stretch, keys)
    SELECT company_id, refused_from >> 39, count(*) FROM added GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (company_id, stretch) DO UPDATE SET keys = counted.keys + excluded.keys;
    RETURN NULL;
END;
$$;

DROP TRIGGER key_counts_after_new_or_lost_key ON api_keys;
CREATE TRIGGER key_counts_after_new_keys AFTER INSERT ON api_keys REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_new_keys();
CREATE TRIGGER key_counts_after_loss_of_key AFTER DELETE ON api_keys FOR EACH ROW EXECUTE FUNCTION count_keys();
