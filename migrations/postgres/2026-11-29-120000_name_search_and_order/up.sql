-- name_search is what a search compares a name with, name_sort_key its place in a list, in bytes. SQL cannot compute either:
-- the program fills both in when it starts, for the rules of name_keys.version.
ALTER TABLE service_accounts ADD COLUMN name_search TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE service_accounts ADD COLUMN name_sort_key BYTEA NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN name_sort_key BYTEA;

CREATE INDEX service_accounts_by_name ON service_accounts (company_id, name_sort_key);

CREATE TABLE name_keys (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    version TEXT NOT NULL
);

INSERT INTO name_keys (only_row, version) VALUES (1, '');
