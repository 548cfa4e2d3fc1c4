DROP TABLE audit_trail_hours;
DROP INDEX events_by_actor;
DROP INDEX events_by_action;
