//! Activation functions: `forward(Z) -> Y` and `backward(Z, dL/dY) -> dL/dZ`.
//!
//! An activation is a value of [`Activation`], chosen by variant or by name. Each function has a
//! file and a type of its own, which all but softmax make [`ElementWise`]; the enumeration only
//! dispatches. NaN in, NaN out.
//!
//! ```
//! use activations::Activation;
//! use ndarray::array;
//!
//! let relu: Activation = "relu".parse()?;
//! let z = array![[-1.0, 0.0, 2.0]];
//! assert_eq!(relu.forward(&z), array![[0.0, 0.0, 2.0]]);
//! assert_eq!(relu.backward(&z, &array![[5.0, 5.0, 5.0]])?, array![[0.0, 5.0, 5.0]]);
//! # Ok::<(), activations::ActivationError>(())
//! ```

mod activation;
mod arctan;
mod element_wise;
mod error;
mod gelu;
mod linear;
mod relu;
mod sigmoid;
mod softmax;
mod tanh;

pub use activation::Activation;
pub use arctan::ArcTan;
pub use element_wise::ElementWise;
pub use error::ActivationError;
pub use gelu::GELU;
pub use linear::Linear;
pub use relu::ReLU;
pub use sigmoid::Sigmoid;
pub use softmax::SoftMax;
pub use tanh::TanH;
