DROP TRIGGER key_counts_after_change_of_key ON api_keys;
DROP TRIGGER key_counts_after_new_or_lost_key ON api_keys;
DROP FUNCTION count_keys();
DROP TABLE key_counts;
