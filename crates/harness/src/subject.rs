//! What is checked: an implementation, real or deliberately wrong.

use std::sync::Arc;

use activations::{Activation, ActivationError};
use cnn::{Conv2DConfig, GlobalAveragePool2DConfig, Pad, Pool2DConfig, PoolMode};
use layers::{
    BatchNormConfig, DropoutConfig, FlattenConfig, FullyConnectedConfig, Layer, LayerConfig,
    LayerError,
};
use losses::{Loss, LossError};
use ndarray::{Array2, ArrayD};
use numerics::{Rng, Scalar};
use serde::{Deserialize, Serialize};

use crate::{
    EinsumSubject, MuonSubject, NetworkSubject, RealEinsum, RealNetwork, RealTraining,
    ScheduleSubject, SgdSubject, SmoothingSubject, WhiteningSubject,
};

/// An implementation of one activation, one loss or one class of layers, and which one it claims to
/// be.
#[derive(Clone)]
pub enum Subject<T> {
    /// An activation.
    Activation(Activation, Arc<dyn ActivationSubject<T>>),
    /// A loss.
    Loss(Loss, Arc<dyn LossSubject<T>>),
    /// A class of layers.
    Layer(LayerClass, Arc<dyn LayerSubject<T>>),
    /// The exercises in einsum.
    Einsum(Arc<dyn EinsumSubject>),
    /// A network of layers.
    Network(Arc<dyn NetworkSubject>),
    /// The optimiser, with what question 7 adds to it.
    Sgd(Arc<dyn SgdSubject<T>>),
    /// The optimiser of weight matrices.
    Muon(Arc<dyn MuonSubject<T>>),
    /// The schedules of questions 5 and 7.
    Schedule(Arc<dyn ScheduleSubject>),
    /// Label smoothing.
    Smoothing(Arc<dyn SmoothingSubject<T>>),
    /// The whitening of patches.
    Whitening(Arc<dyn WhiteningSubject<T>>),
}

impl<T: Scalar> Subject<T> {
    /// The implementations that users run: activations, layers, losses, and what trains them.
    #[must_use]
    pub fn all_real() -> Vec<Self> {
        let activations = Activation::ALL.map(|a| Self::Activation(a, Arc::new(a)));
        let layers = LayerClass::ALL.map(|class| Self::Layer(class, Arc::new(Real)));
        let losses = Loss::ALL.map(|loss| Self::Loss(loss, Arc::new(loss)));
        let others = [Self::Network(Arc::new(RealNetwork)), Self::Einsum(Arc::new(RealEinsum))];
        let training = [
            Self::Sgd(Arc::new(RealTraining)),
            Self::Muon(Arc::new(RealTraining)),
            Self::Schedule(Arc::new(RealTraining)),
            Self::Smoothing(Arc::new(RealTraining)),
            Self::Whitening(Arc::new(RealTraining)),
        ];
        activations.into_iter().chain(layers).chain(losses).chain(others).chain(training).collect()
    }

    /// The name of what the subject claims to be, as the course spells it: `"ReLU"`, `"Conv2D"`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Activation(Activation::Linear, _) => "Linear",
            Self::Activation(Activation::Sigmoid, _) => "Sigmoid",
            Self::Activation(Activation::TanH, _) => "TanH",
            Self::Activation(Activation::ReLU, _) => "ReLU",
            Self::Activation(Activation::SoftMax, _) => "SoftMax",
            Self::Activation(Activation::ArcTan, _) => "ArcTan",
            Self::Activation(Activation::GELU, _) => "GELU",
            Self::Loss(Loss::CrossEntropy, _) => "CrossEntropy",
            Self::Loss(Loss::L2, _) => "L2",
            Self::Loss(Loss::SoftmaxCrossEntropy, _) => "SoftmaxCrossEntropy",
            Self::Einsum(_) => "Einsum",
            Self::Network(_) => "NeuralNetwork",
            Self::Layer(class, _) => class.name(),
            Self::Sgd(_) => "SgdForTraining",
            Self::Muon(_) => "Muon",
            Self::Schedule(_) => "Schedule",
            Self::Smoothing(_) => "LabelSmoothing",
            Self::Whitening(_) => "Whitening",
        }
    }

    /// The question of the assignment that asks for it.
    #[must_use]
    pub fn question(&self) -> &'static str {
        match self {
            Self::Activation(Activation::SoftMax, _) => "4.3",
            Self::Activation(Activation::GELU, _) => "7",
            Self::Activation(..) => "4.1",
            Self::Einsum(_) => "6.1",
            Self::Network(_) => "5",
            Self::Loss(..) => "4.4",
            Self::Sgd(_)
            | Self::Muon(_)
            | Self::Schedule(_)
            | Self::Smoothing(_)
            | Self::Whitening(_) => "7",
            Self::Layer(LayerClass::FullyConnected, _) => "4.2",
            Self::Layer(LayerClass::Pool2D, _) => "6.3",
            Self::Layer(
                LayerClass::GlobalAveragePool2D | LayerClass::BatchNorm | LayerClass::Dropout,
                _,
            ) => "7",
            Self::Layer(LayerClass::Conv2D | LayerClass::Flatten, _) => "6.2",
        }
    }
}

/// An activation under test.
pub trait ActivationSubject<T>: Send + Sync {
    /// `Y = σ(Z)`.
    fn forward(&self, z: &ArrayD<T>) -> ArrayD<T>;

    /// `dL/dZ`.
    ///
    /// # Errors
    /// If the shapes differ.
    fn backward(&self, z: &ArrayD<T>, dl_dy: &ArrayD<T>) -> Result<ArrayD<T>, ActivationError>;
}

impl<T: Scalar> ActivationSubject<T> for Activation {
    fn forward(&self, z: &ArrayD<T>) -> ArrayD<T> {
        Self::forward(*self, z)
    }

    fn backward(&self, z: &ArrayD<T>, dl_dy: &ArrayD<T>) -> Result<ArrayD<T>, ActivationError> {
        Self::backward(*self, z, dl_dy)
    }
}

/// A loss under test.
pub trait LossSubject<T>: Send + Sync {
    /// The loss of a mini-batch.
    ///
    /// # Errors
    /// As [`Loss::forward`].
    fn forward(&self, target: &Array2<T>, output: &Array2<T>) -> Result<T, LossError>;

    /// `dL/dŶ`.
    ///
    /// # Errors
    /// As [`Loss::backward`].
    fn backward(&self, target: &Array2<T>, output: &Array2<T>) -> Result<Array2<T>, LossError>;
}

impl<T: Scalar> LossSubject<T> for Loss {
    fn forward(&self, target: &Array2<T>, output: &Array2<T>) -> Result<T, LossError> {
        Self::forward(*self, target.view(), output.view())
    }

    fn backward(&self, target: &Array2<T>, output: &Array2<T>) -> Result<Array2<T>, LossError> {
        Self::backward(*self, target.view(), output.view())
    }
}

/// The layers of the course, and those for training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LayerClass {
    /// Question 4.2.
    FullyConnected,
    /// Given by the course.
    Flatten,
    /// Question 6.2.
    Conv2D,
    /// Question 6.3.
    Pool2D,
    /// Question 7.
    GlobalAveragePool2D,
    /// Question 7.
    BatchNorm,
    /// Question 7.
    Dropout,
}

impl LayerClass {
    /// Every class.
    pub const ALL: [Self; 7] = [
        Self::FullyConnected,
        Self::Flatten,
        Self::Conv2D,
        Self::Pool2D,
        Self::GlobalAveragePool2D,
        Self::BatchNorm,
        Self::Dropout,
    ];

    /// The name as the course spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FullyConnected => "FullyConnected",
            Self::Flatten => "Flatten",
            Self::Conv2D => "Conv2D",
            Self::Pool2D => "Pool2D",
            Self::GlobalAveragePool2D => "GlobalAveragePool2D",
            Self::BatchNorm => "BatchNorm",
            Self::Dropout => "Dropout",
        }
    }
}

/// A layer and the shape of one input example: all that is needed to build it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "layer", deny_unknown_fields)]
pub enum LayerSpec {
    /// A fully-connected layer.
    FullyConnected {
        /// Input units.
        n_in: usize,
        /// Output units.
        n_out: usize,
        /// The activation.
        activation: Activation,
        /// Whether there is a bias.
        #[serde(default = "yes", skip_serializing_if = "bool::clone")]
        bias: bool,
    },
    /// A flattening layer.
    Flatten {
        /// The shape of one example.
        input_shape: Vec<usize>,
    },
    /// A convolution.
    Conv2D {
        /// Rows, columns and channels of an image.
        input_shape: [usize; 3],
        /// Filters.
        n_out: usize,
        /// Rows and columns of a filter.
        kernel_shape: (usize, usize),
        /// The stride.
        stride: usize,
        /// The padding.
        pad: Pad,
        /// The activation.
        activation: Activation,
        /// Whether there is a bias.
        #[serde(default = "yes", skip_serializing_if = "bool::clone")]
        bias: bool,
    },
    /// A pooling layer.
    Pool2D {
        /// Rows, columns and channels of an image.
        input_shape: [usize; 3],
        /// Maximum or average.
        mode: PoolMode,
        /// Rows and columns of a window.
        kernel_shape: (usize, usize),
        /// The stride.
        stride: usize,
        /// The padding.
        pad: Pad,
    },
    /// A global average pooling.
    GlobalAveragePool2D {
        /// Rows, columns and channels of an image.
        input_shape: [usize; 3],
    },
    /// A batch normalisation.
    BatchNorm {
        /// The shape of one example: one axis or three.
        input_shape: Vec<usize>,
        /// What is added to the variance.
        eps: f64,
        /// The weight of the newest batch in the running statistics.
        momentum: f64,
        /// The activation.
        activation: Activation,
        /// Whether there is a scale.
        #[serde(default = "yes", skip_serializing_if = "bool::clone")]
        scale: bool,
    },
    /// A dropout.
    Dropout {
        /// The shape of one example.
        input_shape: Vec<usize>,
        /// The probability that an element is dropped.
        rate: f64,
    },
}

/// What a case means that does not mention a bias or a scale.
fn yes() -> bool {
    true
}

impl LayerSpec {
    /// The class of the layer.
    #[must_use]
    pub fn class(&self) -> LayerClass {
        match self {
            Self::FullyConnected { .. } => LayerClass::FullyConnected,
            Self::Flatten { .. } => LayerClass::Flatten,
            Self::Conv2D { .. } => LayerClass::Conv2D,
            Self::Pool2D { .. } => LayerClass::Pool2D,
            Self::GlobalAveragePool2D { .. } => LayerClass::GlobalAveragePool2D,
            Self::BatchNorm { .. } => LayerClass::BatchNorm,
            Self::Dropout { .. } => LayerClass::Dropout,
        }
    }

    /// The shape of one input example.
    #[must_use]
    pub fn input_shape(&self) -> Vec<usize> {
        match self {
            Self::FullyConnected { n_in, .. } => vec![*n_in],
            Self::Flatten { input_shape }
            | Self::BatchNorm { input_shape, .. }
            | Self::Dropout { input_shape, .. } => input_shape.clone(),
            Self::Conv2D { input_shape, .. }
            | Self::Pool2D { input_shape, .. }
            | Self::GlobalAveragePool2D { input_shape } => input_shape.to_vec(),
        }
    }

    /// The names of the parameters that it asks for.
    #[must_use]
    pub fn parameter_names(&self) -> &'static [&'static str] {
        match self {
            Self::FullyConnected { bias: true, .. } | Self::Conv2D { bias: true, .. } => {
                &["W", "b"]
            }
            Self::FullyConnected { .. } | Self::Conv2D { .. } => &["W"],
            Self::BatchNorm { scale: true, .. } => &["gamma", "beta"],
            Self::BatchNorm { .. } => &["beta"],
            Self::Flatten { .. }
            | Self::Pool2D { .. }
            | Self::GlobalAveragePool2D { .. }
            | Self::Dropout { .. } => &[],
        }
    }

    /// The same with or without what can be left out: a bias, a scale.
    #[must_use]
    pub(crate) fn with(mut self, there: bool) -> Self {
        if let Self::FullyConnected { bias: part, .. }
        | Self::Conv2D { bias: part, .. }
        | Self::BatchNorm { scale: part, .. } = &mut self
        {
            *part = there;
        }
        self
    }

    /// The configuration of the real layer.
    #[must_use]
    pub fn config<T: Scalar>(&self) -> Box<dyn LayerConfig<T>> {
        match *self {
            Self::FullyConnected { n_out, activation, bias, .. } => {
                let config = FullyConnectedConfig::new(n_out);
                Box::new(FullyConnectedConfig { activation, bias, ..config })
            }
            Self::Flatten { .. } => Box::new(FlattenConfig),
            Self::Conv2D { n_out, kernel_shape, stride, pad, activation, bias, .. } => {
                let config = Conv2DConfig::new(n_out, kernel_shape);
                Box::new(Conv2DConfig { stride, pad, activation, bias, ..config })
            }
            Self::Pool2D { mode, kernel_shape, stride, pad, .. } => {
                Box::new(Pool2DConfig { pad, ..Pool2DConfig::new(mode, kernel_shape, stride) })
            }
            Self::GlobalAveragePool2D { .. } => Box::new(GlobalAveragePool2DConfig),
            Self::BatchNorm { eps, momentum, activation, scale, .. } => {
                Box::new(BatchNormConfig { eps, momentum, activation, scale })
            }
            Self::Dropout { rate, .. } => Box::new(DropoutConfig { rate }),
        }
    }
}

/// A class of layers under test.
pub trait LayerSubject<T>: Send + Sync {
    /// The layer that `spec` declares.
    ///
    /// # Errors
    /// If the specification is invalid.
    fn build(&self, spec: &LayerSpec, rng: &mut Rng) -> Result<Box<dyn Layer<T>>, LayerError>;
}

/// The layers that users run.
#[derive(Clone, Copy, Debug)]
pub struct Real;

impl<T: Scalar> LayerSubject<T> for Real {
    fn build(&self, spec: &LayerSpec, rng: &mut Rng) -> Result<Box<dyn Layer<T>>, LayerError> {
        spec.config().build_boxed(&spec.input_shape(), rng)
    }
}
