//! The computational graph of the worked example of question 5: values forward, gradients backward.

use experiment::canvas::{Anchor, Canvas, Font, Pen, Point};
use experiment::palette::{SERIES, TEXT};

use crate::expand::Inputs;
use crate::tensor::{Tensors, plain_number};

/// The height of a line, and the width of a number.
const LINE: f64 = 17.0;
const NUMBER: f64 = 56.0;

/// A box of the graph: its left top corner, its title, the tensor, and that of its gradient.
type Node = (Point, &'static str, &'static str, Option<&'static str>);

const NODES: [Node; 8] = [
    ((10.0, 190.0), "X", "x", None),
    ((256.0, 190.0), "H", "h", Some("dh")),
    ((502.0, 190.0), "Z[2]", "logits", Some("dz2")),
    ((722.0, 207.0), "L", "loss", None),
    ((100.0, 12.0), "W[1]", "w1", Some("dw1")),
    ((244.0, 29.0), "b[1]", "b1", Some("db1")),
    ((402.0, 12.0), "W[2]", "w2", Some("dw2")),
    ((546.0, 29.0), "b[2]", "b2", Some("db2")),
];

/// What makes a value of those before it: where it stands, and its words in two lines.
const STEPS: [(f64, [&str; 2]); 3] = [
    (197.0, ["X W[1] + b[1],", "ReLU"]),
    (443.0, ["H W[2] + b[2]", ""]),
    (675.0, ["softmax,", "loss"]),
];

pub(super) fn draw(inputs: &Inputs) -> Result<String, String> {
    graph(&inputs.evidence.worked)
}

fn graph(tensors: &Tensors) -> Result<String, String> {
    let mut canvas = Canvas::themed();
    for (at, title, value, gradient) in NODES {
        node(&mut canvas, at, title, tensors, value, gradient)?;
    }
    let (forward, backward) = (Pen::of(TEXT, 1.4).arrow(), Pen::of(SERIES[1], 1.4).arrow());
    for (from, to) in [(134.0, 252.0), (380.0, 498.0), (626.0, 718.0)] {
        canvas.line(&[(from, 220.0), (to, 220.0)], forward);
    }
    for (from, to) in [(498.0, 384.0), (718.0, 630.0)] {
        canvas.line(&[(from, 262.0), (to, 262.0)], backward);
    }
    for (x, [first, second]) in STEPS {
        canvas.text((x - 4.0, 196.0), Font::of(12.0), Anchor::Middle, first);
        canvas.text((x - 4.0, 211.0), Font::of(12.0), Anchor::Middle, second);
    }
    for (from, to) in [
        ((161.0, 105.0), 190.0),
        ((305.0, 88.0), 204.0),
        ((463.0, 105.0), 436.0),
        ((607.0, 88.0), 450.0),
    ] {
        canvas.line(&[from, (to, 182.0)], Pen::of(TEXT, 1.0));
    }
    for (x, colour, text) in
        [(10.0, TEXT, "value"), (70.0, SERIES[1], "gradient of the loss with respect to it")]
    {
        canvas.text((x, 316.0), Font::of(13.0).bold().colour(colour), Anchor::Start, text);
    }
    Ok(canvas.finish(820.0, 326.0))
}

/// A box with a title, the rows of a value and those of its gradient.
fn node(
    canvas: &mut Canvas,
    (left, top): Point,
    title: &str,
    tensors: &Tensors,
    value: &str,
    gradient: Option<&str>,
) -> Result<(), String> {
    let mut y = top + LINE;
    let mut columns = 1;
    canvas.text((left + 8.0, y), Font::of(14.0).italic(), Anchor::Start, title);
    for (name, font) in
        [(Some(value), Font::of(13.0)), (gradient, Font::of(13.0).colour(SERIES[1]))]
    {
        let Some(name) = name else { continue };
        let tensor = tensors.get(&format!("step.{name}"))?;
        columns = tensor.shape.last().copied().unwrap_or(1);
        for row in tensor.values.chunks(columns) {
            y += LINE;
            for (column, number) in row.iter().enumerate() {
                let at = (left + NUMBER * (column as f64 + 1.0), y);
                canvas.text(at, font, Anchor::End, &plain_number(*number, 4));
            }
        }
    }
    let size = (NUMBER * columns as f64 + 10.0, y - top + 8.0);
    canvas.rect((left, top), size, None, Pen::of(TEXT, 1.2));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::tensor::Tensor;

    #[test]
    fn every_value_and_every_gradient_of_the_step_is_shown() {
        let matrix = |shape: &[usize], value: f64| Tensor {
            shape: shape.to_vec(),
            values: vec![value; shape.iter().product()],
        };
        let names =
            NODES.iter().flat_map(|(.., value, gradient)| [Some(*value), *gradient]).flatten();
        let tensors = Tensors(BTreeMap::from_iter(names.enumerate().map(|(index, name)| {
            let shape: &[usize] = if name == "loss" { &[] } else { &[2, 2] };
            (format!("step.{name}"), matrix(shape, 0.5 + index as f64))
        })));
        let svg = graph(&tensors).unwrap();
        for index in 0..tensors.0.len() {
            assert!(svg.contains(&format!(">{index}.5</text>")), "{index}: {svg}");
        }
        let error = graph(&Tensors::default()).unwrap_err();
        assert!(error.contains("no worked example has the tensor `step.x`"), "{error}");
    }
}
