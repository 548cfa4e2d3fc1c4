-- Who created the link. Links that are older than these columns do not say.
ALTER TABLE invitations ADD COLUMN created_by_type TEXT;
ALTER TABLE invitations ADD COLUMN created_by TEXT COLLATE "C";
