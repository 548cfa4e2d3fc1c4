ALTER TABLE companies DROP COLUMN idle_end_reason;
ALTER TABLE companies DROP COLUMN idle_end_days;
