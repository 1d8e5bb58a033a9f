//! The program `cometbft`, built once into a cache folder.
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::WITHOUT;

const PACKAGE: &str = "github.com/cometbft/cometbft/cmd/cometbft";
const VERSION: &str = "0.38.25";

/// The program of the pinned version; built by Go if it is not there.
pub fn program() -> PathBuf {
    let folder = target().join("cometbft/bin");
    let program = folder.join("cometbft");
    if version(&program).as_deref() == Some(VERSION) {
        return program;
    }
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    let built = Command::new("go").args(["install", &format!("{PACKAGE}@v{VERSION}")]).env("GOBIN", &folder).status();
    match built {
        Err(_) => {
            panic!("install Go (https://go.dev/dl), which builds CometBFT, or leave this test out by {WITHOUT}=1")
        }
        Ok(status) => assert!(status.success(), "`go install {PACKAGE}@v{VERSION}` failed: {status}"),
    }
    assert_eq!(version(&program).as_deref(), Some(VERSION));
    program
}

fn version(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("version").output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The target folder: this program is TARGET/PROFILE/deps/NAME.
fn target() -> PathBuf {
    let program = std::env::current_exe().expect("a program knows where it is");
    program.ancestors().nth(3).expect("programs are in the target folder").to_owned()
}
