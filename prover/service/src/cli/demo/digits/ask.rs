//! One digit asked for, paid for, and followed until it is settled.
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use assay_verifier::key::Engine;

use super::super::super::client::infer::ask;
use super::super::super::progress::Progress;
use super::Shown;
use super::host::{Host, INTERVAL};
use crate::inference::{Data, Dtype, Mode, Request, TensorIn};
use crate::routes::job::JobOut;
use crate::routes::models::ModelOut;

/// How long proofs and settlements of all may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// A request and what became of it. Times are counted from the answer, but for that of the answer itself.
pub struct Asked {
    /// The job as it was seen last.
    pub job: JobOut,
    /// How long the answer took, payment included.
    pub answered: Duration,
    /// How long after the answer the proof was there.
    pub proven: Option<Duration>,
    /// How long after the answer the settlement was proven.
    pub settled: Option<Duration>,
}

impl Asked {
    /// Whether everything ended well.
    pub fn settled(&self) -> bool {
        let states = &self.job.states;
        states.proof == "ready" && states.settlement == "verified" && states.payment == "captured"
    }
}

impl Host {
    /// Asks for a digit, and pays.
    pub fn ask(&self, model: &ModelOut, engine: Engine, pixels: &[f64]) -> Result<Asked> {
        let port = model.inputs.first().ok_or_else(|| anyhow!("the model has no input"))?;
        let request = Request {
            model: model.reference.clone(),
            inputs: vec![TensorIn {
                name: port.name.clone(),
                dtype: Dtype::F32,
                shape: port.shape.clone(),
                data: Data::Numbers(pixels.to_vec()),
            }],
            mode: Mode::Zkml,
            engine: Some(engine.to_string()),
            deadline_s: None,
            nonce: None,
        };
        let body = serde_json::to_vec(&request)?;
        let start = Instant::now();
        let headers = [("content-type", "application/json")];
        let job = ask(&self.server, &body, &headers, Some(&self.payer), Some(model.price))?;
        Ok(Asked { job, answered: start.elapsed(), proven: None, settled: None })
    }

    /// Follows all until they are settled.
    pub fn follow(&self, images: &mut [Shown], progress: &Progress) -> Result<()> {
        let start = Instant::now();
        let told = images.iter().map(|image| image.asked.job.updated_ms).collect::<Vec<_>>();
        loop {
            let mut steps = 0;
            for (image, told) in images.iter_mut().zip(&told) {
                let asked = &mut image.asked;
                if asked.settled.is_none() {
                    let outputs = asked.job.outputs.take();
                    asked.job = self.server.get(&format!("/v1/jobs/{}", asked.job.id))?;
                    asked.job.outputs = asked.job.outputs.take().or(outputs);
                    let since = Duration::from_millis(asked.job.updated_ms.saturating_sub(*told));
                    if asked.proven.is_none() && asked.job.proof.is_some() {
                        asked.proven = Some(since);
                    }
                    if asked.settled() {
                        asked.settled = Some(since);
                    }
                }
                if asked.job.states.over && asked.settled.is_none() {
                    let why = asked.job.failure.as_ref().map_or("no reason is given", |failure| &failure.text);
                    return Err(anyhow!("job {} ended unsettled: {why}", asked.job.id));
                }
                steps += u64::from(asked.proven.is_some()) + u64::from(asked.settled.is_some());
            }
            progress.at(steps, "Proving and settling");
            if steps == 2 * images.len() as u64 {
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                return Err(anyhow!("not everything is settled after {PATIENCE:?}"));
            }
            std::thread::sleep(INTERVAL);
        }
    }

    /// Fetches an answer's bundle, and what the service says its chain begins with.
    pub fn bundle(&self, asked: &Asked) -> Result<(PathBuf, PathBuf)> {
        let (bundle, trust) = (self.file("answer.assay"), self.file("trust.json"));
        std::fs::write(&bundle, self.server.file(&format!("/v1/receipts/{}/bundle", asked.job.id))?)?;
        std::fs::write(&trust, self.server.file("/v1/trust")?)?;
        Ok((bundle, trust))
    }
}
