DROP TRIGGER key_epoch_before_replaced_key;
DROP TRIGGER key_counts_after_new_key;
DROP TRIGGER key_counts_after_change_of_key;
DROP TRIGGER key_counts_after_loss_of_key;
DROP INDEX api_keys_by_creation;
DROP INDEX api_keys_by_end;
DROP INDEX api_keys_by_service_account;
DROP INDEX api_keys_by_owner;

ALTER TABLE api_keys DROP COLUMN refused_from;
ALTER TABLE api_keys ADD COLUMN refused_from BIGINT NOT NULL GENERATED ALWAYS AS (
    CASE
        WHEN revoked_at IS NOT NULL THEN -9223372036854775807
        ELSE min(coalesce(expires_at, 9223372036854775807), coalesce(overlap_ends_at, 9223372036854775807))
    END
) VIRTUAL;

CREATE INDEX api_keys_by_creation ON api_keys (company_id, created_at, id, refused_from);
CREATE INDEX api_keys_by_end ON api_keys (company_id, ended_at, id, refused_from);
CREATE INDEX api_keys_by_service_account ON api_keys (company_id, service_account_id, refused_from);
CREATE INDEX api_keys_by_owner ON api_keys (company_id, owner, refused_from);

CREATE TRIGGER key_epoch_before_replaced_key BEFORE INSERT ON api_keys
WHEN EXISTS (SELECT 1 FROM api_keys WHERE id = NEW.id OR digest = NEW.digest) BEGIN
    UPDATE key_epoch SET epoch = epoch + 1;
    UPDATE key_counts SET keys = keys - (
        SELECT count(*) FROM api_keys
        WHERE (id = NEW.id OR digest = NEW.digest)
        AND api_keys.company_id = key_counts.company_id AND refused_from >> 39 = stretch
    )
    WHERE (company_id, stretch) IN (
        SELECT company_id, refused_from >> 39 FROM api_keys WHERE id = NEW.id OR digest = NEW.digest
    );
END;

CREATE TRIGGER key_counts_after_new_key AFTER INSERT ON api_keys BEGIN
    INSERT INTO key_counts (company_id, stretch, keys) VALUES (NEW.company_id, NEW.refused_from >> 39, 1)
    ON CONFLICT (company_id, stretch) DO UPDATE SET keys = keys + 1;
END;

CREATE TRIGGER key_counts_after_change_of_key AFTER UPDATE ON api_keys
WHEN OLD.refused_from <> NEW.refused_from OR OLD.company_id <> NEW.company_id BEGIN
    UPDATE key_counts SET keys = keys - 1 WHERE company_id = OLD.company_id AND stretch = OLD.refused_from >> 39;
    INSERT INTO key_counts (company_id, stretch, keys) VALUES (NEW.company_id, NEW.refused_from >> 39, 1)
    ON CONFLICT (company_id, stretch) DO UPDATE SET keys = keys + 1;
END;

CREATE TRIGGER key_counts_after_loss_of_key AFTER DELETE ON api_keys BEGIN
    UPDATE key_counts SET keys = keys - 1 WHERE company_id = OLD.company_id AND stretch = OLD.refused_from >> 39;
END;

DELETE FROM key_counts;
INSERT INTO key_counts (company_id, stretch, keys)
SELECT company_id, refused_from >> 39, count(*)
FROM api_keys
GROUP BY 1, 2;
