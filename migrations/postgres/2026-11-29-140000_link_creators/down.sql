ALTER TABLE invitations DROP COLUMN created_by;
ALTER TABLE invitations DROP COLUMN created_by_type;
