//! What is examined, and the exit code for what is wrong with it.

/// What is examined. What comes first matters most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    Files,
    Database,
    Installation,
    Schema,
    Secrets,
    Trails,
    Lease,
    Writes,
    Connections,
    Server,
    Clock,
    Disk,
    WriteAheadLog,
    Checkpoints,
    BackgroundCheck,
    Backup,
    Proxies,
}

impl Subject {
    pub const ALL: [Self; 17] = [
        Self::Files,
        Self::Database,
        Self::Installation,
        Self::Schema,
        Self::Secrets,
        Self::Trails,
        Self::Lease,
        Self::Writes,
        Self::Connections,
        Self::Server,
        Self::Clock,
        Self::Disk,
        Self::WriteAheadLog,
        Self::Checkpoints,
        Self::BackgroundCheck,
        Self::Backup,
        Self::Proxies,
    ];

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Database => "database",
            Self::Installation => "installation",
            Self::Schema => "schema",
            Self::Secrets => "secrets",
            Self::Trails => "audit trails",
            Self::Lease => "lease",
            Self::Writes => "changes",
            Self::Connections => "connections",
            Self::Server => "server",
            Self::Clock => "clock",
            Self::Disk => "disk",
            Self::WriteAheadLog => "write-ahead log",
            Self::Checkpoints => "checkpoints",
            Self::BackgroundCheck => "background check",
            Self::Backup => "backup",
            Self::Proxies => "proxies",
        }
    }

    /// The exit code of `keydesk doctor` if this is the first subject with trouble. Scripts rely on the numbers.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Files => 10,
            Self::Database => 11,
            Self::Installation => 12,
            Self::Schema => 13,
            Self::Secrets => 14,
            Self::Trails => 15,
            Self::Lease => 16,
            Self::Writes => 17,
            Self::Connections => 18,
            Self::Server => 19,
            Self::Clock => 20,
            Self::Disk => 21,
            Self::WriteAheadLog => 22,
            Self::Checkpoints => 23,
            Self::BackgroundCheck => 24,
            Self::Backup => 25,
            Self::Proxies => 26,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_important_subjects_have_smaller_codes() {
        assert!(Subject::ALL.is_sorted());
        for (before, after) in Subject::ALL.iter().zip(&Subject::ALL[1..]) {
            assert!(before.exit_code() < after.exit_code(), "{before:?} {after:?}");
        }
    }
}
