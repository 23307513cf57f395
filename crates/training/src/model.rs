//! A network together with its purpose.

use activations::Activation;
use datasets::{ImageSet, argmax, one_hot};
use experiment::Evaluation;
use losses::Loss;
use ndarray::{Array2, Array4, ArrayD, ArrayView4, Axis};
use network::NeuralNetwork;
use numerics::Rng;
use rayon::prelude::*;

use crate::learner::evaluation;
use crate::model_spec::PixelScaling;
use crate::{ModelSpec, Trainable, TrainingError};

/// A network that classifies images, and its description.
#[derive(Debug)]
pub struct Model {
    spec: ModelSpec,
    network: NeuralNetwork<f32>,
    scaling: PixelScaling,
}

/// The number of images that are predicted at once. Fixed, so that the bits of a prediction depend on nothing
/// but the images; small, so that all threads together need little memory.
const PREDICTED_AT_ONCE: usize = 64;

impl Model {
    /// The model of this description, with parameters drawn from `rng`, layer by layer.
    ///
    /// # Errors
    /// [`TrainingError::Refused`] if the description contradicts itself, [`TrainingError::Network`] if
    /// a layer is invalid or does not fit what comes out of the one before.
    pub fn build(spec: ModelSpec, rng: &mut Rng) -> Result<Self, TrainingError> {
        let scaling = spec.pixel_scaling()?;
        let (configs, loss) = (spec.layer_configs(), Loss::SoftmaxCrossEntropy);
        let network = NeuralNetwork::build(&configs, &spec.input_shape, loss, rng)?;
        let last = network.layers().last().expect("a network has at least one layer");
        if last.output_shape() != [spec.class_names.len()] {
            let what = format!("model {:?}: the output of the last layer", spec.name);
            let expected = format!("[{}], one logit for each class", spec.class_names.len());
            let got = format!("{:?}", last.output_shape());
            return Err(TrainingError::config(what, expected, got));
        }
        Ok(Self { spec, network, scaling })
    }

    /// The description.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// The network.
    pub fn network(&self) -> &NeuralNetwork<f32> {
        &self.network
    }

    /// The network, to train it.
    pub fn network_mut(&mut self) -> &mut NeuralNetwork<f32> {
        &mut self.network
    }

    /// Images as the network takes them.
    ///
    /// # Shapes
    /// images and result: `(n, rows, cols, channels)`.
    ///
    /// # Errors
    /// [`TrainingError::Refused`] if there is none, or they have another size than the model's.
    pub fn input(&self, images: ArrayView4<'_, u8>) -> Result<ArrayD<f32>, TrainingError> {
        self.check_images(images)?;
        Ok(self.scaled(images))
    }

    /// The probability of each class for each image. Images are taken in chunks of a fixed size, in
    /// parallel; the result has the same bits for any number of threads.
    ///
    /// # Shapes
    /// images `(n, rows, cols, channels)`, result `(n, classes)`.
    ///
    /// # Errors
    /// As [`input`](Self::input), and [`TrainingError::Dataset`] with the first image for which the output
    /// of the network is not finite.
    pub fn predict(&self, images: ArrayView4<'_, u8>) -> Result<Array2<f32>, TrainingError> {
        let logits = self.logits(images)?;
        argmax(logits.view())?;
        Ok(Activation::SoftMax.forward(&logits))
    }

    /// Loss and error on labelled images, and the probability of each class for each of them.
    ///
    /// # Errors
    /// As [`check_set`](Self::check_set) and [`predict`](Self::predict).
    pub fn evaluate(&self, set: &ImageSet) -> Result<(Evaluation, Array2<f32>), TrainingError> {
        self.check_set(set)?;
        let logits = self.logits(set.images().view())?;
        let labels: Vec<usize> = set.labels().iter().map(|&label| label.into()).collect();
        let targets = one_hot::<f32>(&labels, self.spec.class_names.len())?;
        let loss = self.network.loss();
        let evaluation = evaluation(loss, targets.view(), logits.view(), PREDICTED_AT_ONCE)?;
        Ok((evaluation, Activation::SoftMax.forward(&logits)))
    }

    /// Checks that the images and classes of a set are those of the model.
    ///
    /// # Errors
    /// [`TrainingError::Refused`] if the classes are not the model's, and as [`input`](Self::input).
    pub fn check_set(&self, set: &ImageSet) -> Result<(), TrainingError> {
        self.check_images(set.images().view())?;
        if set.class_names().iter().ne(&self.spec.class_names) {
            return Err(TrainingError::Refused(format!(
                "model {:?} knows the classes {}, but the images have {}",
                self.spec.name,
                self.spec.class_names.join(", "),
                set.class_names().join(", ")
            )));
        }
        Ok(())
    }

    /// The numbers of which [`predict`](Self::predict) takes the softmax, finite or not.
    ///
    /// # Shapes
    /// images `(n, rows, cols, channels)`, result `(n, classes)`.
    pub fn logits(&self, images: ArrayView4<'_, u8>) -> Result<Array2<f32>, TrainingError> {
        self.check_images(images)?;
        let chunks: Vec<_> = images.axis_chunks_iter(Axis(0), PREDICTED_AT_ONCE).collect();
        let logits = chunks
            .into_par_iter()
            .map(|chunk| Ok(self.network.infer(&self.scaled(chunk))?))
            .collect::<Result<Vec<_>, TrainingError>>()?;
        let views: Vec<_> = logits.iter().map(|rows| rows.view()).collect();
        Ok(ndarray::concatenate(Axis(0), &views)
            .expect("every chunk has one column for each class"))
    }

    fn scaled(&self, images: ArrayView4<'_, u8>) -> ArrayD<f32> {
        let mut x = Array4::zeros(images.raw_dim());
        for (image, out) in images.outer_iter().zip(x.outer_iter_mut()) {
            self.scaling.scale(image, out);
        }
        x.into_dyn()
    }

    fn check_images(&self, images: ArrayView4<'_, u8>) -> Result<(), TrainingError> {
        let (n, shape) = (images.shape()[0], &images.shape()[1..]);
        if n > 0 && shape == self.spec.input_shape {
            return Ok(());
        }
        let ModelSpec { name, input_shape: [rows, cols, channels], .. } = &self.spec;
        Err(TrainingError::Refused(format!(
            "model {name:?} takes images of shape (n, {rows}, {cols}, {channels}) with n >= 1, but got {:?}",
            images.shape()
        )))
    }
}

impl Trainable for Model {
    type Number = f32;
    type Examples = ImageSet;

    fn network_mut(&mut self) -> &mut NeuralNetwork<f32> {
        &mut self.network
    }

    fn measure(&self, set: &ImageSet) -> Result<Evaluation, TrainingError> {
        Ok(self.evaluate(set)?.0)
    }
}
