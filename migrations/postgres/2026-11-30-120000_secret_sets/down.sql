ALTER TABLE recovery_codes DROP COLUMN set_id;
ALTER TABLE second_factors DROP COLUMN mask;
ALTER TABLE second_factors DROP COLUMN set_id;
DROP TABLE secret_servers;
DELETE FROM secret_checks WHERE id <> (SELECT pepper_id FROM installation);
UPDATE secret_checks SET id = '1' WHERE name <> 'pepper';
DROP TABLE secret_sets;
