//! Starting, stopping and running a server in changing surroundings.

mod black_hole;
mod drain;
mod full_disk;
mod limits;
mod migrate;
mod pooler;
mod readiness;
mod rolling;
mod service_manager;
mod stop;
mod waiting;
