//! Keys derived anew: what of a key follows from its description, from the reference string, and from weights where they are at hand.
use assay_circuits::eval::Weights;
use assay_verifier::halo2::config::{Columns, WeightColumns};
use assay_verifier::halo2::curve::{Bn256, Point};
use assay_verifier::halo2::key::{CheckedKey, constraint_system};
use halo2_proofs::poly::kzg::commitment::ParamsKZG;

use super::circuit::Setting;
use super::keygen::{KeygenError, points};
use super::prove::commit;
use super::secret::Secret;
use super::witness::weight_columns;

/// What deriving a key anew found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Derived {
    /// Fixed columns that are not weights: the relations, their constants and tables, and those of the proof of private weights' widths.
    pub relations: bool,
    /// Copies between cells.
    pub copies: bool,
    /// Weights, where they are at hand: public ones, or private ones with their secret.
    pub weights: Option<bool>,
}

/// Derives a key anew and compares. The reference string must be the key's own, cut to its rows.
///
/// # Errors
/// The circuit cannot be laid out in the key's shape, the string has another size, or the library refuses.
pub fn derive(
    key: &CheckedKey,
    params: &ParamsKZG<Bn256>,
    weights: Option<&Weights>,
    secret: Option<&Secret>,
) -> Result<Derived, KeygenError> {
    let (stated, description) = (key.key(), key.circuit().circuit());
    let at_hand = weights.cloned();
    let weights = at_hand
        .clone()
        .unwrap_or_else(|| description.weights.iter().map(|weight| vec![0; weight.len() as usize]).collect());
    let setting = Setting::new(key.circuit().clone(), weights, stated.visibility, stated.shape)?;
    let pk = setting.proving_key(params)?;
    let (_, columns) = constraint_system(key.circuit(), stated.shape, stated.visibility)?;
    let vk = pk.get_vk();
    let fixed = points(vk.fixed_commitments());
    let of_weights = public_weights(&columns);
    let same = |weights: bool| {
        let mut all = fixed.iter().zip(&stated.fixed).enumerate();
        all.all(|(column, (derived, stated))| of_weights.contains(&column) != weights || derived == stated)
    };
    let rows = vk.cs().blinding_factors() + 1;
    let weights = match (at_hand, secret) {
        (None, _) => None,
        (Some(_), _) if !stated.visibility.private_weights => Some(same(true)),
        (Some(_), None) => None,
        (Some(_), Some(secret)) => Some(private_weights(&setting, params, &pk, secret, rows) == stated.weights),
    };
    let widths = match &stated.widths {
        Some(widths) => super::widths::fixed(&setting, params)? == widths.fixed,
        None => true,
    };
    let copies = points(vk.permutation().commitments()) == stated.permutation;
    Ok(Derived { relations: same(false) && widths, copies, weights })
}

/// Positions of the fixed columns that hold public weights.
fn public_weights(columns: &Columns) -> Vec<usize> {
    match &columns.weights {
        WeightColumns::Public(columns) => columns.iter().map(|column| column.index()).collect(),
        WeightColumns::Private { .. } => Vec::new(),
    }
}

fn private_weights(
    setting: &Setting,
    params: &ParamsKZG<Bn256>,
    pk: &halo2_proofs::plonk::ProvingKey<assay_verifier::halo2::curve::G1Affine>,
    secret: &Secret,
    rows: usize,
) -> Vec<Point> {
    let columns = weight_columns(&setting.checked, &setting.program, &setting.layout, &setting.weights);
    commit(params, pk, &columns, &secret.factors(columns.len(), rows))
}
