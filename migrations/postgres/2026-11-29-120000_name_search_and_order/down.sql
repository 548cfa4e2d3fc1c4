DROP TABLE name_keys;
DROP INDEX service_accounts_by_name;
ALTER TABLE users DROP COLUMN name_sort_key;
ALTER TABLE service_accounts DROP COLUMN name_sort_key;
ALTER TABLE service_accounts DROP COLUMN name_search;
