-- Why a company chose each period of its key policy.
ALTER TABLE companies ADD COLUMN default_expiry_reason TEXT;
ALTER TABLE companies ADD COLUMN maximum_lifetime_reason TEXT;
ALTER TABLE companies ADD COLUMN rotation_period_reason TEXT;
