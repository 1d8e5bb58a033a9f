//! `assay client job`: where a job is, and what happens to it until it is over.
use std::io::{BufRead, BufReader};

use anyhow::Result;
use clap::Subcommand;
use serde_json::Value;
use ureq::http::Method;

use super::super::Verdict;
use super::super::output::Output;
use super::super::progress::Progress;
use super::http::Server;
use super::infer::show;
use crate::routes::job::{JobOut, JobPage};

/// Follow jobs
#[derive(Subcommand)]
pub enum Command {
    /// Show a job
    Show {
        /// Its id
        id: String,
    },
    /// List jobs, newest first
    List,
    /// Follow a job until it is over
    Watch {
        /// Its id
        id: String,
    },
    /// Give up the proof of a job
    Cancel {
        /// Its id
        id: String,
    },
    /// Have a job that is over removed, with its answer, receipts and evidence
    Forget {
        /// Its id
        id: String,
    },
}

/// Runs the command.
pub fn run(command: &Command, server: &Server, output: &Output) -> Result<Verdict> {
    match command {
        Command::Show { id } => one(server.get(&format!("/v1/jobs/{id}"))?, output),
        Command::Cancel { id } => {
            one(server.exchange(Method::POST, &format!("/v1/jobs/{id}/cancel"), &[], Vec::new())?.json()?, output)
        }
        Command::Forget { id } => {
            server.exchange(Method::DELETE, &format!("/v1/jobs/{id}"), &[], Vec::new())?.good()?;
            output.field("forgotten", id);
            output.json(&serde_json::json!({ "forgotten": id }));
            Ok(Verdict::Fine)
        }
        Command::Watch { id } => {
            watch(id, server, output)?;
            one(server.get(&format!("/v1/jobs/{id}"))?, output)
        }
        Command::List => {
            let page: JobPage = server.get("/v1/jobs")?;
            let row = |job: &JobOut| {
                let states = &job.states;
                let cells = [&job.id[..16], &job.model[job.model.len().min(65)..], &states.proof, &states.settlement];
                cells.map(str::to_owned).to_vec()
            };
            output.table(&["job", "model", "proof", "settlement"], &page.jobs.iter().map(row).collect::<Vec<_>>());
            output.json(&page);
            Ok(Verdict::Fine)
        }
    }
}

fn one(job: JobOut, output: &Output) -> Result<Verdict> {
    show(&job, output);
    output.json(&job);
    Ok(Verdict::Fine)
}

/// Shows events as they come. A stream that breaks is taken up where it was.
fn watch(id: &str, server: &Server, output: &Output) -> Result<()> {
    let progress = Progress::steps(100, "waiting");
    let stream = server.stream(&format!("/v1/jobs/{id}/events"))?;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        let Some(data) = line.strip_prefix("data: ").or_else(|| line.strip_prefix("data:")) else { continue };
        let Ok(event) = serde_json::from_str::<Value>(data) else { continue };
        if let (Some(stage), Some(percent)) = (event["stage"].as_str(), event["percent"].as_u64()) {
            progress.at(percent, stage);
        } else if let (Some(state), Some(value)) = (event["state"].as_str(), event["value"].as_str()) {
            progress.at(0, format!("{state} {value}"));
            if progress.hidden() {
                output.field(state, value);
            }
        }
    }
    Ok(())
}
