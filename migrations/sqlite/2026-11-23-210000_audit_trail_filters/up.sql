-- Each action of everybody or of one person is in the order of the trail; the instant stands in the index so that counting
-- what lies between two instants reads no event.
CREATE INDEX events_by_action ON events (trail_id, action, sequence, at);
CREATE INDEX events_by_actor ON events (trail_id, actor_id, action, sequence, at);

-- Which part of a trail an hour is in, so that days become a part of the trail. Clocks may go back: an hour's part may hold
-- events of others, but none of its own stands outside. hour counts hours since 1970.
CREATE TABLE audit_trail_hours (
    trail_id TEXT NOT NULL REFERENCES audit_trails (id),
    hour BIGINT NOT NULL,
    first_sequence BIGINT NOT NULL,
    last_sequence BIGINT NOT NULL,
    PRIMARY KEY (trail_id, hour)
) WITHOUT ROWID;

-- Both databases cut towards zero; an hour before 1970 is none the less the one that an instant is in.
INSERT INTO audit_trail_hours (trail_id, hour, first_sequence, last_sequence)
SELECT trail_id, (at - (at % 3600000000 + 3600000000) % 3600000000) / 3600000000, min(sequence), max(sequence)
FROM events
GROUP BY 1, 2;
