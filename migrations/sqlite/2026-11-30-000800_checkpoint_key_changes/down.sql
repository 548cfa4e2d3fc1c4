DROP TABLE checkpoint_key_changes;
