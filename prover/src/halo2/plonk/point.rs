//! Points as sums take them: eight side by side.
use std::array::from_fn;

use assay_verifier::halo2::curve::G1Affine;
use halo2_proofs::arithmetic::Field;
use halo2_proofs::halo2curves::bn256::Fq;

use super::lanes::{Eight, LANES};

/// A point other than infinity: its coordinates as factors, on one line of the cache.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub struct Point<C> {
    /// First coordinate.
    pub x: C,
    /// Second coordinate.
    pub y: C,
}

/// The points of a kind of eight elements.
pub type Points<E> = Vec<Point<<E as Eight>::Cell>>;

/// Points that sums are made of.
pub fn points<E: Eight<Field = Fq>>(affine: &[G1Affine]) -> Points<E> {
    let mut points = Points::<E>::with_capacity(affine.len());
    for affine in affine.chunks(LANES) {
        let at = |lane: usize| affine[lane.min(affine.len() - 1)];
        let [x, y] = [|point: G1Affine| point.x, |point: G1Affine| point.y]
            .map(|coordinate| E::factors(&from_fn(|lane| coordinate(at(lane)))).scatter());
        points.extend(x.into_iter().zip(y).map(|(x, y)| Point { x, y }).take(affine.len()));
    }
    points
}

/// The same as the library has them.
pub fn affine<E: Eight<Field = Fq>>(points: &[Point<E::Cell>]) -> Vec<G1Affine> {
    let one = E::value(Fq::ONE);
    let mut affine = Vec::with_capacity(points.len());
    for points in points.chunks(LANES) {
        let at = |lane: usize| &points[lane.min(points.len() - 1)];
        let x = E::gather(from_fn(|lane| &at(lane).x)).mul(one).store();
        let y = E::gather(from_fn(|lane| &at(lane).y)).mul(one).store();
        affine.extend(x.into_iter().zip(y).map(|(x, y)| G1Affine { x, y }).take(points.len()));
    }
    affine
}

/// Doubles points of odd order.
pub fn double<E: Eight<Field = Fq>>(points: &mut [Point<E::Cell>]) {
    let count = points.len();
    let groups = count.div_ceil(LANES);
    let at = |group: usize, lane: usize| (group * LANES + lane).min(count - 1);
    let lanes = |points: &[Point<E::Cell>], group: usize| {
        [E::gather(from_fn(|lane| &points[at(group, lane)].x)), E::gather(from_fn(|lane| &points[at(group, lane)].y))]
    };
    let mut product = E::factor(Fq::ONE);
    let mut products = Vec::with_capacity(groups);
    for group in 0..groups {
        let [_, y] = lanes(points, group);
        products.push(product);
        product = product.mul(y.add(y));
    }
    let mut inverse = inverted(product).expect("no point is of order two");
    for (group, before) in products.into_iter().enumerate().rev() {
        let [x, y] = lanes(points, group);
        let square = x.mul(x);
        let slope = square.add(square).add(square).mul(inverse.mul(before));
        inverse = inverse.mul(y.add(y));
        let twice = slope.mul(slope).sub(x).sub(x);
        let rise = slope.mul(x.lacking(twice)).sub(y);
        let doubled = twice.scatter().into_iter().zip(rise.scatter()).map(|(x, y)| Point { x, y });
        points[group * LANES..].iter_mut().zip(doubled).for_each(|(point, doubled)| *point = doubled);
    }
}

/// Inverse factors. Nothing if one is zero.
pub fn inverted<E: Eight<Field = Fq>>(factors: E) -> Option<E> {
    let elements = factors.mul(E::value(Fq::ONE)).store();
    let mut products = [Fq::ONE; LANES];
    let mut product = Fq::ONE;
    for (before, element) in products.iter_mut().zip(&elements) {
        *before = product;
        product *= element;
    }
    let mut inverse = Option::<Fq>::from(product.invert())?;
    for (before, element) in products.iter_mut().zip(&elements).rev() {
        *before *= inverse;
        inverse *= element;
    }
    Some(E::factors(&products))
}
