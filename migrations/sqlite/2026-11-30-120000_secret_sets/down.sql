DROP TRIGGER key_epoch_after_exchanged_digest;
DROP TRIGGER key_epoch_after_change_of_key;
CREATE TRIGGER key_epoch_after_change_of_key AFTER UPDATE ON api_keys BEGIN
    UPDATE key_epoch SET epoch = epoch + 1;
END;
ALTER TABLE recovery_codes DROP COLUMN set_id;
ALTER TABLE second_factors DROP COLUMN mask;
ALTER TABLE second_factors DROP COLUMN set_id;
DROP TABLE secret_servers;
DELETE FROM secret_checks WHERE id <> (SELECT pepper_id FROM installation);
UPDATE secret_checks SET id = '1' WHERE name <> 'pepper';
DROP TABLE secret_sets;
