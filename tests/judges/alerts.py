"""Unit tests of the alerts, for `promtool test rules`: a healthy server, and one incident for each alert."""

import json

LABELS = 'job="keydesk",instance="a"'
# The name, more labels, and a value for each minute: "0+10" grows by 10, "5" stays.
HEALTHY = {
    ("up", ""): "1",
    ("process_start_time_seconds", ""): "0",
    ("process_open_fds", ""): "60",
    ("process_max_fds", ""): "1000",
    ("keydesk_trail_events", ""): "100+1",
    ("keydesk_verifications_total", 'outcome="accepted"'): "0+600",
    ("keydesk_verifications_total", 'outcome="unavailable"'): "0",
    ("keydesk_verification_seconds_bucket", 'le="0.001"'): "0+600",
    ("keydesk_verification_seconds_bucket", 'le="+Inf"'): "0+600",
    ("keydesk_http_requests_total", 'class="page",status="200"'): "0+60",
    ("keydesk_store_errors_total", ""): "0",
    ("keydesk_store_connections", 'state="idle"'): "2",
    ("keydesk_store_connections", 'state="in_use"'): "7",
    ("keydesk_store_connections", 'state="unopened"'): "0",
    ("keydesk_accepted_after_end_total", ""): "0",
    ("keydesk_refused_after_revocation_total", ""): "3",
    ("keydesk_audit_check_differences", ""): "0",
    ("keydesk_audit_check_timestamp_seconds", ""): "60+60",
    ("keydesk_checkpoint_unwitnessed_seconds", ""): "20",
    ("keydesk_sign_ins_total", 'outcome="refused"'): "0+1",
    ("keydesk_keys_expiring_7d", ""): "0",
    ("keydesk_wal_bytes", ""): "33554432",
    ("keydesk_backup_age_seconds", ""): "40000",
    ("keydesk_wal_index_contradictions_total", ""): "0",
    ("keydesk_clock_offset_seconds", ""): "0.2",
    ("keydesk_log_lines_dropped_total", ""): "5",
}

# For each alert: the series of the incident, which begins after ten minutes; when nothing fires yet, and when it fires.
INCIDENTS = {
    "KeydeskDown": ({("up", ""): "1x9 0"}, "10m", "12m"),
    "KeydeskVerificationUnavailable": (
        {("keydesk_verifications_total", 'outcome="unavailable"'): "0x9 10+10"},
        "9m",
        "13m",
    ),
    "KeydeskAcceptedAfterEnd": ({("keydesk_accepted_after_end_total", ""): "0x9 1"}, "9m", "12m"),
    "KeydeskTablesDifferFromTrail": ({("keydesk_audit_check_differences", ""): "0x9 2"}, "9m", "10m"),
    "KeydeskAuditCheckOverdue": ({("keydesk_audit_check_timestamp_seconds", ""): "60+60x9 600"}, "1440m", "1470m"),
    "KeydeskCheckpointUnwitnessed": ({("keydesk_checkpoint_unwitnessed_seconds", ""): "0x9 0+60"}, "25m", "32m"),
    "KeydeskStoreErrors": ({("keydesk_store_errors_total", ""): "0x9 10+10"}, "9m", "12m"),
    "KeydeskConnectionsExhausted": ({("keydesk_store_connections", 'state="idle"'): "2x9 0"}, "11m", "13m"),
    "KeydeskNumbersMissing": ({("keydesk_trail_events", ""): "100x9 stale"}, "20m", "30m"),
    "KeydeskServerErrors": (
        {("keydesk_http_requests_total", 'class="page",status="503"'): "0x9 0+10"},
        "12m",
        "22m",
    ),
    "KeydeskVerificationSlow": (
        {
            ("keydesk_verification_seconds_bucket", 'le="0.001"'): "0",
            ("keydesk_verification_seconds_bucket", 'le="0.5"'): "0+600",
        },
        "5m",
        "20m",
    ),
    "KeydeskSignInsRefused": ({("keydesk_sign_ins_total", 'outcome="throttled"'): "0x9 0+60"}, "9m", "16m"),
    "KeydeskRevokedKeyInUse": ({("keydesk_refused_after_revocation_total", ""): "3x9 4"}, "9m", "12m"),
    "KeydeskKeysExpireSoon": ({("keydesk_keys_expiring_7d", ""): "0x9 1"}, "9m", "11m"),
    "KeydeskWalLarge": ({("keydesk_wal_bytes", ""): "33554432x9 581959680"}, "12m", "17m"),
    # The last backup fails, after eight hours.
    "KeydeskBackupOld": ({("keydesk_backup_age_seconds", ""): "28800+60"}, "1120m", "1150m"),
    "KeydeskWalIndexContradicted": ({("keydesk_wal_index_contradictions_total", ""): "0x9 1"}, "9m", "12m"),
    "KeydeskClockWrong": ({("keydesk_clock_offset_seconds", ""): "0.2x9 -90"}, "12m", "17m"),
    "KeydeskFilesRunOut": ({("process_open_fds", ""): "60x9 900"}, "12m", "17m"),
    "KeydeskRestarts": ({("process_start_time_seconds", ""): "0x9 600x2 780x2 960x2 1140"}, "9m", "20m"),
    "KeydeskLogLinesDropped": ({("keydesk_log_lines_dropped_total", ""): "5x9 90"}, "9m", "12m"),
}

FIRING = 'count by (alertname) (ALERTS{alertstate="firing"})'


def _test(name, changed, expected):
    """A test with these series in place of the healthy ones, and the alerts that fire at each time."""
    series = []
    for (metric, labels), values in {**HEALTHY, **changed}.items():
        labels = f"{LABELS},{labels}" if labels else LABELS
        values = values if values.endswith("stale") else f"{values}x2000"
        series.append({"series": f"{metric}{{{labels}}}", "values": values})
    checks = []
    for time, alerts in expected.items():
        samples = [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in alerts]
        checks.append({"expr": FIRING, "eval_time": time, "exp_samples": samples})
    return {"name": name, "interval": "1m", "input_series": series, "promql_expr_test": checks}


def unit_tests(rule_files):
    """Returns the file for `promtool test rules`. JSON is YAML, too."""
    tests = [_test("nothing fires on a healthy server", {}, {"30m": [], "1900m": []})]
    for alert, (changed, before, after) in INCIDENTS.items():
        tests.append(_test(alert, changed, {before: [], after: [alert]}))
    return json.dumps({"rule_files": [str(file) for file in rule_files], "evaluation_interval": "1m", "tests": tests})
