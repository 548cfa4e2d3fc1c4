-- How many keys of a company are refused from which stretch of time on, so that no list counts them all anew. A stretch is
-- 2^39 microseconds, some six days: keys end by the clock alone, and what ends within the running one is still counted.
-- Shifting rounds down, before 1970 too, and overflows nowhere: revoked keys are in the first stretch of all, keys without an
-- end in the last.
CREATE TABLE key_counts (
    company_id TEXT COLLATE "C" NOT NULL REFERENCES companies (id),
    stretch BIGINT NOT NULL,
    keys BIGINT NOT NULL,
    PRIMARY KEY (company_id, stretch)
);

INSERT INTO key_counts (company_id, stretch, keys)
SELECT company_id, refused_from >> 39, count(*)
FROM api_keys
GROUP BY 1, 2;

CREATE FUNCTION count_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE key_counts SET keys = keys - 1 WHERE company_id = OLD.company_id AND stretch = OLD.refused_from >> 39;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO key_counts AS counted (company_id, stretch, keys) VALUES (NEW.company_id, NEW.refused_from >> 39, 1)
        ON CONFLICT (company_id, stretch) DO UPDATE SET keys = counted.keys + 1;
    END IF;
    RETURN NULL;
END;
$$;

CREATE TRIGGER key_counts_after_new_or_lost_key AFTER INSERT OR DELETE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION count_keys();

CREATE TRIGGER key_counts_after_change_of_key AFTER UPDATE ON api_keys
    FOR EACH ROW WHEN (OLD.refused_from <> NEW.refused_from OR OLD.company_id <> NEW.company_id)
    EXECUTE FUNCTION count_keys();
