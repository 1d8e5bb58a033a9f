//! The stores of jobs and of blobs: what is acknowledged stays, states move legally, workers are fenced, shares are fair.
mod blobs;
mod kill;
mod leases;
mod machine;
mod queue;
mod sample;
mod store;
