-- Keys that were not used for so many days end.
ALTER TABLE companies ADD COLUMN idle_end_days INTEGER;
ALTER TABLE companies ADD COLUMN idle_end_reason TEXT;
