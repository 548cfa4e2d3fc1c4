DROP TRIGGER key_counts_after_loss_of_key ON api_keys;
DROP TRIGGER key_counts_after_new_keys ON api_keys;
DROP FUNCTION count_new_keys();
CREATE TRIGGER key_counts_after_new_or_lost_key AFTER INSERT OR DELETE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION count_keys();
DROP INDEX api_keys_of_sha256;
ALTER TABLE api_keys DROP COLUMN created_by_type;
ALTER TABLE api_keys DROP COLUMN digest_kind;
