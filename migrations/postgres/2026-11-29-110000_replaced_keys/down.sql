-- PostgreSQL has no REPLACE. The migration exists so that both databases have the same ones.
SELECT 1;
