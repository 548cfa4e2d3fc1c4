-- SQLite has no such indexes. The migration stands here so that both databases have the same.
SELECT 1;
