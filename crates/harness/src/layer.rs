//! Layers: their rooms, how one is declared, and what every one of them promises.

pub(crate) mod adjoint;
mod batch;
mod contract;
pub(crate) mod errors;
pub(crate) mod faulty;
mod fixtures;
pub(crate) mod gradient;
pub(crate) mod proof;
pub(crate) mod transcribed;
pub(crate) mod window;

use std::any::Any;
use std::sync::Arc;

use layers::{Layer, LayerConfig, LayerError, Parameters};
use ndarray::ArrayD;
use numerics::Rng;
use serde::Serialize;
use serde_json::{Value, json};

use crate::cases::{Case, Failure, Verdict};
use crate::course::Pass;
use crate::foreign::conventions::Ties;
use crate::oracle::Run;
use crate::oracle::listed::Listed;
use crate::room::{Bug, Checks, Room};
use crate::worked::Write;
use crate::{Check, Result, foreign};

/// The room of a class of layers.
pub(crate) struct LayerRoom {
    pub(crate) name: &'static str,
    pub(crate) question: &'static str,
    /// The layer that an entry of the manifest declares, which is of this kind.
    pub(crate) kind: &'static str,
    pub(crate) declared: fn(&Listed) -> Result<Arc<dyn Config>>,
    /// The layers of the course's files, in the order of their entries; none if the course tests no such layer.
    pub(crate) course: fn() -> Vec<Arc<dyn Config>>,
    /// The number of axes that an example may have.
    pub(crate) axes: &'static [usize],
    /// The further file of fixtures, if there is one, and what is compared with it.
    pub(crate) fixture: Option<(&'static str, &'static [Pass])>,
    /// Buffers that entries of fixtures set.
    pub(crate) restored: &'static [&'static str],
    /// The names of the parameters that a layer has.
    pub(crate) parameters: fn(&Spec) -> &'static [&'static str],
    /// A random layer, and how many examples go through it.
    pub(crate) draw: Draw,
    /// The input of a transcription, of this shape.
    pub(crate) input: fn(&mut Case, &[usize]) -> ArrayD<f64>,
    /// A random layer each output of which depends on some input.
    pub(crate) draw_seeing: fn(&mut Case) -> (Spec, usize),
    /// A random layer to be differentiated.
    pub(crate) draw_smooth: fn(&mut Case) -> (Spec, usize),
    /// Corners of the space of layers, to be differentiated too.
    pub(crate) pinned: fn() -> Vec<Spec>,
    /// Everything in which a declaration can be invalid.
    pub(crate) invalid: fn() -> Vec<Spec>,
    /// The layers of the table of `gradcheck`.
    pub(crate) table: fn() -> Vec<Spec>,
    /// The layers whose errors are drawn against the step of the differences.
    pub(crate) curves: fn() -> Vec<(&'static str, Spec)>,
    /// What distinguishes a layer from others of its class, behind their name in a table.
    pub(crate) label: fn(&Spec) -> String,
    /// On which smooth piece of a piecewise smooth layer an input lies, of which the output is given; computed
    /// by loops of its own, whatever implementation is under test.
    pub(crate) piece: fn(&Spec, &ArrayD<f64>) -> Vec<u32>,
    /// Whether prediction is what forward computes.
    pub(crate) predicts_as_forward: bool,
    /// Whether the output of an example depends on its place in the mini-batch.
    pub(crate) places_count: bool,
    /// Whether the examples of a mini-batch meet.
    pub(crate) examples_meet: bool,
    /// Adds the checks that the class has for itself.
    pub(crate) checks: fn(&mut Checks<Layers>),
    /// See [`Room`].
    pub(crate) free_checks: fn() -> Vec<Check>,
    pub(crate) bugs: &'static [Bug],
    /// Builds layers with a bug, or with none.
    pub(crate) faulty: fn(&'static str) -> Build,
    pub(crate) examples: &'static [(&'static str, Write)],
}

impl LayerRoom {
    /// A room in which only what every class needs stands.
    pub(crate) const fn new(name: &'static str, question: &'static str, draw: Draw) -> Self {
        Self {
            name,
            question,
            kind: "",
            declared: |listed| Err(listed.invalid("no such layer has fixtures")),
            course: Vec::new,
            axes: &[],
            fixture: None,
            restored: &[],
            parameters: |_| &[],
            draw,
            input: Case::array,
            draw_seeing: draw,
            draw_smooth: draw,
            pinned: Vec::new,
            invalid: Vec::new,
            table: Vec::new,
            curves: Vec::new,
            label: |_| String::new(),
            piece: |_, _| vec![],
            predicts_as_forward: true,
            places_count: false,
            examples_meet: false,
            checks: |_| (),
            free_checks: Vec::new,
            bugs: &[],
            faulty: |_| real_build(),
            examples: &[],
        }
    }

    /// The layer of this class that `config` declares, for examples of this shape.
    pub(crate) fn spec(&'static self, config: impl Config, input_shape: &[usize]) -> Spec {
        Spec { room: self, config: Arc::new(config), input_shape: input_shape.to_vec() }
    }

    /// The layer for examples of this shape; nothing if they have another number of axes.
    pub(crate) fn spec_for(
        &'static self,
        config: Arc<dyn Config>,
        example: &[usize],
    ) -> Option<Spec> {
        let takes = self.axes.is_empty() || self.axes.contains(&example.len());
        takes.then(|| Spec { room: self, config, input_shape: example.to_vec() })
    }
}

/// The declaration of a layer, as users write it.
pub(crate) trait Config: LayerConfig<f32> + LayerConfig<f64> + Any {
    /// What it declares, as the course's names and values.
    fn fields(&self) -> Value;
}

impl<C: LayerConfig<f32> + LayerConfig<f64> + Any + Serialize> Config for C {
    fn fields(&self) -> Value {
        let mut fields = serde_json::to_value(self).expect("a declaration is numbers and names");
        if let Some(cells) = fields.pointer_mut("/pad/cells").map(Value::take) {
            fields["pad"] = cells;
        }
        if fields.is_null() { json!({}) } else { fields }
    }
}

/// A layer and the shape of one input example: all that is needed to build it.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) room: &'static LayerRoom,
    pub(crate) config: Arc<dyn Config>,
    pub(crate) input_shape: Vec<usize>,
}

impl std::fmt::Debug for LayerRoom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Spec {
    /// The declaration.
    ///
    /// # Panics
    /// If it is of another class: a room asks only for its own.
    pub(crate) fn config<C: Config>(&self) -> &C {
        let config: &dyn Any = &*self.config;
        config.downcast_ref().expect("a room is asked for layers of its own class")
    }

    /// The layer that users run.
    pub(crate) fn build(&self, rng: &mut Rng) -> Built<f64> {
        self.config.build_boxed(&self.input_shape, rng)
    }

    pub(crate) fn build_narrow(&self, rng: &mut Rng) -> Built<f32> {
        self.config.build_boxed(&self.input_shape, rng)
    }

    /// The declaration as the course writes it, without what is so by default.
    pub(crate) fn declared(&self) -> String {
        fn text(value: &Value) -> String {
            match value {
                Value::String(name) => name.clone(),
                Value::Array(numbers) => {
                    format!("({})", numbers.iter().map(text).collect::<Vec<_>>().join(", "))
                }
                other => other.to_string(),
            }
        }
        let fields = self.config.fields();
        let fields = fields.as_object().into_iter().flatten();
        let fields = fields.map(|(name, value)| format!("{name}={}", text(value)));
        let is_default = |field: &str| ["bias=true", "weight_init=xavier_uniform"].contains(&field);
        let fields: Vec<String> = fields.filter(|field| !is_default(field)).collect();
        format!("{}({})", self.room.name, fields.join(", "))
    }

    /// The class and what distinguishes the layer from others of it.
    pub(crate) fn label(&self) -> String {
        format!("{}{}", self.room.name, (self.room.label)(self))
    }

    /// On which smooth piece an input with this output lies: on which side of its kink each ReLU is, and
    /// what the class itself says.
    pub(crate) fn piece(
        &self,
        layer: &dyn Layer<f64>,
        x: &ArrayD<f64>,
        y: &ArrayD<f64>,
    ) -> Vec<u32> {
        let mut piece = (self.room.piece)(self, x);
        if layer.activation() == activations::Activation::ReLU {
            piece.extend(y.iter().map(|&y| u32::from(y > 0.0)));
        }
        piece
    }
}

/// A layer, unless its declaration is refused.
pub(crate) type Built<T> = Result<Box<dyn Layer<T>>, LayerError>;

/// Builds the layer that a specification declares.
pub(crate) type Build = Box<dyn Fn(&Spec, &mut Rng) -> Built<f64> + Send + Sync>;

/// Builds the layers that users run.
pub(crate) fn real_build() -> Build {
    Box::new(Spec::build)
}

/// A class of layers under test.
pub(crate) struct Layers {
    pub(crate) room: &'static LayerRoom,
    make: Build,
    /// Which of tied maxima gets the gradient.
    pub(crate) ties: Ties,
}

/// Draws a layer, and how many examples go through it.
pub(crate) type Draw = fn(&mut Case) -> (Spec, usize);

/// A layer and a batch for it.
pub(crate) type Drawn = (Box<dyn Layer<f64>>, ArrayD<f64>);

impl Layers {
    /// A random layer of the class and the shape of a batch for it.
    pub(crate) fn draw(&self, case: &mut Case) -> (Spec, Vec<usize>) {
        self.draw_by(self.room.draw, case)
    }

    fn draw_by(&self, draw: Draw, case: &mut Case) -> (Spec, Vec<usize>) {
        let (spec, m) = draw(case);
        let x_shape = [&[m], &*spec.input_shape].concat();
        case.describe(format!("{}, X {x_shape:?}", spec.declared()));
        (spec, x_shape)
    }

    /// A layer as it is when it is new.
    pub(crate) fn new_layer(&self, spec: &Spec, rng: &mut Rng) -> Built<f64> {
        (self.make)(spec, rng)
    }

    /// The layer with every parameter drawn from `[-1, 1)`, biases too.
    pub(crate) fn build(
        &self,
        spec: &Spec,
        case: &mut Case,
    ) -> Result<Box<dyn Layer<f64>>, Failure> {
        let mut layer = self.new_layer(spec, &mut case.rng)?;
        set_parameters(&mut *layer, |_, shape| case.array(shape))?;
        Ok(layer)
    }

    /// A random layer and a batch for it.
    pub(crate) fn drawn(&self, case: &mut Case) -> Result<Drawn, Failure> {
        let (spec, x_shape) = self.draw(case);
        Ok((self.build(&spec, case)?, case.array(&x_shape)))
    }
}

/// Sets every parameter to what is given for its name and shape.
pub(crate) fn set_parameters(
    layer: &mut dyn Layer<f64>,
    mut value: impl FnMut(&str, &[usize]) -> ArrayD<f64>,
) -> Result<(), LayerError> {
    let shapes: Vec<_> =
        layer.parameters().iter().map(|(name, array)| (name, array.shape().to_vec())).collect();
    shapes.iter().try_for_each(|(name, shape)| layer.set_parameter(name, &value(name, shape)))
}

/// Sets the buffers back, so that a forward pass is a function of its input and the parameters again:
/// dropout takes another step of its masks with each.
pub(crate) fn rewind(
    layer: &mut dyn Layer<f64>,
    buffers: &Parameters<f64>,
) -> Result<(), LayerError> {
    buffers.iter().try_for_each(|(name, value)| layer.set_buffer(name, value))
}

/// A parameter of the layer.
pub(crate) fn parameter(layer: &dyn Layer<f64>, name: &str) -> Result<ArrayD<f64>, Failure> {
    let found = layer.parameters().get(name).cloned();
    found.ok_or_else(|| Failure::new(format!("the layer has no parameter {name}")))
}

/// A gradient of the layer.
pub(crate) fn gradient(layer: &dyn Layer<f64>, name: &str) -> Result<ArrayD<f64>, Failure> {
    let found = layer.gradients().get(name).cloned();
    found.ok_or_else(|| Failure::new(format!("the layer has no gradient {name}")))
}

/// A layer whose output is random, passed forward and backward.
pub(crate) struct Passed {
    pub(crate) y: ArrayD<f64>,
    pub(crate) dl_dy: ArrayD<f64>,
    pub(crate) dl_dx: ArrayD<f64>,
    pub(crate) gradients: Parameters<f64>,
}

/// Forward, and backward with a random upstream gradient.
pub(crate) fn pass(
    layer: &mut dyn Layer<f64>,
    x: &ArrayD<f64>,
    case: &mut Case,
) -> Result<Passed, Failure> {
    let y = layer.forward(x.clone())?;
    let dl_dy = case.array(y.shape());
    let dl_dx = layer.backward(dl_dy.clone())?;
    Ok(Passed { y, dl_dy, dl_dx, gradients: layer.gradients().clone() })
}

impl Passed {
    /// Compares another pass with these results: that of `arranged(x)` and `arranged(dl_dy)`.
    fn compare(
        &self,
        layer: &mut dyn Layer<f64>,
        x: &ArrayD<f64>,
        arranged: impl Fn(&ArrayD<f64>) -> ArrayD<f64>,
        case: &mut Case,
    ) -> Verdict {
        case.compare("Y", &layer.forward(arranged(x))?, &self.y)?;
        case.compare("dL/dX", &layer.backward(arranged(&self.dl_dy))?, &self.dl_dx)?;
        for (name, expected) in self.gradients.iter() {
            case.compare(&format!("dL/d{name}"), &gradient(layer, name)?, expected)?;
        }
        Ok(())
    }
}

impl From<&'static LayerRoom> for Room {
    fn from(room: &'static LayerRoom) -> Self {
        Self {
            name: room.name,
            question: room.question,
            family: "layer",
            checks: Box::new(|| {
                room.checks_of_both(real_build(), &room.run(Spec::build_narrow), Ties::First)
            }),
            checks_of_program: Box::new(|program| match program.offers("layers", room.name) {
                true => {
                    let narrow = Arc::clone(program);
                    let narrow = move |spec: &Spec, rng: &mut Rng| {
                        foreign::layer::build(&narrow, spec, spec.build_narrow(rng))
                    };
                    let ties = program.conventions().ties.unwrap_or_default();
                    room.checks_of_both(foreign::layer::wide(program), &room.run(narrow), ties)
                }
                false => vec![],
            }),
            checks_with: Box::new(|bug| room.checks_of((room.faulty)(bug))),
            free_checks: room.free_checks,
            bugs: room.bugs,
            examples: room.examples,
        }
    }
}

impl LayerRoom {
    /// The checks of an implementation in `f64`, which in `f32` is ours.
    pub(crate) fn checks_of(&'static self, make: Build) -> Vec<Check> {
        self.checks_beside(&self.run(Spec::build_narrow), make, Ties::First)
    }

    /// The checks of an implementation in both precisions.
    fn checks_of_both(&'static self, make: Build, narrow: &Run, ties: Ties) -> Vec<Check> {
        let mut checks = self.checks_beside(narrow, make, ties);
        checks.extend(self.class().narrow_checks(narrow));
        checks
    }

    fn checks_beside(&'static self, narrow: &Run, make: Build, ties: Ties) -> Vec<Check> {
        let subject = Arc::new(Layers { room: self, make, ties });
        let mut own = Checks::new(self.name, self.question, Arc::clone(&subject));
        let wide = self.run(move |spec: &Spec, rng: &mut Rng| subject.new_layer(spec, rng));
        own.list = self.class().checks(&wide, narrow);
        own.gradient(self.question, self.name, (self.pinned)().len(), gradient::problem);
        contract::add(&mut own);
        batch::add(&mut own);
        errors::add(&mut own);
        (self.checks)(&mut own);
        own.list
    }
}
