//! A folder in which the program runs, with its data and cache; it asks no network.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use cnn::Conv2DConfig;
use datasets::{Augmentation, CIFAR10_CLASSES, FASHION_MNIST_CLASSES, ImageSet, cifar10_sample};
use experiment::{Config, Data, Evaluation, Program};
use layers::FullyConnectedConfig;
use ndarray::{Array, Array4, ArrayD};
use ndarray_npy::write_npy;
use numerics::Rng;
use optim::{Schedule, SgdConfig};
use system::for_tests::ran;
use tempfile::TempDir;
use training::{
    Finished, ImageBatches, Interrupt, LayerSpec, Model, ModelSpec, Monitor, Progress, Run,
    RunConfig,
};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_kaggle");

pub(crate) struct Machine {
    folder: TempDir,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A machine with the checkpoint `model.safetensors` of a small convolutional network, trained for an epoch
    /// on the sample.
    pub(crate) fn with_checkpoint() -> Self {
        let machine = Self::new();
        let sample = &cifar10_sample().unwrap();
        machine.keep("model.safetensors", sample, small_model(sample, 0.5));
        machine
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program, with nothing of the user's environment.
    pub(crate) fn command(&self) -> Command {
        self.enclosed(PROGRAM)
    }

    /// Another program, in the same environment.
    pub(crate) fn enclosed(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env_remove("CS189_DATA");
        command.env("HOME", self.path("home")).env("XDG_CACHE_HOME", self.path("home/cache"));
        command
    }

    /// What the program prints on both streams.
    pub(crate) fn succeed(&self, arguments: &str) -> (String, String) {
        ran(self.command().args(arguments.split_whitespace()), 0).into()
    }

    /// The message of a command that must end with this exit code.
    pub(crate) fn fail(&self, arguments: &str, code: i32) -> String {
        let [_, error] = ran(self.command().args(arguments.split_whitespace()), code);
        assert!(error.contains("error: "), "{error}");
        error
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The classes in a submission, which has to be as the competition asks.
    pub(crate) fn classes(&self, name: &str) -> Vec<usize> {
        let text = self.read(name);
        let classes = text.lines().skip(1).map(|row| row.split_once(',').unwrap().1);
        let classes: Vec<usize> = classes.map(|class| class.parse().unwrap()).collect();
        assert_eq!(text, csv(&classes));
        classes
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        system::for_tests::write(self.folder.path(), name, bytes);
    }

    /// The names in the folder, in order, without the checkpoint and the images.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = system::for_tests::names(self.folder.path());
        let input = |name: &String| name.ends_with(".safetensors") || name.ends_with(".npy");
        names.retain(|name| !input(name) && name != "runs");
        names
    }

    /// Writes the images as rows of the competition's form.
    pub(crate) fn npy(&self, name: &str, images: &Array4<u8>) {
        let rows = Array::from_shape_fn((images.dim().0, 3072), |(n, i)| {
            images[[n, i % 1024 / 32, i % 32, i / 1024]]
        });
        write_npy(self.path(name), &rows).unwrap();
    }

    /// Such a network as a record in `experiments/`, with this result on the test set; its folder.
    pub(crate) fn record(&self, name: &str, test: Option<Evaluation>) -> PathBuf {
        self.unfinished(name).finish(test).unwrap();
        self.path("experiments").join(name)
    }

    /// The same as the record of a training that was killed before its end.
    pub(crate) fn unfinished(&self, name: &str) -> Finished {
        let sample = &cifar10_sample().unwrap();
        self.train("experiments", name, sample, small_model(sample, 0.5))
    }

    /// A checkpoint for images of 28 x 28 x 1 in the classes of Fashion-MNIST.
    pub(crate) fn fashion_mnist_checkpoint(&self, name: &str) {
        let labels = (0..20).map(|n| n % 10).collect();
        let images = Array4::zeros((20, 28, 28, 1));
        let set = ImageSet::new(images, labels, &FASHION_MNIST_CLASSES).unwrap();
        self.keep(name, &set, small_model(&set, 0.5));
    }

    /// Weights that are finite, and whose logits are too for black images, but not for white ones.
    pub(crate) fn overflowing_checkpoint(&self, name: &str) {
        let labels = (0..20).map(|n| n % 10).collect();
        let black = Array4::zeros((20, 32, 32, 3));
        let black = ImageSet::new(black, labels, &CIFAR10_CLASSES).unwrap();
        let mut model = small_model(&black, 0.0);
        let large = ArrayD::from_elem(vec![3, 3, 3, 4], 1e37);
        model.network_mut().layers_mut()[0].set_parameter("W", &large).unwrap();
        self.keep(name, &black, model);
    }

    /// Trains a model, and copies its checkpoint.
    fn keep(&self, name: &str, set: &ImageSet, model: Model) {
        let finished = self.train("runs", name, set, model);
        fs::copy(finished.run.last_checkpoint(), self.path(name)).unwrap();
    }

    fn train(&self, root: &str, name: &str, set: &ImageSet, model: Model) -> Finished {
        let sha256 = "0".repeat(64);
        let config = RunConfig {
            epochs: 1,
            batch_size: 10,
            seed: 7,
            sgd: SgdConfig::default(),
            schedule: Schedule::Constant { lr: 1e-3 },
            groups: vec![],
            label_smoothing: 0.0,
            augmentation: "none".to_owned(),
            data_sha256: sha256.clone(),
        };
        let data =
            Data { name: "cifar-10".to_owned(), sha256, train: set.len(), validation: 0, test: 0 };
        let model_name = name.replace(['/', '.'], "-").parse().unwrap();
        let record = Config::new(model_name, "a command", 7, data, &config).unwrap();
        let program = Program { name: "tests".into(), version: "1".into(), revision: None };
        let source = ImageBatches::new(set, &model, 10, 7, Augmentation::default()).unwrap();
        let monitor = Monitor::new(set, None, 7).unwrap();
        let run = Run::begin(&self.path(root), &record, program, false, model, config).unwrap();
        let ended = run.train(&source, &monitor, &Interrupt::default(), &mut Progress::new(true));
        ended.unwrap().expect("nobody interrupts it")
    }
}

/// A convolutional network for the images of a set, of which this is the mean.
fn small_model(set: &ImageSet, mean: f64) -> Model {
    let (_, rows, cols, channels) = set.images().dim();
    let spec = ModelSpec {
        name: "small".to_owned(),
        input_shape: [rows, cols, channels],
        class_names: set.class_names().iter().map(|&name| name.to_owned()).collect(),
        mean: vec![mean; channels],
        std: vec![0.25; channels],
        layers: vec![
            LayerSpec::Conv2D(Conv2DConfig::new(4, (3, 3))),
            LayerSpec::Flatten,
            LayerSpec::FullyConnected(FullyConnectedConfig::new(10)),
        ],
    };
    Model::build(spec, &mut Rng::new(7)).unwrap()
}

/// Images that are all different, some of each brightness.
pub(crate) fn images(n: usize) -> Array4<u8> {
    let mut rng = Rng::new(3);
    let mut images = Array4::zeros((n, 32, 32, 3));
    for mut image in images.outer_iter_mut() {
        let [base, range] = [rng.uniform(), rng.uniform()].map(|u| 128.0 * u);
        image.mapv_inplace(|_: u8| (base + range * rng.uniform()) as u8);
    }
    images
}

/// The submission of these classes.
pub(crate) fn csv(classes: &[usize]) -> String {
    let rows = classes.iter().zip(1..).map(|(class, id)| format!("{id},{class}\n"));
    std::iter::once("Id,Category\n".to_owned()).chain(rows).collect()
}

/// The line that begins so.
pub(crate) fn line<'a>(text: &'a str, start: &str) -> &'a str {
    let found = text.lines().find(|line| line.starts_with(start));
    found.unwrap_or_else(|| panic!("no line begins with {start:?}:\n{text}"))
}
