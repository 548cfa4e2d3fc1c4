ALTER TABLE service_accounts DROP COLUMN purpose_search;
ALTER TABLE service_accounts DROP COLUMN contact;
ALTER TABLE service_accounts DROP COLUMN department;
ALTER TABLE service_accounts DROP COLUMN purpose;
