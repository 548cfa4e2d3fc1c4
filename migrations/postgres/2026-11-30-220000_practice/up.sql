-- What good practice finds about each active key. findings is a set of bits, due_at the time at which time alone may change it.
CREATE TABLE key_assessments (
    key_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    company_id TEXT COLLATE "C" NOT NULL,
    findings BIGINT NOT NULL,
    due_at BIGINT NOT NULL
);

CREATE INDEX key_assessments_by_due ON key_assessments (company_id, due_at);

-- Keys to assess, because a fact about them has changed. Rows are only inserted and deleted, so that no change waits for another.
CREATE TABLE assessment_queue (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY DEFAULT gen_random_uuid()::text,
    company_id TEXT COLLATE "C" NOT NULL,
    key_id TEXT COLLATE "C" NOT NULL
);

CREATE INDEX assessment_queue_by_company ON assessment_queue (company_id, id);

-- The numbers of a company's keys by finding, in one row: a list reads it with each page.
CREATE TABLE practice_summaries (
    company_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES companies (id),
    summary TEXT NOT NULL
);

-- The numbers of active keys, and of those with findings, at the end of each day since 1970.
CREATE TABLE practice_days (
    company_id TEXT COLLATE "C" NOT NULL REFERENCES companies (id),
    day BIGINT NOT NULL,
    active_keys BIGINT NOT NULL,
    keys_with_findings BIGINT NOT NULL,
    PRIMARY KEY (company_id, day)
);

INSERT INTO assessment_queue (company_id, key_id) SELECT company_id, id FROM api_keys WHERE revoked_at IS NULL;

CREATE FUNCTION assess_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO assessment_queue (company_id, key_id) VALUES (NEW.company_id, NEW.id);
    RETURN NULL;
END;
$$;

CREATE TRIGGER assessment_of_new_key AFTER INSERT ON api_keys FOR EACH ROW EXECUTE FUNCTION assess_key();

CREATE TRIGGER assessment_of_changed_key
    AFTER UPDATE OF owner, expires_at, revoked_at, overlap_ends_at, end_recorded ON api_keys
    FOR EACH ROW EXECUTE FUNCTION assess_key();

CREATE FUNCTION assess_keys_of_service_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO assessment_queue (company_id, key_id)
    SELECT company_id, id FROM api_keys
    WHERE company_id = NEW.company_id AND service_account_id = NEW.id AND revoked_at IS NULL;
    RETURN NULL;
END;
$$;

CREATE TRIGGER assessment_after_change_of_service_account AFTER UPDATE ON service_accounts
    FOR EACH ROW EXECUTE FUNCTION assess_keys_of_service_account();

CREATE FUNCTION assess_keys_of_company() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO assessment_queue (company_id, key_id)
    SELECT company_id, id FROM api_keys WHERE company_id = NEW.id AND revoked_at IS NULL;
    RETURN NULL;
END;
$$;

CREATE TRIGGER assessment_after_change_of_policy
    AFTER UPDATE OF default_expiry_days, maximum_lifetime_days, rotation_period_days ON companies
    FOR EACH ROW EXECUTE FUNCTION assess_keys_of_company();

CREATE FUNCTION assess_keys_of_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO assessment_queue (company_id, key_id)
    SELECT company_id, id FROM api_keys WHERE company_id = NEW.company_id AND owner = NEW.id AND revoked_at IS NULL;
    RETURN NULL;
END;
$$;

-- A sign-in matters after a long absence only. A month is shorter than any absence that a rule looks at.
CREATE TRIGGER assessment_after_change_of_owner AFTER UPDATE OF deleted_at, last_signed_in_at ON users
    FOR EACH ROW WHEN (
        NEW.deleted_at IS NOT NULL
        OR NEW.last_signed_in_at - coalesce(OLD.last_signed_in_at, OLD.created_at) > 2592000000000
    )
    EXECUTE FUNCTION assess_keys_of_owner();

CREATE FUNCTION assess_known_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO assessment_queue (company_id, key_id)
    SELECT company_id, key_id FROM key_assessments WHERE key_id = NEW.key_id;
    RETURN NULL;
END;
$$;

CREATE TRIGGER assessment_after_new_client AFTER INSERT ON key_clients FOR EACH ROW EXECUTE FUNCTION assess_known_key();

CREATE FUNCTION assess_used_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- 96 is the set of the findings "unused" and "never-used".
    INSERT INTO assessment_queue (company_id, key_id)
    SELECT company_id, key_id FROM key_assessments WHERE key_id = NEW.key_id AND findings & 96 <> 0;
    RETURN NULL;
END;
$$;

CREATE TRIGGER assessment_after_use AFTER UPDATE OF last_used_at ON key_usage
    FOR EACH ROW EXECUTE FUNCTION assess_used_key();

-- A search of the list finds the keys of a person. The program fills the column in, as it does for service accounts.
ALTER TABLE users ADD COLUMN name_search TEXT;
UPDATE name_keys SET version = '';
