DROP INDEX companies_hashed_by_id;
DROP INDEX service_accounts_hashed_by_id;
DROP INDEX api_keys_hashed_by_digest;
