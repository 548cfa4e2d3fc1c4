-- Verification finds a key, its service account and its company by these: what a look-up in a tree costs grows with the
-- tree's depth, and a look-up in a hash index costs the same for a thousand keys and for a million.
CREATE INDEX api_keys_hashed_by_digest ON api_keys USING hash (digest);
CREATE INDEX service_accounts_hashed_by_id ON service_accounts USING hash (id);
CREATE INDEX companies_hashed_by_id ON companies USING hash (id);
