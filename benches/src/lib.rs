//! Benchmarks: models of the sizes that the field quotes, measuring one model end to end, settling its proofs, a service that answers or forwards, and what the tables are made of.
pub mod accuracy;
pub mod compact;
pub mod ezkl;
pub mod machine;
pub mod measure;
pub mod models;
pub mod proxying;
pub mod serving;
pub mod settling;
pub mod subject;
pub mod table;
pub mod validator;
