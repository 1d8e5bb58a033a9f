//! What is known: what the receipt says, and what records and headers say whose checks hold.
use std::time::{Duration, UNIX_EPOCH};

use assay_verifier::audit::{Bundle, Check, Report};
use assay_verifier::circuit::Port;
use assay_verifier::halo2::srs::Origin;
use assay_verifier::receipt::{Backend, Claim, Grade, Receipt};
use assay_verifier::settlement::{Reason, Versioned};
use serde::Serialize;

/// Values that are shown to people; programs get all.
const VALUES_SHOWN: usize = 10;

/// What the receipt says. It is the node's word as long as its check fails.
#[derive(Serialize)]
struct Said {
    chain_id: String,
    claim: &'static str,
    backend: &'static str,
    simulated: bool,
    request: String,
    receipt: String,
    model: String,
    circuit: Option<String>,
    key: Option<String>,
    records: Vec<String>,
    node: String,
    payer: String,
    price: u64,
    time_ms: u64,
}

/// What the key says, if it is the receipt's.
#[derive(Serialize)]
struct Secured {
    engine: String,
    hiding: bool,
    private_inputs: bool,
    private_weights: bool,
    srs: Option<String>,
    insecure_srs: bool,
    soundness_bits: Option<f64>,
}

/// A record of the ledger that ended, or will.
#[derive(Serialize)]
struct End {
    height: u64,
    reason: Option<String>,
}

/// What the ledger has.
#[derive(Serialize)]
struct Recorded {
    publisher: Option<String>,
    model_name: Option<String>,
    model_version: Option<String>,
    model_ends: Option<End>,
    node_endpoint: Option<String>,
    node_ends: Option<End>,
    payee: Option<String>,
    settled_height: Option<u64>,
    settled_ms: Option<u64>,
    state_height: Option<u64>,
    root_height: Option<u64>,
    root_ms: Option<u64>,
    root_age_ms: Option<i64>,
}

/// A tensor of the answer.
#[derive(Serialize)]
struct Named {
    name: Option<String>,
    shape: Option<Vec<u32>>,
    /// The real value is `integer * 2^-scale`.
    scale: Option<i8>,
    integers: Vec<i64>,
}

/// All of it.
#[derive(Serialize)]
pub struct Facts {
    receipt: Said,
    key: Option<Secured>,
    ledger: Recorded,
    inputs: Option<Vec<Named>>,
    outputs: Option<Vec<Named>>,
}

impl Facts {
    /// What is known after an audit.
    pub fn new(bundle: &Bundle, report: &Report) -> Self {
        let shown = report.shown.as_ref();
        let ports = shown.and_then(|shown| shown.ports.as_ref());
        Self {
            receipt: said(&bundle.receipt.receipt),
            key: secured(report),
            ledger: recorded(report),
            inputs: shown.and_then(|shown| {
                Some(named(ports.map(|ports| ports.inputs.as_slice()), shown.answer.inputs.public()?))
            }),
            outputs: shown.map(|shown| named(ports.map(|ports| ports.outputs.as_slice()), &shown.answer.outputs)),
        }
    }

    /// Labels and values, for people.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let Said { chain_id, claim, simulated, .. } = &self.receipt;
        let simulated = if *simulated { ", SIMULATED" } else { "" };
        let mut lines = vec![
            ("claim", format!("{claim} by {}{simulated}", self.receipt.backend)),
            ("chain", chain_id.clone()),
            ("request", self.receipt.request.clone()),
            ("receipt", self.receipt.receipt.clone()),
            ("answered", format!("{} by the node's clock", date(self.receipt.time_ms))),
        ];
        self.parties(&mut lines);
        self.security(&mut lines);
        self.settlement(&mut lines);
        for (label, tensors) in [("input", &self.inputs), ("output", &self.outputs)] {
            lines.extend(tensors.iter().flatten().map(|tensor| (label, tensor.line())));
        }
        lines
    }

    fn parties(&self, lines: &mut Vec<(&'static str, String)>) {
        let Recorded { publisher, model_name, model_version, model_ends, node_endpoint, node_ends, .. } = &self.ledger;
        lines.push(("model", self.receipt.model.clone()));
        if let (Some(publisher), Some(name), Some(version)) = (publisher, model_name, model_version) {
            lines.push(("", format!("{name} {version}, published by {publisher}")));
        }
        lines.extend(model_ends.iter().map(|end| ("", end.line("deprecated"))));
        lines.extend(self.receipt.circuit.iter().map(|circuit| ("circuit", circuit.clone())));
        lines.extend(self.receipt.key.iter().map(|key| ("key", key.clone())));
        lines.extend(
            self.receipt
                .records
                .iter()
                .map(|record| ("record", format!("{record}, of fetched data that inputs were taken from"))),
        );
        lines.push(("node", self.receipt.node.clone()));
        lines.extend(node_endpoint.iter().map(|endpoint| ("", format!("reached at {endpoint}"))));
        lines.extend(node_ends.iter().map(|end| ("", end.line("deregistered"))));
    }

    fn security(&self, lines: &mut Vec<(&'static str, String)>) {
        let Some(key) = &self.key else { return };
        let bits = key.soundness_bits.map(|bits| format!(", {} bits of soundness", bits.floor())).unwrap_or_default();
        lines.push(("engine", format!("{}{bits}", key.engine)));
        let hidden = match (key.private_inputs, key.private_weights) {
            (false, false) => "nothing",
            (true, false) => "the inputs",
            (false, true) => "the weights",
            (true, true) => "inputs and weights",
        };
        lines.push(("hidden", hidden.into()));
        lines.extend(key.srs.iter().map(|srs| ("string", srs.clone())));
        if key.insecure_srs {
            lines.push(("", "INSECURE SRS: it was made on one machine, whose owner can forge proofs".into()));
        }
    }

    fn settlement(&self, lines: &mut Vec<(&'static str, String)>) {
        let ledger = &self.ledger;
        if let (Some(height), Some(time)) = (ledger.settled_height, ledger.settled_ms) {
            lines.push(("settled", format!("at height {height}, {}", date(time))));
        }
        if let Some(payee) = &ledger.payee {
            lines.push(("paid", format!("{} by {} to {payee}", self.receipt.price, self.receipt.payer)));
        }
        if let Some(height) = ledger.state_height {
            lines.push(("state", format!("that after height {height}")));
        }
        if let (Some(height), Some(time)) = (ledger.root_height, ledger.root_ms) {
            let age = ledger.root_age_ms.map(|age| format!(", {} old", duration(age))).unwrap_or_default();
            lines.push(("trust root", format!("the header of height {height}, {}{age}", date(time))));
        }
    }
}

impl End {
    fn of<T>(record: &Versioned<T>) -> Option<Self> {
        let reason = record.reason.as_ref().map(|reason| match reason {
            Reason::Owner(text) | Reason::Governance(text) => text.clone(),
        });
        Some(Self { height: record.valid_to?, reason })
    }

    fn line(&self, what: &str) -> String {
        let reason = self.reason.as_ref().map(|reason| format!(": {reason:?}")).unwrap_or_default();
        format!("{what} from height {} on{reason}", self.height)
    }
}

impl Named {
    fn line(&self) -> String {
        let name = self.name.as_ref().map(|name| format!("{name:?} ")).unwrap_or_default();
        let shape = self.shape.as_ref().map(|shape| format!("{shape:?} ")).unwrap_or_default();
        let scale = self.scale.map(|scale| format!("times 2^{}: ", -i32::from(scale))).unwrap_or_default();
        let values: Vec<String> = self.integers.iter().take(VALUES_SHOWN).map(i64::to_string).collect();
        let more = self.integers.len().saturating_sub(VALUES_SHOWN);
        let more = if more > 0 { format!(", .. {more} more (--json has all)") } else { String::new() };
        format!("{name}{shape}{scale}{}{more}", values.join(", "))
    }
}

fn said(receipt: &Receipt) -> Said {
    Said {
        chain_id: receipt.chain_id.clone(),
        claim: match receipt.claim {
            Claim::Proven => "proven",
            Claim::Attested => "attested",
            Claim::Proxied => "proxied",
            Claim::SignedOnly => "signed-only",
        },
        backend: match receipt.backend {
            Backend::Zkml => "zkml",
            Backend::Tee => "tee",
            Backend::Vanilla => "vanilla",
        },
        simulated: receipt.grade == Grade::Simulated,
        request: receipt.request.to_string(),
        receipt: receipt.digest().to_string(),
        model: receipt.model.to_string(),
        circuit: receipt.circuit().map(|circuit| circuit.to_string()),
        key: receipt.proving.map(|proving| proving.key.to_string()),
        records: receipt.records.iter().map(ToString::to_string).collect(),
        node: receipt.node.to_string(),
        payer: receipt.payer.to_string(),
        price: receipt.price,
        time_ms: receipt.time_ms,
    }
}

fn secured(report: &Report) -> Option<Secured> {
    let assurance = report.assurance?;
    let visibility = assurance.visibility;
    let [private_inputs, private_weights] = [
        visibility.is_some_and(|visibility| visibility.private_input),
        visibility.is_some_and(|visibility| visibility.private_weights),
    ];
    Some(Secured {
        engine: assurance.engine.to_string(),
        hiding: private_inputs || private_weights,
        private_inputs,
        private_weights,
        srs: assurance.srs.map(|srs| srs.digest().to_string()),
        insecure_srs: assurance.srs.is_some_and(|srs| srs.origin == Origin::Insecure),
        soundness_bits: assurance.soundness_bits,
    })
}

fn recorded(report: &Report) -> Recorded {
    let manifest = report.model.as_ref().map(|model| &model.record.manifest);
    let settlement = report.settlement.as_ref();
    let paid = report.is_shown(Check::Payment);
    Recorded {
        publisher: manifest.map(|manifest| manifest.publisher.to_string()),
        model_name: manifest.map(|manifest| manifest.name.clone()),
        model_version: manifest.map(|manifest| manifest.version.clone()),
        model_ends: report.model.as_ref().and_then(End::of),
        node_endpoint: report.node.as_ref().map(|node| node.record.endpoint.clone()),
        node_ends: report.node.as_ref().and_then(End::of),
        payee: settlement.filter(|_| paid).map(|settlement| settlement.payee.to_string()),
        settled_height: settlement.map(|settlement| settlement.height),
        settled_ms: settlement.map(|settlement| settlement.time_ms),
        state_height: report.last.map(|last| last.height.saturating_sub(1)),
        root_height: report.root.map(|root| root.height),
        root_ms: report.root.map(|root| root.time_ms),
        root_age_ms: report.root_age_ms,
    }
}

fn named(ports: Option<&[Port]>, tensors: &[Vec<i64>]) -> Vec<Named> {
    let port = |place: usize| ports.and_then(|ports| ports.get(place));
    let named = |(place, integers): (usize, &Vec<i64>)| Named {
        name: port(place).map(|port| port.name.clone()),
        shape: port(place).map(|port| port.dims.clone()),
        scale: port(place).map(|port| port.scale),
        integers: integers.clone(),
    };
    tensors.iter().enumerate().map(named).collect()
}

/// A time for people; one that the calendar does not reach is left as a number.
fn date(time_ms: u64) -> String {
    const YEAR_10000_MS: u64 = 253_402_300_800_000;
    if time_ms >= YEAR_10000_MS {
        return format!("{time_ms} ms after 1970");
    }
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(time_ms)).to_string()
}

fn duration(milliseconds: i64) -> String {
    let seconds = Duration::from_secs(milliseconds.unsigned_abs() / 1_000);
    let sign = if milliseconds < 0 { "minus " } else { "" };
    format!("{sign}{}", humantime::format_duration(seconds))
}
