DROP TABLE key_clients;
DROP TABLE key_usage_hours;
DROP TABLE key_usage;
DROP TABLE gateways;
