-- The prefixes that keys may have: those in the settings so far. A start looks for active keys with one that is not in the
-- settings any more, without reading every key.
CREATE TABLE key_prefixes (
    prefix TEXT NOT NULL PRIMARY KEY
);

-- A key that was imported by its digest has another preview.
INSERT INTO key_prefixes (prefix)
SELECT DISTINCT substr(preview, 1, instr(preview, '_') - 1) FROM api_keys WHERE digest_kind = 'key';
