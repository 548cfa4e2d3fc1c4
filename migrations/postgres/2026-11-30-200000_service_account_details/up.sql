-- What a service account is for, and which department and contact to ask about it; empty if not given. purpose_search is
-- what a search compares the purpose with, computed like name_search.
ALTER TABLE service_accounts ADD COLUMN purpose TEXT NOT NULL DEFAULT '';
ALTER TABLE service_accounts ADD COLUMN department TEXT NOT NULL DEFAULT '';
ALTER TABLE service_accounts ADD COLUMN contact TEXT NOT NULL DEFAULT '';
ALTER TABLE service_accounts ADD COLUMN purpose_search TEXT COLLATE "C" NOT NULL DEFAULT '';
