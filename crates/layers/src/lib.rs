//! Layers: what every layer promises, and those that need no image.
//!
//! A layer is declared by a configuration ([`FullyConnectedConfig`], [`FlattenConfig`]) and built
//! for the shape of one input example; from then on its parameters and (zero) gradients exist.
//! [`Layer::forward`] writes the cache that [`Layer::backward`] reads; [`Layer::predict`] is
//! inference and needs no cache.
//!
//! The kernel functions [`fully_connected_forward`], [`fully_connected_backward`] and the rest are what
//! the book derives; the layer objects validate, keep state and call them.
//!
//! [`mod@reference`] holds the obvious version of batch normalisation.
//!
//! ```
//! use activations::Activation;
//! use layers::{FullyConnectedConfig, Layer};
//! use ndarray::Array2;
//! use numerics::Rng;
//!
//! let config = FullyConnectedConfig { activation: Activation::ReLU, ..FullyConnectedConfig::new(3) };
//! let mut layer = config.build::<f64>(&[4], &mut Rng::new(0))?;
//! let y = layer.forward(Array2::ones((2, 4)).into_dyn())?;
//! assert_eq!(y.shape(), [2, 3]);
//! let dl_dx = layer.backward(Array2::ones((2, 3)).into_dyn())?;
//! assert_eq!(dl_dx.shape(), [2, 4]);
//! assert_eq!(layer.gradients()["W"].shape(), [4, 3]);
//! # Ok::<(), layers::LayerError>(())
//! ```

mod batch_norm;
mod batch_norm_kernel;
mod dropout;
mod dropout_kernel;
mod error;
mod flatten;
mod fully_connected;
mod layer;
mod parameters;
pub mod reference;
mod reshape;
mod shapes;
mod weights;

pub use batch_norm::{BatchNorm, BatchNormConfig};
pub use batch_norm_kernel::{
    BatchNormForward, BatchNormGradients, batch_norm_backward, batch_norm_forward,
    batch_norm_predict,
};
pub use dropout::{Dropout, DropoutConfig};
pub use dropout_kernel::{dropout_backward, dropout_forward, dropout_mask};
pub use error::LayerError;
pub use flatten::{Flatten, FlattenConfig};
pub use fully_connected::{
    FullyConnected, FullyConnectedConfig, FullyConnectedGradients, fully_connected_backward,
    fully_connected_forward, with_bias,
};
pub use layer::{BuiltLayer, Layer, LayerConfig, LayerState, of_precision};
pub use parameters::Parameters;
pub use shapes::{LayerShapes, checked_size};
pub use weights::{WeightInit, gain};
