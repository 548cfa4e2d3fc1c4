-- The role and the database of Keydesk. Run on the primary, as postgres:
--   psql --file database.sql --set password="$PASSWORD"
CREATE ROLE keydesk LOGIN PASSWORD :'password';
CREATE DATABASE keydesk OWNER keydesk;
