DROP TRIGGER key_counts_after_loss_of_key;
DROP TRIGGER key_counts_after_change_of_key;
DROP TRIGGER key_counts_after_new_key;
DROP TABLE key_counts;
