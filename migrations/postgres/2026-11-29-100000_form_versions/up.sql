-- How often the values of each form were changed. A form carries the version that it shows, so that a change made
-- since then is not overwritten.
ALTER TABLE service_accounts ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE companies ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN role_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN profile_version BIGINT NOT NULL DEFAULT 0;
