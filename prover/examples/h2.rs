use assay_circuits::eval::evaluate;
use assay_prover::file::CircuitFile;
use assay_prover::halo2::{circuit::*, prove::*, secret::*, witness::*};
use assay_verifier::circuit::*;
use assay_verifier::halo2::curve::*;
use assay_verifier::halo2::shape::*;
use assay_verifier::halo2::srs::*;
use assay_verifier::wire;
use halo2_proofs::dev::MockProver;
use halo2_proofs::poly::kzg::commitment::ParamsKZG;
use std::time::Instant;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let file: CircuitFile = wire::decode(&std::fs::read(&args[1]).unwrap()).unwrap();
    let n = |i: usize| args[i].parse::<u8>().unwrap();
    let checked = CheckedCircuit::new(file.circuit.clone(), &Limits::default()).unwrap();
    let mode = args.get(9).map(String::as_str).unwrap_or("");
    let visibility = Visibility { private_input: mode.contains('i'), private_weights: mode.contains('w') };
    let shape = Shape { k: n(2), limb_bits: n(3), lanes: n(4), reads: n(5), weights: n(6), tables: n(7), inputs: u8::from(visibility.private_input), degree: n(8) };
    let setting = Setting::new(checked.clone(), file.weights.clone(), visibility, shape).unwrap();
    let (program, layout) = (&setting.program, &setting.layout);
    println!("{:?} rows {} of {}; blocks {} runs {} vectors {} chains {} powers {}", layout.heights, layout.heights.rows(), layout.rows, program.blocks.len(), program.runs.len(), program.vectors.len(), program.chains.len(), layout.powers.len());
    let inputs: Vec<Vec<i64>> = checked.circuit().inputs.iter().map(|p| {
        let node = &checked.circuit().nodes[p.node as usize];
        let r = checked.range(p.node).unwrap();
        (0..node.len() as i64).map(|i| (r.low + (i * 7919 + 13) * 104729 % (r.high - r.low + 1)).clamp(r.low, r.high)).collect()
    }).collect();
    let evaluation = evaluate(&checked, &file.weights, &inputs).unwrap();
    if mode.contains('m') {
        let first = First::new(&checked, program, layout, &file.weights, &evaluation);
        let instance: Vec<_> = first.instance.iter().map(|&v| assay_prover::halo2::field(v)).collect();
        let t = Instant::now();
        let mock = MockProver::run(shape.k as u32, &Synthesis::both(&setting, first), vec![instance]).unwrap();
        match mock.verify() { Ok(()) => println!("ok"), Err(e) => { println!("{} failures", e.len()); for e in e.iter().take(5) { println!("{e}"); } } }
        println!("mock {:?}", t.elapsed());
    }
    if mode.contains('n') { return; }
    let t = Instant::now();
    let params = ParamsKZG::<Bn256>::setup(shape.k.into(), rand_core::OsRng);
    println!("setup {:?}", t.elapsed());
    let srs = Srs { tau_g2: Point2::new(&params.s_g2()), origin: Origin::Insecure };
    let t = Instant::now();
    let pk = setting.proving_key(&params).unwrap();
    println!("keygen {:?}", t.elapsed());
    let secret = Secret::random();
    let t = Instant::now();
    let key = setting.key(&params, srs, &pk, Some(&secret)).unwrap();
    println!("key {:?}, {} bytes; pk {} bytes; degree {}", t.elapsed(), wire::bytes(key.key()).len(), pk.to_bytes(halo2_proofs::SerdeFormat::RawBytes).len(), pk.get_vk().cs().degree());
    let tools = Tools { setting: &setting, params: &params, pk: &pk, key: &key, weights: Some(&secret) };
    for _ in 0..3 {
        let t = Instant::now();
        let made = tools.prove(&evaluation, b"context").unwrap();
        println!("prove {:?}, {} bytes", t.elapsed(), made.proof.len());
        let t = Instant::now();
        let first = First::new(&checked, program, layout, &file.weights, &evaluation);
        let w = t.elapsed();
        let t = Instant::now();
        let result = assay_verifier::halo2::verify(&key, &made.inputs, &first.instance, b"context", &made.proof);
        println!("verify {:?} in {:?} (first {:?})", result, t.elapsed(), w);
    }
}
