//! `assay access`: API keys of a service on this machine. A running service takes changes within a second.
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::Verdict;
use super::output::Output;
use crate::access::{ApiKey, KeyFile, NewKey, Scope};
use crate::storage::private;

/// Make, list and remove API keys of a service
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The service's folder
    #[arg(long, value_name = "DIR", default_value = "assay-data", global = true)]
    data: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Make a key. It is shown once
    Add {
        /// What it is called; what is made with it belongs to this name
        name: String,
        /// What it is good for: read, infer, publish, admin, worker
        #[arg(long, value_delimiter = ',', default_value = "read,infer")]
        scope: Vec<Scope>,
        /// Requests a second
        #[arg(long, value_name = "N", default_value_t = 100)]
        rate: u32,
    },
    /// List keys
    List,
    /// Remove a key
    Remove {
        /// Its name
        name: String,
    },
}

#[derive(Serialize)]
struct Made<'a> {
    name: &'a str,
    key: &'a str,
    scopes: &'a [Scope],
}

/// Runs the command.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Verdict> {
    private::folder(&arguments.data)?;
    let path = arguments.data.join("access.json");
    let mut file = KeyFile::read(&path)?;
    match &arguments.command {
        Command::Add { name, scope, rate } => {
            let NewKey(key) = file.add(name, scope.clone(), *rate)?;
            file.write(&path)?;
            output.field("key", &key);
            output.field("", "it is not kept and not shown again");
            output.field("next", format_args!("curl -H 'Authorization: Bearer {key}' URL/v1/models"));
            output.json(&Made { name, key: &key, scopes: scope });
        }
        Command::List => {
            let row = |key: &ApiKey| {
                let scopes = key.scopes.iter().map(|scope| format!("{scope:?}").to_lowercase()).collect::<Vec<_>>();
                vec![key.name.clone(), scopes.join(","), key.rate_per_s.to_string()]
            };
            output.table(&["name", "scopes", ">rate"], &file.keys.iter().map(row).collect::<Vec<_>>());
            let names: Vec<_> = file.keys.iter().map(|key| (&key.name, &key.scopes, key.rate_per_s)).collect();
            output.json(&names);
        }
        Command::Remove { name } => {
            file.remove(name)?;
            file.write(&path)?;
            output.field("removed", name);
            output.json(&serde_json::json!({ "removed": name }));
        }
    }
    Ok(Verdict::Fine)
}
