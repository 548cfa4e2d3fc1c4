-- digest_kind is what the digest was computed from under the pepper: the key, or the SHA-256 of a key, which is all that
-- was imported of it. created_by_type is the actor who created the key. If that is not a user, created_by is the user whom
-- the actor made the owner.
ALTER TABLE api_keys ADD COLUMN digest_kind TEXT NOT NULL DEFAULT 'key' CHECK (digest_kind IN ('key', 'sha256'));
ALTER TABLE api_keys ADD COLUMN created_by_type TEXT NOT NULL DEFAULT 'user';

-- Look-ups ask whether any key is stored by its SHA-256.
CREATE INDEX api_keys_of_sha256 ON api_keys (digest_kind) WHERE digest_kind = 'sha256';

-- A key that is cached under its own digest may now have a second row under its SHA-256, which can refuse it.
CREATE TRIGGER key_epoch_after_imported_digest AFTER INSERT ON api_keys WHEN NEW.digest_kind <> 'key' BEGIN
    UPDATE key_epoch SET epoch = epoch + 1;
END;
