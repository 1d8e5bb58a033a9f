//! Do the stock Python clients of OpenAI and Anthropic work, pointed at a node and at `assay proxy`? They are installed once, at pinned versions,
//! into a folder of the target folder.
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Proxied;
use crate::local::Verifying;

/// Set to 1 by those who have no Python.
const WITHOUT: &str = "ASSAY_WITHOUT_PYTHON";
const PACKAGES: [&str; 2] = ["openai==3.57.0", "anthropic==2.14.0"];

/// The interpreter that has the packages.
fn python() -> PathBuf {
    let program = std::env::current_exe().expect("a program knows where it is");
    let target = program.ancestors().nth(3).expect("programs are in the target folder");
    let folder = target.join(format!("python/{}", PACKAGES.join("-").replace("==", "-")));
    let (interpreter, done) = (folder.join("bin/python"), folder.join("installed"));
    if !done.exists() {
        let help = || {
            format!("install Python 3.9 or later with venv, and let it reach a package registry, or set {WITHOUT}=1")
        };
        let run = |program: &Path, arguments: &[&str]| {
            let ran = Command::new(program).args(arguments).output();
            assert!(ran.as_ref().is_ok_and(|ran| ran.status.success()), "{}: {ran:?}", help());
        };
        run(Path::new("python3"), &["-m", "venv", folder.to_str().expect("paths are text")]);
        run(
            &interpreter,
            &[&["-m", "pip", "install", "--quiet", "--disable-pip-version-check"], &PACKAGES[..]].concat(),
        );
        std::fs::write(done, "").expect("the target folder can be written");
    }
    interpreter
}

/// Runs the script; it ends with `ok` for each of its parts.
fn run(url: &str, how: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proxy/clients.py");
    let mut command = Command::new(python());
    command.arg(script).args([url, how]).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let ran = command.output().expect("the interpreter runs");
    let (said, errors) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{how}: {said}{errors}");
    let parts: Vec<&str> = said.lines().collect();
    assert_eq!(parts, ["openai ok", "openai errors ok", "anthropic ok", "anthropic errors ok"], "{how}");
}

#[test]
fn stock_clients_work_at_a_node_and_behind_verification() {
    if std::env::var(WITHOUT).is_ok_and(|value| value == "1") {
        println!("SKIPPED, because {WITHOUT}=1: no stock client was run");
        return;
    }
    let proxied = Proxied::start();
    let url = &proxied.world.client.url;
    run(url, "direct");
    run(&Verifying::start(url, &proxied.world, |_| {}).url, "verified");
}
