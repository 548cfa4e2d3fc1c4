mod audit_trail;
mod edges;
mod keys;
mod list;
mod revocation;
mod sessions;
mod setup;
mod sign_in;
