//! `assay client infer`: an answer from a service, paid for if need be, with its proof waited for if wanted.
use std::path::PathBuf;

use anyhow::Result;
use assay_circuits::onnx::Declaration;
use assay_verifier::key::Engine;
use assay_verifier::receipt::request_digest;
use assay_verifier::signature::SigningKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Args;
use ureq::http::Method;

use super::super::inputs;
use super::super::output::Output;
use super::super::problem::problem;
use super::super::{Verdict, files};
use super::account::seed;
use super::http::{Answer, Server};
use crate::inference::{Data, Dtype, Mode, Request, TensorIn};
use crate::payments::{Offer, PAYMENT_REQUIRED, PAYMENT_SIGNATURE, Payment};
use crate::routes::job::JobOut;
use crate::routes::models::ModelOut;

/// Ask a model
#[derive(Args)]
pub struct Arguments {
    /// The model: its id, publisher/name/version, name/version, or name
    #[arg(value_name = "MODEL")]
    model: String,
    /// Input values: JSON, .npy or .npz
    #[arg(long, short, value_name = "FILE")]
    input: PathBuf,
    /// Which sample of the file to take, from 0 on
    #[arg(long, value_name = "N", default_value_t = 0)]
    sample: usize,
    /// What proves the answer
    #[arg(long, value_name = "ENGINE")]
    engine: Option<Engine>,
    /// What is to stand behind the answer: a proof, an enclave, or the node's word [default: a proof, where the model can be proven]
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// Wait for the proof
    #[arg(long)]
    wait: bool,
    /// The payer's seed: 64 hexadecimal digits in a file
    #[arg(long, value_name = "FILE.seed")]
    payer: Option<PathBuf>,
    /// Pay at most this
    #[arg(long, value_name = "AMOUNT")]
    price_max: Option<u64>,
    /// The same key and the same request give the same answer, and are charged once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Where to write the exact bytes of the request, for auditors
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments, server: &Server, output: &Output) -> Result<Verdict> {
    let body = serde_json::to_vec(&request(arguments, server)?)?;
    if let Some(path) = &arguments.request {
        files::write(path, &body)?;
    }
    let mut headers = vec![("content-type", "application/json")];
    if arguments.wait {
        headers.push(("prefer", "wait=proof"));
    }
    if let Some(key) = &arguments.idempotency_key {
        headers.push(("idempotency-key", key));
    }
    let payer = arguments.payer.as_deref().map(seed).transpose()?;
    let job = ask(server, &body, &headers, payer.as_ref(), arguments.price_max)?;
    show(&job, output);
    output.json(&job);
    Ok(Verdict::Fine)
}

/// Sends a request, and sends it again with what it asks for if it has to be paid for.
pub fn ask(
    server: &Server,
    body: &[u8],
    headers: &[(&str, &str)],
    payer: Option<&SigningKey>,
    price_max: Option<u64>,
) -> Result<JobOut> {
    let send = |headers: &[(&str, &str)]| server.exchange(Method::POST, "/v1/inference", headers, body.to_vec());
    let mut answer = send(headers)?;
    if let (402, Some(payer)) = (answer.status, payer) {
        let payment = pay(&answer, payer, body, price_max)?;
        answer = send(&[headers, &[(PAYMENT_SIGNATURE, payment.as_str())]].concat())?;
    }
    answer.json()
}

/// The request for a sample of the file.
fn request(arguments: &Arguments, server: &Server) -> Result<Request> {
    let model = find(server, &arguments.model)?;
    let declared: Vec<Declaration> =
        model.inputs.iter().map(|port| Declaration::new(&port.name, port.shape.clone())).collect();
    let mut samples = inputs::read(&arguments.input, &declared)?;
    let count = samples.len();
    if arguments.sample >= count {
        let what = format!("--sample {}: the file has {count} samples", arguments.sample);
        return Err(problem(what, format!("choose one from 0 to {}", count - 1)));
    }
    let sample = samples.swap_remove(arguments.sample);
    let tensor = |(name, tensor): (String, assay_circuits::tensor::Tensor)| TensorIn {
        name,
        dtype: Dtype::F64,
        shape: tensor.dims,
        data: Data::Base64(
            BASE64.encode(tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>()),
        ),
    };
    let usual = if model.onnx.is_some() { Mode::Tee } else { Mode::Zkml };
    Ok(Request {
        model: model.reference,
        inputs: sample.into_iter().map(tensor).collect(),
        mode: arguments.mode.unwrap_or(usual),
        engine: arguments.engine.map(|engine| engine.to_string()),
        deadline_s: None,
        nonce: None,
    })
}

/// A model with its inputs, by any of its names.
pub fn find(server: &Server, reference: &str) -> Result<ModelOut> {
    server.get(&format!("/v1/models/{}", encoded(reference)))
}

/// A reference as one part of a path.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The header that pays what the service asks for, within what the caller allows.
fn pay(answer: &Answer, payer: &SigningKey, body: &[u8], price_max: Option<u64>) -> Result<String> {
    let header = answer.headers.get(PAYMENT_REQUIRED).and_then(|value| value.to_str().ok());
    let refused = |what: String| problem(what, "do not pay this service; ask its operator");
    let header = header.ok_or_else(|| refused("the service asks for payment and does not say how".into()))?;
    let offer = Offer::read(header).map_err(|error| refused(format!("the service's price: {error}")))?;
    let quote = *offer.quote();
    if quote.request_digest != request_digest(body) {
        return Err(refused("the service's price is for another request".into()));
    }
    if let Some(most) = price_max.filter(|most| quote.price > *most) {
        return Err(problem(format!("the price is {}, more than {most}", quote.price), "allow more with --price-max"));
    }
    let payment = Payment::sign(quote.authorisation(payer.public()), offer.chain_id(), payer);
    Ok(offer.accept(payment))
}

/// Shows an answer.
pub fn show(job: &JobOut, output: &Output) {
    for tensor in job.outputs.iter().flatten() {
        let shown: Vec<String> = tensor.data.iter().take(10).map(|value| format!("{value:.4}")).collect();
        let more = tensor.data.len().saturating_sub(10);
        let rest = if more > 0 { format!(", .. {more} more (--json has all)") } else { String::new() };
        output.field("output", format_args!("{:?} {:?}: {}{rest}", tensor.name, tensor.shape, shown.join(", ")));
    }
    output.field("job", &job.id);
    let states = &job.states;
    let shown = format!(
        "execution {}, proof {}, settlement {}, payment {}",
        states.execution, states.proof, states.settlement, states.payment
    );
    output.field("states", shown);
    if let Some(assurance) = &job.assurance {
        output.field("claim", format_args!("{}: {}", assurance.claim, assurance.shown));
        if assurance.environment == "simulated" {
            output.field("", "simulated: no enclave stands behind that, only the word of the machine's owner");
        }
    }
    if let Some(receipt) = &job.receipt {
        output.field("receipt", format_args!("version {}, {}", receipt.version, receipt.digest));
    }
    if let Some(failure) = &job.failure {
        output.field("failure", format_args!("{} ({})", failure.text, failure.code));
    }
    output.field("next", format_args!("assay client job watch {}", job.id));
}
