DROP TABLE checkpoint_witnesses;
