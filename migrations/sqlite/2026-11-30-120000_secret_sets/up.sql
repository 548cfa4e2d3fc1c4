-- The sets of secrets in the secrets file. The secrets of a set are added, activated and retired together; its id is that of
-- its pepper. A set is activated once every running server has it.
CREATE TABLE secret_sets (
    id TEXT NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL,
    activated_at BIGINT,
    retired_at BIGINT
);

INSERT INTO secret_sets (id, created_at, activated_at) SELECT pepper_id, created_at, created_at FROM installation;
UPDATE secret_checks SET id = (SELECT pepper_id FROM installation) WHERE id = '1';

-- The running servers, and the ids of the sets in their files, separated by spaces.
CREATE TABLE secret_servers (
    id TEXT NOT NULL PRIMARY KEY,
    set_ids TEXT NOT NULL,
    seen_at BIGINT NOT NULL
);

-- The set whose keys belong to a second factor. The secret of an authenticator is what that key derives from the seed,
-- combined with the mask, so that another set can take over a secret that stays the same.
ALTER TABLE second_factors ADD COLUMN set_id TEXT NOT NULL DEFAULT '';
ALTER TABLE second_factors ADD COLUMN mask BLOB;
ALTER TABLE recovery_codes ADD COLUMN set_id TEXT NOT NULL DEFAULT '';
UPDATE second_factors SET set_id = (SELECT pepper_id FROM installation);
UPDATE recovery_codes SET set_id = (SELECT pepper_id FROM installation);

-- A digest that is renewed under another pepper leaves every answer as it is: the cached keys stay. These are all columns
-- but the digest and its pepper.
DROP TRIGGER key_epoch_after_change_of_key;
CREATE TRIGGER key_epoch_after_change_of_key AFTER UPDATE OF
    id, company_id, service_account_id, preview, preview_folded, created_at, created_by, owner, expires_at, revoked_at,
    revoked_by_type, revoked_by, revocation_reason, revocation_comment, replaced_by, rotated_by, overlap_ends_at,
    overlap_extended, end_recorded, version, digest_kind, created_by_type
ON api_keys BEGIN
    UPDATE key_epoch SET epoch = epoch + 1;
END;

-- A digest that changes under the same pepper is that of another key.
CREATE TRIGGER key_epoch_after_exchanged_digest AFTER UPDATE OF digest ON api_keys
WHEN OLD.digest <> NEW.digest AND OLD.pepper_id = NEW.pepper_id BEGIN
    UPDATE key_epoch SET epoch = epoch + 1;
END;
