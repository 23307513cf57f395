//! Figures that the program draws: `{{#drawing NAME ...}}`.
//!
//! Their numbers come from the worked examples, the other results of the harness, a record, the
//! crates themselves or Cargo. Their colours are CSS variables, so that they follow the theme.

mod activations;
mod canvas;
mod channels;
mod chart;
mod convolution;
mod convolution_backward;
mod crates;
mod grid;
mod im2col;
mod iris_network;
mod iris_surface;
mod layers_of_graph;
mod level_set;
mod max_pooling;
mod neuron;
mod newton_schulz;
mod pooling;
mod roofline;
mod schedules;
mod step_curves;

use crate::evidence::Evidence;
use crate::programs::Programs;
use crate::records::Records;

/// What drawings are made of.
pub struct Sources<'a> {
    /// The results of the harness.
    pub evidence: &'a Evidence,
    /// The committed records.
    pub records: &'a Records,
    /// Cargo.
    pub programs: &'a dyn Programs,
}

/// A function that draws.
type Draw = fn(&Sources<'_>) -> Result<String, String>;

/// Every drawing by its name.
const DRAWINGS: [(&str, Draw); 15] = [
    ("neuron", neuron::draw),
    ("activations", activations::draw),
    ("convolution-channels", channels::draw),
    ("convolution", convolution::draw),
    ("convolution-backward", convolution_backward::draw),
    ("im2col", im2col::draw),
    ("pooling", pooling::draw),
    ("max-pooling", max_pooling::draw),
    ("iris-network", iris_network::draw),
    ("iris-surface", iris_surface::draw),
    ("schedules", schedules::draw),
    ("newton-schulz", newton_schulz::draw),
    ("step-curves", step_curves::draw),
    ("roofline", roofline::draw),
    ("crates", crates::draw),
];

/// A drawing as SVG.
///
/// # Errors
/// If there is no drawing of that name, or what it is made of is not there.
pub fn draw(name: &str, sources: &Sources<'_>) -> Result<String, String> {
    let Some((_, draw)) = DRAWINGS.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = DRAWINGS.iter().map(|(name, _)| *name).collect();
        return Err(format!("no drawing is called `{name}`; known are {}", known.join(", ")));
    };
    draw(sources).map_err(|error| format!("the drawing `{name}`: {error}"))
}

impl Sources<'_> {
    /// A matrix of a worked example.
    fn matrix(&self, name: &str) -> Result<Vec<Vec<f64>>, String> {
        let tensor = self.evidence.worked.get(name)?;
        let rows = tensor.rows().map_err(|error| format!("{name}: {error}"))?;
        Ok(rows.into_iter().map(<[f64]>::to_vec).collect())
    }

    /// A list of numbers of a worked example.
    fn vector(&self, name: &str) -> Result<Vec<f64>, String> {
        let tensor = self.evidence.worked.get(name)?;
        match tensor.shape[..] {
            [_] => Ok(tensor.values),
            _ => Err(format!("{name} has the shape {:?}, not one axis", tensor.shape)),
        }
    }

    /// A number of a worked example.
    fn number(&self, name: &str) -> Result<f64, String> {
        let tensor = self.evidence.worked.get(name)?;
        tensor.as_number().ok_or_else(|| format!("{name} has the shape {:?}", tensor.shape))
    }
}
