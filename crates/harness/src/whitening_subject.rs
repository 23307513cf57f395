//! What is checked of the whitening of patches.

use cnn::{patch_covariance, whitening_filters};
use layers::LayerError;
use ndarray::{Array2, Array4};
use numerics::Scalar;

use crate::RealTraining;

/// Whitening under test.
pub trait WhiteningSubject<T>: Send + Sync {
    /// The covariance of the patches.
    ///
    /// # Errors
    /// As [`patch_covariance`].
    fn covariance(
        &self,
        images: &Array4<T>,
        kernel_shape: (usize, usize),
    ) -> Result<Array2<f64>, LayerError>;

    /// The filters.
    ///
    /// # Errors
    /// As [`whitening_filters`].
    fn filters(
        &self,
        images: &Array4<T>,
        kernel_shape: (usize, usize),
        eps: f64,
    ) -> Result<Array4<T>, LayerError>;
}

impl<T: Scalar> WhiteningSubject<T> for RealTraining {
    fn covariance(
        &self,
        images: &Array4<T>,
        kernel_shape: (usize, usize),
    ) -> Result<Array2<f64>, LayerError> {
        patch_covariance(images.view(), kernel_shape)
    }

    fn filters(
        &self,
        images: &Array4<T>,
        kernel_shape: (usize, usize),
        eps: f64,
    ) -> Result<Array4<T>, LayerError> {
        whitening_filters(images.view(), kernel_shape, eps)
    }
}
