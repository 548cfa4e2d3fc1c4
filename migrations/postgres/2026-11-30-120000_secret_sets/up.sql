-- The sets of secrets in the secrets file. The secrets of a set are added, activated and retired together; its id is that of
-- its pepper. A set is activated once every running server has it.
CREATE TABLE secret_sets (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL,
    activated_at BIGINT,
    retired_at BIGINT
);

INSERT INTO secret_sets (id, created_at, activated_at) SELECT pepper_id, created_at, created_at FROM installation;
UPDATE secret_checks SET id = (SELECT pepper_id FROM installation) WHERE id = '1';

-- The running servers, and the ids of the sets in their files, separated by spaces.
CREATE TABLE secret_servers (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    set_ids TEXT NOT NULL,
    seen_at BIGINT NOT NULL
);

-- The set whose keys belong to a second factor. The secret of an authenticator is what that key derives from the seed,
-- combined with the mask, so that another set can take over a secret that stays the same.
ALTER TABLE second_factors ADD COLUMN set_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE second_factors ADD COLUMN mask BYTEA;
ALTER TABLE recovery_codes ADD COLUMN set_id TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE second_factors SET set_id = (SELECT pepper_id FROM installation);
UPDATE recovery_codes SET set_id = (SELECT pepper_id FROM installation);
