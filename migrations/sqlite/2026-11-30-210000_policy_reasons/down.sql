ALTER TABLE companies DROP COLUMN rotation_period_reason;
ALTER TABLE companies DROP COLUMN maximum_lifetime_reason;
ALTER TABLE companies DROP COLUMN default_expiry_reason;
