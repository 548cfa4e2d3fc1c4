ALTER TABLE users DROP COLUMN profile_version;
ALTER TABLE users DROP COLUMN role_version;
ALTER TABLE companies DROP COLUMN version;
ALTER TABLE api_keys DROP COLUMN version;
ALTER TABLE service_accounts DROP COLUMN version;
