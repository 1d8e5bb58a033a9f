//! `assay-ledger init`: a chain's genesis, and a folder for each of its validators.
use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use assay_verifier::digest::Digest32;
use assay_verifier::receipt::Grade;
use assay_verifier::settlement::node::Platform;
use assay_verifier::signature::{PublicKey, SigningKey};
use assay_verifier::tee::roots::VENDOR_ROOTS;
use clap::Args;
use rand_core::{OsRng, RngCore};

use crate::comet::{Layout, NodeKey, ValidatorKey};
use crate::genesis::{RawGenesis, RawTrustRoot};

const EXAMPLES: &str = "\
Examples:
  assay-ledger init chain
  assay-ledger init chain --validators 4 --chain-id assay-test --account KEY=1000000

Then, for each node, two processes:
  assay-ledger run chain/node0
  cometbft node --home chain/node0";

/// What a chain has to give at the beginning if no account is named.
const SUPPLY: u64 = 1_000_000_000_000;

/// Lay out a new chain: its genesis, and a folder for each validator
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The folder to make
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The chain's id
    #[arg(long, value_name = "ID", default_value = "assay-local")]
    chain_id: String,
    /// How many validators, all on this machine
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    validators: u16,
    /// An account and what it has, as often as there are accounts; the first governs [default: a new key in DIR/account.seed]
    #[arg(long = "account", value_name = "KEY=AMOUNT", value_parser = account)]
    accounts: Vec<(PublicKey, u64)>,
    /// A reference string that keys of the engine halo2 may use, by its digest
    #[arg(long = "srs", value_name = "DIGEST")]
    srs: Vec<String>,
    /// A root that attestations may rest on: a vendor's by its name (aws-nitro-g1, intel-sgx, amd-milan, amd-genoa, amd-turin), or another
    /// one as PLATFORM:SHA256, which makes the chain one of simulated attestations
    #[arg(long = "trust-root", value_name = "ROOT", value_parser = roots)]
    trust_roots: Vec<Roots>,
    /// The first port; each node takes ten
    #[arg(long, value_name = "PORT", default_value_t = 26_600)]
    first_port: u16,
    /// How long after a block the next begins
    #[arg(long, value_name = "MS", default_value_t = 500)]
    block_interval_ms: u64,
}

/// The platforms of one root.
#[derive(Clone)]
struct Roots(Vec<RawTrustRoot>);

fn roots(text: &str) -> Result<Roots, String> {
    if let Some(vendor) = VENDOR_ROOTS.iter().find(|root| root.name == text) {
        let certificate = vendor.certificate.to_string();
        let of = |platform: &Platform| (*platform, certificate.clone(), Grade::Production);
        return Ok(Roots(vendor.platforms.iter().map(of).map(root).collect()));
    }
    let (platform, certificate) = text.split_once(':').ok_or("a vendor's root by its name, or PLATFORM:SHA256")?;
    let certificate: Digest32 = certificate.parse().map_err(|_| "a certificate's SHA-256 is 64 hexadecimal digits")?;
    Ok(Roots(vec![root((super::names::platform(platform)?, certificate.to_string(), Grade::Simulated))]))
}

fn root((platform, certificate, grade): (Platform, String, Grade)) -> RawTrustRoot {
    RawTrustRoot { platform, certificate, grade }
}

fn account(text: &str) -> Result<(PublicKey, u64), String> {
    let (key, amount) = text.split_once('=').ok_or("write KEY=AMOUNT")?;
    let key = key.parse().map_err(|_| "a key is 64 hexadecimal digits")?;
    Ok((key, amount.parse().map_err(|_| "an amount is a whole number below 2^64")?))
}

fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    OsRng.fill_bytes(&mut seed);
    seed
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { folder, chain_id, validators, accounts, srs, trust_roots, first_port, block_interval_ms } =
        arguments;
    if folder.exists() {
        bail!("{} is there already; name another folder, or remove it", folder.display());
    }
    let mut accounts = accounts.clone();
    let own = accounts.is_empty().then(seed);
    if let Some(seed) = own {
        accounts.push((SigningKey::from_seed(seed).public(), SUPPLY));
    }
    let mut genesis = RawGenesis::usual(chain_id, &accounts);
    genesis.srs.clone_from(srs);
    genesis.trust_roots = trust_roots.iter().flat_map(|Roots(roots)| roots.clone()).collect();
    if let Some(first) = genesis.trust_roots.first() {
        genesis.attestation.grade = first.grade;
    }
    genesis.check().context("the genesis")?;
    let key = |_| (ValidatorKey::from_seed(seed()), NodeKey::from_seed(seed()));
    let layout = Layout {
        folder: folder.clone(),
        genesis,
        time: humantime::format_rfc3339_nanos(SystemTime::now()).to_string(),
        validators: (0..*validators).map(key).collect(),
        first_port: *first_port,
        block_interval_ms: *block_interval_ms,
    };
    layout.write()?;
    println!("chain    {chain_id}");
    println!("genesis  {}", layout.home(0).join("config/genesis.json").display());
    if let Some(seed) = own {
        let path = folder.join("account.seed");
        crate::comet::write_private(&path, &hex::encode(seed)).context("the account's key")?;
        println!("account  {} governs and has {SUPPLY}; its key is in {}", accounts[0].0, path.display());
    }
    for node in 0..layout.validators.len() {
        let home = layout.home(node);
        println!("node{node}    http://127.0.0.1:{}", layout.ports(node)?.rpc);
        println!("         assay-ledger run {0} & cometbft node --home {0}", home.display());
    }
    Ok(())
}
