-- Prints what wrk measured on one line, for the program that started it.

function done(summary, latency)
    local errors = summary.errors
    local broken = errors.connect + errors.read + errors.write + errors.timeout
    print(string.format("measured %d %d %d %d %d %d %d", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(95), latency:percentile(99), errors.status, broken))
end
