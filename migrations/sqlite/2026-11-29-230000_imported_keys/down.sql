DROP TRIGGER key_epoch_after_imported_digest;
DROP INDEX api_keys_of_sha256;
ALTER TABLE api_keys DROP COLUMN created_by_type;
ALTER TABLE api_keys DROP COLUMN digest_kind;
