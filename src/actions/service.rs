//! The actions and what they depend on.

use std::sync::Arc;

use super::passwords::PasswordHasher;
use super::pending_usage::PendingUsage;
use crate::checkpoint_memory::CheckpointMemory;
use crate::clock::Clock;
use crate::domain::ids::InstallationId;
use crate::domain::key::api_key::KeyFormat;
use crate::secrets::Secrets;
use crate::store::Store;

/// Every action is a method of this type; cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Actions {
    pub store: Store,
    pub clock: Clock,
    pub secrets: Arc<Secrets>,
    pub installation: InstallationId,
    pub key_format: KeyFormat,
    /// The platform's name, which new passwords must not contain.
    pub platform_name: String,
    pub passwords: Arc<PasswordHasher>,
    pub usage: PendingUsage,
    pub memory: CheckpointMemory,
}
