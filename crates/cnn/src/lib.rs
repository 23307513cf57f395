//! Layers for images: convolution and pooling.
//!
//! Images are `(m, rows, cols, channels)`, convolution weights are
//! `(kernel_rows, kernel_cols, n_in, n_out)`. PyTorch, candle and burn put the channels first.
//!
//! A convolution has two kernels, by im2col and by Winograd's algorithm; [`conv2d_algorithm`] says which
//! of them [`conv2d_forward`] and [`conv2d_backward`] use.
//!
//! [`whitening_filters`] finds the weights of a first layer from images alone.
//!
//! [`Window`] says which input cells an output cell sees. The kernels [`conv2d_forward`],
//! [`conv2d_backward`], [`max_pool_forward`] and the rest are what the book derives.
//!
//! Here they are made fast; [`mod@reference`] holds the obvious version of convolution.
//!
//! ```
//! use cnn::{Conv2DConfig, Pad};
//! use layers::Layer;
//! use ndarray::Array4;
//! use numerics::Rng;
//!
//! let config = Conv2DConfig { pad: Pad::Same, ..Conv2DConfig::new(8, (3, 3)) };
//! let mut layer = config.build::<f32>(&[32, 32, 3], &mut Rng::new(0))?;
//! let y = layer.forward(Array4::ones((2, 32, 32, 3)).into_dyn())?;
//! assert_eq!(y.shape(), [2, 32, 32, 8]);
//! # Ok::<(), layers::LayerError>(())
//! ```

mod conv2d;
mod conv2d_algorithm;
mod conv2d_kernel;
mod global_average_pool2d;
mod lines_per_part;
mod pad;
mod pool2d;
mod pool2d_kernel;
pub mod reference;
mod scratch;
mod whitening;
mod window;
mod winograd;

pub use conv2d::{Conv2D, Conv2DConfig};
pub use conv2d_algorithm::{
    Conv2DAlgorithm, Conv2DGradients, conv2d_algorithm, conv2d_backward, conv2d_backward_bias,
    conv2d_backward_data, conv2d_backward_weights, conv2d_forward,
};
pub use conv2d_kernel::{im2col_backward_data, im2col_backward_weights, im2col_forward};
pub use global_average_pool2d::{
    GlobalAveragePool2D, GlobalAveragePool2DConfig, global_average_pool_backward,
    global_average_pool_forward,
};
pub use pad::Pad;
pub use pool2d::{Pool2D, Pool2DConfig, PoolMode};
pub use pool2d_kernel::{
    average_pool_backward, average_pool_forward, max_pool_backward, max_pool_forward,
};
pub use whitening::{patch_covariance, whitening_filters};
pub use window::Window;
pub use winograd::{
    winograd_applies, winograd_backward_data, winograd_backward_weights, winograd_forward,
};
