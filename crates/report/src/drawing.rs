//! Figures that the program draws: `{{#drawing NAME ...}}`.
//!
//! Their numbers come from the worked examples, the other results of the harness, a record, the
//! crates themselves or Cargo. Their colours are CSS variables, so that they follow the theme.

mod activations;
mod arrays;
mod chart;
mod crates;
mod grid;
mod iris_boundary;
mod iris_network;
mod iris_surface;
mod level_set;
mod muon_spectrum;
mod neuron;
mod newton_schulz;
mod roofline;
mod schedules;
mod seeds;
mod step_curves;
mod step_graph;
mod sweep_grid;
mod weight_norms;

use crate::expand::Inputs;
use crate::markdown::named;

/// A function that draws.
type Draw = fn(&Inputs) -> Result<String, String>;

/// Every drawing by its name.
const DRAWINGS: [(&str, Draw); 22] = [
    ("neuron", neuron::draw),
    ("activations", activations::draw),
    ("convolution-channels", arrays::convolution_channels),
    ("convolution", arrays::convolution),
    ("convolution-backward", arrays::convolution_backward),
    ("im2col", arrays::im2col),
    ("pooling", arrays::pooling),
    ("max-pooling", arrays::max_pooling),
    ("iris-network", iris_network::draw),
    ("iris-surface", iris_surface::draw),
    ("iris-boundary", iris_boundary::draw),
    ("sweep-grid", sweep_grid::draw),
    ("step-graph", step_graph::draw),
    ("schedules", schedules::draw),
    ("seeds", seeds::draw),
    ("newton-schulz", newton_schulz::draw),
    ("muon-spectrum", muon_spectrum::draw),
    ("step-curves", step_curves::draw),
    ("weight-norms", weight_norms::draw),
    ("weight-norms-of-the-network", weight_norms::draw_network),
    ("roofline", roofline::draw),
    ("crates", crates::draw),
];

/// A drawing as SVG.
pub(crate) fn draw(name: &str, inputs: &Inputs) -> Result<String, String> {
    let draw = named(&DRAWINGS, name, || format!("no drawing is called `{name}`"))?;
    draw(inputs).map_err(|error| format!("the drawing `{name}`: {error}"))
}
