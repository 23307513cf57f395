//! Checkpoints: a model, its origin, and the state of its training.

use std::fs;
use std::path::Path;

use experiment::{ExperimentError, files};
use half::f16;
use network::NeuralNetwork;
use numerics::Rng;
use serde::de::DeserializeOwned;

use crate::run_state::RunState;
use crate::tensor_file::TensorFile;
use crate::{Model, ModelSpec, Provenance, TrainingError};

/// A trained model, its origin, and, unless it is [`weights_only`](Self::weights_only), the state that
/// it takes to train it further.
///
/// The file is safetensors. All tensors are `F32`, but the parameters of one that was
/// [rounded](Self::rounded_to_half), which are `F16`.
///
/// | name | content |
/// |---|---|
/// | `model.{layer}.{name}` | a parameter; layers count from 0 |
/// | `buffer.{layer}.{name}` | a buffer, such as running statistics |
/// | `velocity.{layer}.{name}` | the optimiser's velocity of a parameter, unless it is frozen |
/// | metadata `format_version` | `1` |
/// | metadata `model` | [`ModelSpec`] as JSON |
/// | metadata `provenance` | [`Provenance`] as JSON |
/// | metadata `run` | [`RunConfig`](crate::RunConfig), position, best epoch, seconds and the checksum of the metrics so far, as JSON; absent with the weights only |
/// | metadata `sha256` | a checksum of all of this |
///
/// There is no random state to keep: what is random depends on the seed and the position, or is a
/// buffer of its layer.
#[derive(Debug)]
pub struct Checkpoint {
    /// The model.
    pub model: Model,
    /// The origin of its weights.
    pub provenance: Provenance,
    pub(crate) state: Option<RunState>,
    /// Whether the parameters are written as `F16`.
    half: bool,
}

const MODEL: &str = "model";
const PROVENANCE: &str = "provenance";
const RUN: &str = "run";

impl Checkpoint {
    /// Reads a checkpoint and builds its model.
    ///
    /// # Errors
    /// [`TrainingError::Refused`] if the file cannot be read, is truncated, damaged, of another
    /// format or version, or if a tensor is missing, has another shape or type, is not finite, or is none
    /// of the model's.
    pub fn load(path: &Path) -> Result<Self, TrainingError> {
        let file = path.display().to_string();
        let unreadable =
            |error| TrainingError::checkpoint(&file, "a checkpoint that can be read", error);
        Self::from_bytes(&file, &fs::read(path).map_err(unreadable)?)
    }

    /// As [`load`](Self::load), from the bytes of a file; its name is for the messages.
    pub fn from_bytes(file: &str, bytes: &[u8]) -> Result<Self, TrainingError> {
        let mut content = TensorFile::from_bytes(file, bytes)?;
        let spec: ModelSpec = parse(file, &content, MODEL)?;
        let provenance = parse(file, &content, PROVENANCE)?;
        let known = [MODEL, PROVENANCE, RUN];
        if let Some(key) = content.metadata.keys().find(|key| !known.contains(&key.as_str())) {
            let expected = "the metadata of a checkpoint only";
            return Err(TrainingError::checkpoint(file, expected, format!("{key:?} too")));
        }
        let has_state = content.metadata.contains_key(RUN);
        let mut state: Option<RunState> =
            has_state.then(|| parse(file, &content, RUN)).transpose()?;

        // Every tensor must be there in its shape before memory is taken for the model.
        let mut values = Vec::new();
        let shapes = NeuralNetwork::shapes(&spec.layer_configs(), &spec.input_shape)?;
        for (index, layer) in shapes.iter().enumerate() {
            let parameters = layer.parameters().map(|(name, shape)| ("model", name, shape));
            let buffers = layer.buffers().map(|(name, shape)| ("buffer", name, shape));
            for (kind, name, shape) in parameters.chain(buffers) {
                let tensor = format!("{kind}.{index}.{name}");
                values.push((index, name, content.take(file, &tensor, shape)?, tensor));
            }
        }
        // What is drawn here is overwritten.
        let mut model = Model::build(spec, &mut Rng::new(0))?;
        for (index, name, value, tensor) in values {
            let layer = &mut model.network_mut().layers_mut()[index];
            let set = match layer.parameters().get(name) {
                Some(_) => layer.set_parameter(name, &value),
                None => layer.set_buffer(name, &value),
            };
            set.map_err(|error| {
                TrainingError::tensor(file, &tensor, "what its layer takes", error)
            })?;
        }
        if let Some(state) = &mut state
            && state.position.iteration > 0
        {
            let optimiser = state.config.optimiser::<f32>()?;
            let parameters = model.network().parameters();
            for (name, parameter) in parameters.filter(|(name, _)| !optimiser.is_frozen(name)) {
                let tensor = format!("velocity.{name}");
                let velocity = content.take(file, &tensor, parameter.shape())?;
                state.velocities.insert(name, velocity);
            }
        }
        if let Some(tensor) = content.tensors.keys().next() {
            let (expected, got) = ("only tensors of the model", "one that it does not have");
            return Err(TrainingError::tensor(file, tensor, expected, got));
        }
        Ok(Self { model, provenance, state, half: content.half })
    }

    /// The same without the state of its training: the form to ship.
    pub fn weights_only(self) -> Self {
        Self { state: None, ..self }
    }

    /// The weights only, every parameter rounded to the nearest number of half precision, which is
    /// what a file of half the size holds. Buffers stay as they are: there are few of them, and a small
    /// variance would become 0.
    ///
    /// # Errors
    /// [`TrainingError::Refused`] if a number is beyond the largest of half precision, 65504.
    pub fn rounded_to_half(mut self) -> Result<Self, TrainingError> {
        for (index, layer) in self.model.network_mut().layers_mut().iter_mut().enumerate() {
            for (name, parameter) in layer.parameters_and_gradients().0.iter_mut() {
                for x in parameter.iter_mut() {
                    let rounded = f16::from_f32(*x);
                    if !rounded.is_finite() {
                        let tensor = format!("tensor model.{index}.{name}");
                        let expected = format!("numbers of half precision, up to {}", f16::MAX);
                        return Err(TrainingError::checkpoint(&tensor, expected, x));
                    }
                    *x = rounded.to_f32();
                }
            }
        }
        Ok(Self { half: true, ..self.weights_only() })
    }

    /// Writes the checkpoint: completely, or not at all. Folders that are missing are created.
    ///
    /// # Errors
    /// If the file cannot be written; what was there before stays.
    pub fn save(&self, path: &Path) -> Result<(), TrainingError> {
        if let Some(parent) = path.parent() {
            system::create_folder(parent).map_err(ExperimentError::io("create", parent))?;
        }
        let state = self.state.as_ref();
        write(path, &self.model, &self.provenance, state, self.half && state.is_none())
    }
}

/// Writes a checkpoint of these parts, atomically; parameters as `F16` if they are of `half` precision.
pub(crate) fn write(
    path: &Path,
    model: &Model,
    provenance: &Provenance,
    state: Option<&RunState>,
    half: bool,
) -> Result<(), TrainingError> {
    let mut file = TensorFile { half, ..TensorFile::default() };
    for (index, layer) in model.network().layers().iter().enumerate() {
        for (kind, arrays) in [("model", layer.parameters()), ("buffer", layer.buffers())] {
            for (name, array) in arrays.iter() {
                file.tensors.insert(format!("{kind}.{index}.{name}"), array.clone());
            }
        }
    }
    for (name, velocity) in state.iter().flat_map(|state| &state.velocities) {
        file.tensors.insert(format!("velocity.{name}"), velocity.clone());
    }
    let texts = [
        (MODEL, Some(serde_json::to_string(model.spec()))),
        (PROVENANCE, Some(serde_json::to_string(provenance))),
        (RUN, state.map(serde_json::to_string)),
    ];
    for (key, text) in texts.into_iter().filter_map(|(key, text)| Some((key, text?))) {
        let text = text.expect("plain structs with string keys become JSON");
        file.metadata.insert(key.to_owned(), text);
    }
    Ok(files::write(path, &file.to_bytes())?)
}

fn parse<V: DeserializeOwned>(
    file: &str,
    content: &TensorFile,
    key: &str,
) -> Result<V, TrainingError> {
    let expected = format!("the metadata {key:?} of a checkpoint");
    let invalid = |got: String| TrainingError::checkpoint(file, &expected, got);
    let text = content.metadata.get(key).ok_or_else(|| invalid("none".to_owned()))?;
    serde_json::from_str(text).map_err(|error| invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use layers::FullyConnectedConfig;
    use ndarray::ArrayD;
    use serde_json::{Value, json};

    use super::*;
    use crate::LayerSpec;

    /// The weights of a network with 2 x 1 pixels and 2 classes.
    fn example() -> TensorFile {
        let spec = ModelSpec {
            name: "tiny".to_owned(),
            input_shape: [2, 1, 1],
            class_names: vec!["a".to_owned(), "b".to_owned()],
            mean: vec![0.0],
            std: vec![1.0],
            layers: vec![
                LayerSpec::Flatten,
                LayerSpec::FullyConnected(FullyConnectedConfig::new(2)),
            ],
        };
        let provenance = r#"{"command":"c","seed":1,"program":{"name":"p","version":"1",
            "revision":null},"data":{"name":"d","sha256":"0","train":1,"validation":0,"test":0},
            "epochs":1,"iterations":1,"train":null,"validation":null,"test":null}"#;
        TensorFile {
            metadata: BTreeMap::from([
                (MODEL.to_owned(), serde_json::to_string(&spec).unwrap()),
                (PROVENANCE.to_owned(), provenance.to_owned()),
            ]),
            tensors: BTreeMap::from([
                ("model.1.W".to_owned(), ArrayD::ones(vec![2, 2])),
                ("model.1.b".to_owned(), ArrayD::ones(vec![1, 2])),
            ]),
            half: false,
        }
    }

    /// The error of loading after this change, the checksum being right.
    fn refused(change: impl FnOnce(&mut TensorFile)) -> String {
        let mut file = example();
        change(&mut file);
        Checkpoint::from_bytes("f", &file.to_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_description_of_other_sizes_than_the_tensors_is_refused_before_a_layer_is_built() {
        let of_size = |rows, n_out| {
            refused(|file| {
                let mut spec: ModelSpec = serde_json::from_str(&file.metadata[MODEL]).unwrap();
                spec.input_shape[0] = rows;
                spec.layers[1] = LayerSpec::FullyConnected(FullyConnectedConfig::new(n_out));
                file.metadata.insert(MODEL.to_owned(), serde_json::to_string(&spec).unwrap());
            })
        };
        // It would take two gibibytes, and would not have one logit for each of the two classes.
        assert_eq!(
            of_size(2, 1 << 28),
            "f: tensor model.1.W: expected shape [2, 268435456], but got shape [2, 2]"
        );
        assert_eq!(
            of_size(2, usize::MAX),
            format!(
                "layer 1 (from 0): FullyConnected: an output example of shape [{}] has more than \
                 1073741824 elements; choose a smaller layer, image or mini-batch",
                usize::MAX
            )
        );
        let error = of_size(usize::MAX, 2);
        assert!(error.starts_with("layer 0 (from 0): Flatten: an input example of"), "{error}");
    }

    /// Each copy of the value with one field more in one of its objects.
    fn with_an_unknown_field(value: &Value) -> Vec<Value> {
        let mut copies = Vec::new();
        let mut parts = |part: &Value, put: &dyn Fn(&mut Value, Value)| {
            for changed in with_an_unknown_field(part) {
                let mut copy = value.clone();
                put(&mut copy, changed);
                copies.push(copy);
            }
        };
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    parts(item, &|copy, changed| copy[index] = changed);
                }
            }
            Value::Object(fields) => {
                for (key, field) in fields {
                    parts(field, &|copy, changed| copy[key] = changed);
                }
                let mut copy = value.clone();
                copy["unknown"] = 1.into();
                copies.push(copy);
            }
            _ => {}
        }
        copies
    }

    #[test]
    fn an_unknown_field_is_refused_wherever_it_is() {
        let layers = json!([
            {"layer": "conv2d", "n_out": 2, "kernel_shape": [1, 1], "stride": 1, "pad": "same",
             "weight_init": "he_normal", "activation": "relu"},
            {"layer": "batch_norm", "momentum": 0.9, "eps": 1e-5},
            {"layer": "pool2d", "mode": "max", "kernel_shape": [1, 1], "stride": 1, "pad": "valid"},
            {"layer": "dropout", "rate": 0.5},
            {"layer": "global_average_pool2d"},
            {"layer": "flatten"},
            {"layer": "fully_connected", "n_out": 2, "activation": "linear",
             "weight_init": {"normal": {"mean": 0.0, "std": 0.1}}},
        ]);
        let groups = json!([
            {"parameters": ["0.W"], "optimiser": {"name": "muon"}, "schedule": null},
            {"parameters": ["0.b"], "optimiser": {"name": "frozen"}, "schedule": null},
            {"parameters": ["6.b"], "optimiser": {"name": "sgd", "momentum": 0.9},
             "schedule": {"name": "constant", "lr": 0.1}},
        ]);
        let measured = json!({"examples": 2, "wrong": 1, "loss": 0.5, "error": 0.5});
        let mut texts = example().metadata;
        let mut put = |key: &str, change: &dyn Fn(&mut Value)| {
            let mut value: Value =
                serde_json::from_str(texts.get(key).map_or("{}", String::as_str)).unwrap();
            change(&mut value);
            texts.insert(key.to_owned(), value.to_string());
        };
        put(MODEL, &|spec| spec["layers"] = layers.clone());
        put(PROVENANCE, &|provenance| provenance["train"] = measured.clone());
        put(RUN, &|run| {
            *run = json!({
                "config": {"epochs": 1, "batch_size": 1, "seed": 1, "sgd": {"momentum": 0.9},
                           "schedule": {"name": "constant", "lr": 0.1}, "groups": groups,
                           "label_smoothing": 0.0, "augmentation": "none", "data_sha256": "0"},
                "position": {"epochs": 0, "step": 0, "iteration": 0},
                "best": {"epoch": 1, "validation": measured},
                "wall_seconds": 1.0, "metrics_sha256": "0"
            });
        });
        let mut objects = 0;
        for key in [MODEL, PROVENANCE, RUN] {
            let known: Value = serde_json::from_str(&texts[key]).unwrap();
            for unknown in with_an_unknown_field(&known) {
                objects += 1;
                let error = refused(|file| {
                    file.metadata = texts.clone();
                    file.metadata.insert(key.to_owned(), unknown.to_string());
                });
                let expected =
                    format!("f: expected the metadata {key:?} of a checkpoint, but got ");
                assert!(error.starts_with(&expected), "{unknown}: {error}");
            }
        }
        assert_eq!(objects, 28);
        // Without one it is refused for its tensors only.
        let error = refused(|file| file.metadata = texts.clone());
        assert!(error.starts_with("f: tensor model.0.W: expected shape"), "{error}");
        let error = refused(|file| drop(file.metadata.insert("more".into(), "x".into())));
        assert_eq!(error, "f: expected the metadata of a checkpoint only, but got \"more\" too");
    }

    #[test]
    fn rounded_weights_are_read_as_they_were_written() {
        let mut file = example();
        // A third lies between 1365/4096 and 1366/4096.
        file.tensors.insert("model.1.b".to_owned(), ArrayD::from_elem(vec![1, 2], 1.0 / 3.0));
        let exact = Checkpoint::from_bytes("f", &file.to_bytes()).unwrap();
        let rounded = exact.rounded_to_half().unwrap();
        let b = |checkpoint: &Checkpoint| {
            checkpoint.model.network().layers()[1].parameters()["b"].clone()
        };
        assert_eq!(b(&rounded), ArrayD::from_elem(vec![1, 2], 1365.0 / 4096.0));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("half.safetensors");
        rounded.save(&path).unwrap();
        let read = Checkpoint::load(&path).unwrap();
        assert_eq!(b(&read), b(&rounded));
        // Once read, it is still of half precision.
        let again = folder.path().join("again.safetensors");
        read.save(&again).unwrap();
        assert_eq!(fs::read(again).unwrap(), fs::read(&path).unwrap());
        assert!(TensorFile::from_bytes("f", &fs::read(&path).unwrap()).unwrap().half);
    }

    #[test]
    fn a_number_too_large_for_half_precision_is_named() {
        let mut file = example();
        // Half of the way from 65504 to 65536 rounds to even, which would be infinite.
        for (x, fits) in [(65519.0, true), (65520.0, false), (-1e6, false)] {
            file.tensors.insert("model.1.W".to_owned(), ArrayD::from_elem(vec![2, 2], x));
            let checkpoint = Checkpoint::from_bytes("f", &file.to_bytes()).unwrap();
            let error = checkpoint.rounded_to_half().err().map(|error| error.to_string());
            let expected = "expected numbers of half precision, up to 65504";
            let message = format!("tensor model.1.W: {expected}, but got {x}");
            assert_eq!(error, (!fits).then_some(message));
        }
    }

    #[test]
    fn what_is_missing_unknown_or_does_not_fit_is_named() {
        let insert = |name: &str, shape: Vec<usize>| {
            refused(|file| drop(file.tensors.insert(name.to_owned(), ArrayD::ones(shape))))
        };
        let only = "expected only tensors of the model, but got one that it does not have";
        let missing = refused(|file| drop(file.tensors.remove("model.1.b")));
        let described = refused(|file| drop(file.metadata.remove(MODEL)));
        for (error, expected) in [
            (missing, "f: tensor model.1.b: expected shape [1, 2], but got no such tensor"),
            (
                insert("model.1.W", vec![3, 2]),
                "f: tensor model.1.W: expected shape [2, 2], but got shape [3, 2]",
            ),
            (insert("buffer.1.W", vec![1]), &format!("f: tensor buffer.1.W: {only}")),
            (insert("velocity.1.W", vec![1]), &format!("f: tensor velocity.1.W: {only}")),
            (described, "f: expected the metadata \"model\" of a checkpoint, but got none"),
        ] {
            assert_eq!(error, expected);
        }
        let error = refused(|file| drop(file.metadata.insert(RUN.to_owned(), "{}".to_owned())));
        assert!(error.contains("the metadata \"run\""), "{error}");

        // The version is looked at before anything else.
        let mut bytes = example().to_bytes();
        let from = br#""format_version":"1""#;
        let position = bytes.windows(from.len()).position(|w| w == from).unwrap();
        bytes[position + from.len() - 2] = b'2';
        let error = Checkpoint::from_bytes("f", &bytes).unwrap_err().to_string();
        assert_eq!(error, "f: expected format_version 1, but got format_version 2");
    }
}
