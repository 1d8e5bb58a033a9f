//! The store of jobs: what is acknowledged stays, states move legally, workers are fenced, shares are fair.
mod kill;
mod leases;
mod machine;
mod queue;
mod sample;
mod store;
