DROP TRIGGER key_epoch_after_imported_digest;
ALTER TABLE api_keys DROP COLUMN created_by_type;
ALTER TABLE api_keys DROP COLUMN digest_kind;
