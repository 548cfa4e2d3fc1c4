//! Starting, stopping and running a server in changing surroundings.

mod black_hole;
mod compatible_schema;
mod copy;
pub mod crash;
mod doctor;
mod drain;
mod full_disk;
mod limits;
mod migrate;
pub mod page;
mod pooler;
pub mod readiness;
mod rolling;
mod service_manager;
mod small_disk;
mod stop;
mod two_versions;
mod upgrade;
mod waiting;
