//! The feed-forward network of question 5, which question 7 trains on images.
//!
//! A [`NeuralNetwork`] is declared by the configurations of its layers and a loss, and built for the
//! shape of one input example: each layer is built for what the one before it gives.
//!
//! ```
//! use activations::Activation;
//! use layers::{FullyConnectedConfig, LayerConfig};
//! use losses::Loss;
//! use ndarray::array;
//! use network::NeuralNetwork;
//! use numerics::Rng;
//! use optim::SgdConfig;
//!
//! let configs: [Box<dyn LayerConfig<f64>>; 2] = [
//!     Box::new(FullyConnectedConfig { activation: Activation::TanH, ..FullyConnectedConfig::new(8) }),
//!     Box::new(FullyConnectedConfig::new(2)),
//! ];
//! let mut network =
//!     NeuralNetwork::build(&configs, &[2], Loss::SoftmaxCrossEntropy, &mut Rng::new(0))?;
//!
//! // Exclusive or.
//! let x = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]].into_dyn();
//! let y = array![[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]];
//! let mut sgd = SgdConfig { momentum: 0.9, ..SgdConfig::default() }.build()?;
//! for _ in 0..300 {
//!     let out = network.forward(x.clone())?;
//!     network.backward(y.view(), out.view())?;
//!     network.update(&mut sgd, 0.1)?;
//! }
//! assert!(network.predict(&x)?.iter().zip(&y).all(|(p, y)| (p - y).abs() < 0.5));
//! # Ok::<(), network::NetworkError>(())
//! ```

mod error;
mod network;
mod pass;
mod profile;

pub use error::NetworkError;
pub use network::NeuralNetwork;
pub use profile::{Part, Profile, Profiler};
