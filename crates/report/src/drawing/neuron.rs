//! One unit: a weighted sum, a bias and an activation.

use experiment::canvas::{Anchor, Canvas, Font, Pen};
use experiment::palette::{SERIES, TEXT};

use crate::expand::Inputs;
use crate::tensor::plain_number;

pub(super) fn draw(inputs: &Inputs) -> Result<String, String> {
    let vector = |name: &str| inputs.evidence.worked.vector(&format!("neuron.{name}"));
    let number = |name: &str| inputs.evidence.worked.number(&format!("neuron.{name}"));
    let (x, w) = (vector("x")?, vector("w")?);
    let [b, z, y] = [number("b")?, number("z")?, number("y")?].map(|v| plain_number(v, 4));
    let mut canvas = Canvas::themed();
    let (outline, arrow) = (Pen::of(TEXT, 1.3), Pen::of(TEXT, 1.3).arrow());
    let accent = Pen::of(SERIES[0], 1.3);
    let label = Font::of(14.0);
    let height = 40.0 + 65.0 * x.len() as f64;
    let middle = 0.5 * height - 10.0;
    for (index, (x, w)) in x.iter().zip(&w).enumerate() {
        let at = 45.0 + 65.0 * index as f64;
        canvas.circle((60.0, at), 20.0, None, outline);
        canvas.text((60.0, at + 5.0), Font::of(15.0), Anchor::Middle, &plain_number(*x, 4));
        let end = (252.0, middle + 0.3 * (at - middle));
        canvas.line(&[(80.0, at), end], arrow);
        let along = (150.0, at + 0.42 * (end.1 - at) - 7.0);
        canvas.text(along, label, Anchor::Middle, &format!("× {}", plain_number(*w, 4)));
    }
    canvas.circle((282.0, middle), 28.0, Some(SERIES[0]), accent);
    canvas.text((282.0, middle + 7.0), Font::of(22.0), Anchor::Middle, "Σ");
    canvas.line(&[(282.0, middle - 72.0), (282.0, middle - 30.0)], arrow);
    canvas.text((282.0, middle - 80.0), Font::of(15.0), Anchor::Middle, &format!("b = {b}"));
    canvas.line(&[(310.0, middle), (403.0, middle)], arrow);
    canvas.text((355.0, middle - 9.0), label, Anchor::Middle, &format!("z = {z}"));
    canvas.rect((405.0, middle - 28.0), (80.0, 56.0), Some(SERIES[0]), accent);
    canvas.text((445.0, middle + 6.0), Font::of(20.0).italic(), Anchor::Middle, "σ");
    canvas.line(&[(485.0, middle), (578.0, middle)], arrow);
    canvas.text((530.0, middle - 9.0), label, Anchor::Middle, &format!("h = {y}"));
    for (x, text) in
        [(60.0, "inputs"), (155.0, "weights"), (282.0, "sum"), (445.0, "activation (ReLU)")]
    {
        canvas.text((x, height + 4.0), Font::of(13.0), Anchor::Middle, text);
    }
    Ok(canvas.finish(600.0, height + 16.0))
}
