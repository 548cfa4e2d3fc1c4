-- REPLACE deletes a row without firing the triggers of a deletion. Neither the caches of keys nor the counters may miss
-- that: both would go on showing the row that was replaced.
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

CREATE TRIGGER key_epoch_before_replaced_service_account BEFORE INSERT ON service_accounts
WHEN EXISTS (SELECT 1 FROM service_accounts WHERE id = NEW.id) BEGIN
    UPDATE key_epoch SET epoch = epoch + 1;
END;

CREATE TRIGGER key_epoch_before_replaced_company BEFORE INSERT ON companies
WHEN EXISTS (SELECT 1 FROM companies WHERE id = NEW.id) BEGIN
    UPDATE key_epoch SET epoch = epoch + 1;
END;
