//! Parameters that are trained in a way of their own.

use serde::{Deserialize, Deserializer, Serialize};

use crate::{MuonConfig, Schedule, SgdConfig};

/// The choice among the optimisers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum OptimiserConfig {
    /// See [`Sgd`](crate::Sgd).
    Sgd(SgdConfig),
    /// See [`Muon`](crate::Muon).
    Muon(MuonConfig),
    /// None: the parameters stay as they are.
    #[serde(deserialize_with = "no_fields")]
    Frozen,
}

/// Of what is frozen, any field is unknown; serde would pass over it.
fn no_fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct NoFields {}
    NoFields::deserialize(deserializer).map(|NoFields {}| ())
}

/// Some parameters of a network, and how they are trained in place of what holds for all others.
///
/// Weight decay of SGD acts on every parameter that a group lists, biases too: a group is where one
/// says what is to decay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterGroup {
    /// The names of the parameters, `"{layer}.{parameter}"` with layers counted from 0: `"3.W"`.
    pub parameters: Vec<String>,
    /// The optimiser, which has a velocity for each parameter.
    pub optimiser: OptimiserConfig,
    /// The learning rate by step; that of the parameters in no group if there is none here. It may end
    /// before the training does; the parameters then stay as they are. What is frozen has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}
