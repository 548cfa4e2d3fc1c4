DROP TABLE key_prefixes;
