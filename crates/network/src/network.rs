//! The feed-forward network.

use activations::Activation;
use layers::{Layer, LayerConfig, LayerError, LayerShapes};
use losses::Loss;
use ndarray::{Array2, ArrayD, ArrayView2, Ix2};
use numerics::{Rng, Scalar, recycle};
use optim::{OptimError, Sgd, Step};

use crate::pass::{Pass, at};
use crate::{NetworkError, Part, Profile, Profiler};

/// Layers in a row, and the loss of what comes out of the last.
///
/// With [`Loss::CrossEntropy`] the last activation is softmax and the output is probabilities. With
/// [`Loss::SoftmaxCrossEntropy`] the softmax belongs to the loss: [`forward`](Self::forward) gives
/// logits, which the loss takes, and [`predict`](Self::predict) probabilities.
///
/// Question 5.
#[derive(Debug)]
pub struct NeuralNetwork<T: Scalar> {
    layers: Vec<Box<dyn Layer<T>>>,
    loss: Loss,
    /// Where the backward pass ends.
    first: usize,
    profiler: Profiler,
}

impl<T: Scalar> NeuralNetwork<T> {
    /// The network for inputs whose examples have this shape, with parameters drawn from `rng`,
    /// layer by layer.
    ///
    /// # Errors
    /// [`NetworkError::Layer`] if a layer is invalid or does not fit what comes out of the one before,
    /// [`NetworkError::Refused`] if there is none, or the last does not go with the loss.
    pub fn build(
        configs: &[Box<dyn LayerConfig<T>>],
        input_shape: &[usize],
        loss: Loss,
        rng: &mut Rng,
    ) -> Result<Self, NetworkError> {
        Self::shapes(configs, input_shape)?;
        let mut layers: Vec<Box<dyn Layer<T>>> = Vec::with_capacity(configs.len());
        for (index, config) in configs.iter().enumerate() {
            let shape = layers.last().map_or(input_shape, |layer| layer.output_shape());
            let layer = config.build_boxed(shape, rng).map_err(at(index))?;
            layers.push(layer);
        }
        Self::new(layers, loss)
    }

    /// The shapes of the layers that [`build`](Self::build) would make.
    ///
    /// # Errors
    /// [`NetworkError::Layer`] as of [`build`](Self::build), before memory is taken for any layer.
    pub fn shapes(
        configs: &[Box<dyn LayerConfig<T>>],
        input_shape: &[usize],
    ) -> Result<Vec<LayerShapes>, NetworkError> {
        let mut all: Vec<LayerShapes> = Vec::with_capacity(configs.len());
        for (index, config) in configs.iter().enumerate() {
            let shape = all.last().map_or(input_shape, LayerShapes::output);
            let shapes = config.shapes(shape).map_err(at(index))?;
            all.push(shapes);
        }
        Ok(all)
    }

    /// The network of layers that exist already.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn new(layers: Vec<Box<dyn Layer<T>>>, loss: Loss) -> Result<Self, NetworkError> {
        for (index, pair) in layers.windows(2).enumerate() {
            let (given, expected) = (pair[0].output_shape(), pair[1].input_shape());
            if given != expected {
                let (layer, expected) = (pair[1].kind(), expected.to_vec());
                let got = [&[1], given].concat();
                return Err(at(index + 1)(LayerError::Input { layer, expected, got }));
            }
        }
        let refused = |reason: String| Err(NetworkError::Refused(reason));
        let Some(last) = layers.last() else {
            return refused("a network must have at least one layer, but has none".to_owned());
        };
        if last.output_shape().len() != 1 {
            return refused(format!(
                "the last layer must give each example one axis of outputs, but gives shape {:?}: put a \
                 Flatten layer behind it",
                last.output_shape()
            ));
        }
        let got = last.activation();
        let expected = match (loss, got == Activation::SoftMax) {
            (Loss::CrossEntropy, false) => "softmax",
            (Loss::SoftmaxCrossEntropy, true) => "anything but softmax, which it has itself,",
            _ => return Ok(Self { layers, loss, first: 0, profiler: Profiler::default() }),
        };
        refused(format!("the loss {loss} needs {expected} as the last activation, but got {got}"))
    }

    /// The output of the last layer for a mini-batch; writes the caches.
    ///
    /// # Shapes
    /// `x: (m, ...)`, result `(m, k)`.
    ///
    /// # Errors
    /// [`NetworkError::Layer`] if the mini-batch is empty or has another shape than the network.
    // ANCHOR: forward
    pub fn forward(&mut self, x: ArrayD<T>) -> Result<Array2<T>, NetworkError> {
        let mut out = x;
        for layer in self.pass(0) {
            out = layer.forward(out)?;
        }
        Ok(matrix(out))
    }
    // ANCHOR_END: forward

    /// The loss of what [`forward`](Self::forward) gave; fills the gradients of every layer.
    ///
    /// # Shapes
    /// `target`, `out`: `(m, k)`.
    ///
    /// # Errors
    /// [`NetworkError::Loss`] if the shapes differ or a target is no distribution,
    /// [`NetworkError::Layer`] if there was no forward pass.
    // ANCHOR: backward
    pub fn backward(
        &mut self,
        target: ArrayView2<'_, T>,
        out: ArrayView2<'_, T>,
    ) -> Result<T, NetworkError> {
        let loss = self.loss.forward(target, out)?;
        let mut dl_dy = self.loss.backward(target, out)?.into_dyn();
        for layer in self.pass(self.first).rev() {
            dl_dy = layer.backward(dl_dy)?;
        }
        Ok(loss)
    }
    // ANCHOR_END: backward

    /// As [`backward`](Self::backward), but no further than to layer `first`: the gradients of the layers
    /// before it stay what they are. Nobody needs them if those layers are not trained.
    ///
    /// # Errors
    /// As [`backward`](Self::backward).
    pub fn backward_to(
        &mut self,
        first: usize,
        target: ArrayView2<'_, T>,
        out: ArrayView2<'_, T>,
    ) -> Result<T, NetworkError> {
        self.first = first;
        let started = self.profiler.start();
        let loss = self.backward(target, out);
        self.profiler.stop(Part::Loss, started);
        self.first = 0;
        loss
    }

    /// The layers from `first` on, as the two passes go through them.
    fn pass(&mut self, first: usize) -> impl DoubleEndedIterator<Item = Pass<'_, T>> {
        let profiler = &self.profiler;
        self.layers.iter_mut().enumerate().skip(first).map(move |(index, layer)| Pass {
            index,
            layer: layer.as_mut(),
            is_first: index == first,
            profiler,
        })
    }

    /// One step of one SGD for every parameter, with the gradients of the last backward pass. A training calls
    /// [`update_each`](Self::update_each) with `optim::Grouped`.
    ///
    /// Its name is `"{layer}.{parameter}"`, the layer counted from 0. Weight decay acts on what
    /// [`Layer::decaying_parameters`] lists.
    ///
    /// # Errors
    /// [`NetworkError::Optim`] if the learning rate is not valid.
    // ANCHOR: update
    pub fn update(&mut self, optimiser: &mut Sgd<T>, lr: f64) -> Result<(), NetworkError> {
        self.update_each(|name, parameter, gradient, decays| {
            optimiser.update(name, parameter, gradient, Step { lr, decays })
        })
    }

    /// Calls `step` with the name of every parameter, the parameter, its gradient of the last backward
    /// pass, and whether weight decay acts on it.
    ///
    /// # Errors
    /// [`NetworkError::Optim`] with the first error of `step`.
    pub fn update_each(
        &mut self,
        mut step: impl FnMut(&str, &mut ArrayD<T>, &ArrayD<T>, bool) -> Result<(), OptimError>,
    ) -> Result<(), NetworkError> {
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let decaying = layer.decaying_parameters();
            let (parameters, gradients) = layer.parameters_and_gradients();
            for (name, parameter) in parameters.iter_mut() {
                let (decays, gradient) = (decaying.contains(&name), &gradients[name]);
                let name = parameter_name(index, name);
                let update = || step(&name, parameter, gradient, decays);
                self.profiler.time(Part::Update, update)?;
            }
        }
        Ok(())
    }
    // ANCHOR_END: update

    /// The Euclidean norm of all parameters on which weight decay acts.
    pub fn weight_norm(&self) -> f64 {
        let weights = self.layers.iter().flat_map(|layer| {
            layer.decaying_parameters().into_iter().filter_map(|name| layer.parameters().get(name))
        });
        weights.flatten().map(|w| w.as_f64() * w.as_f64()).sum::<f64>().sqrt()
    }

    /// The first layer with a parameter that is trained; the number of layers if there is none.
    pub fn first_trained(&self, is_trained: impl Fn(&str) -> bool) -> usize {
        let mut names = self.layers.iter().enumerate().map(|(index, layer)| {
            layer.parameters().names().map(move |name| parameter_name(index, name))
        });
        names.position(|mut names| names.any(|name| is_trained(&name))).unwrap_or(self.layers.len())
    }

    /// The prediction for a mini-batch, without caches: probabilities if the loss is a
    /// cross-entropy, otherwise what comes out of the last layer.
    ///
    /// # Shapes
    /// `x: (m, ...)`, result `(m, k)`.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    // ANCHOR: predict
    pub fn predict(&self, x: &ArrayD<T>) -> Result<Array2<T>, NetworkError> {
        let out = self.infer(x)?;
        Ok(match self.loss {
            Loss::SoftmaxCrossEntropy => Activation::SoftMax.forward(&out),
            Loss::CrossEntropy | Loss::L2 => out,
        })
    }
    // ANCHOR_END: predict

    /// The layers in order.
    pub fn layers(&self) -> &[Box<dyn Layer<T>>] {
        &self.layers
    }

    /// The layers in order, to set their parameters.
    pub fn layers_mut(&mut self) -> &mut [Box<dyn Layer<T>>] {
        &mut self.layers
    }

    /// The loss.
    pub fn loss(&self) -> Loss {
        self.loss
    }

    /// The clock of the parts of a training step; switched off at first.
    pub fn profiler_mut(&mut self) -> &mut Profiler {
        &mut self.profiler
    }

    /// The time of the steps since [`Profiler::switch_on`], part by part.
    pub fn profile(&self) -> Option<Profile> {
        self.profiler.profile()
    }

    /// Every parameter with its name `"{layer}.{parameter}"`.
    pub fn parameters(&self) -> impl Iterator<Item = (String, &ArrayD<T>)> {
        self.layers.iter().enumerate().flat_map(|(index, layer)| {
            let named = layer.parameters().iter();
            named.map(move |(name, array)| (parameter_name(index, name), array))
        })
    }

    /// The output of the last layer, without caches: logits, where the softmax belongs to the loss.
    ///
    /// # Shapes
    /// `x: (m, ...)`, result `(m, k)`.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    // ANCHOR: infer
    pub fn infer(&self, x: &ArrayD<T>) -> Result<Array2<T>, NetworkError> {
        let mut out: Option<ArrayD<T>> = None;
        for (index, layer) in self.layers.iter().enumerate() {
            let y = layer.predict(out.as_ref().unwrap_or(x)).map_err(at(index))?;
            if let Some(x) = out.replace(y) {
                recycle(x);
            }
        }
        Ok(matrix(out.expect("a network has at least one layer")))
    }
    // ANCHOR_END: infer
}

fn parameter_name(layer: usize, name: &str) -> String {
    format!("{layer}.{name}")
}

fn matrix<T: Scalar>(out: ArrayD<T>) -> Array2<T> {
    out.into_dimensionality::<Ix2>().expect("the last layer gives each example one axis")
}
