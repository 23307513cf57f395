//! Layers against the oracle: one pass on one entry of a file.

use std::sync::Arc;

use numerics::{Rng, Scalar};

use super::{Built, Config, LayerRoom, Spec};
use crate::Result;
use crate::course::{Class, Entry, Pass, Tally, cast};
use crate::oracle::{Fixture, Run, Source};

impl LayerRoom {
    /// The tests of the class against the oracle.
    pub(super) fn class(&self) -> Class {
        let (question, module, name) = (self.question, "test_layers", self.name);
        let further = self.fixture.map(|(file, passes)| {
            (Fixture { question, module, file, kind: self.kind, class: file }, passes)
        });
        Class { question, module, name, configurations: (self.course)().len(), further }
    }

    /// Compares the layers that `build` makes.
    pub(super) fn run<T: Scalar>(
        &'static self,
        build: impl Fn(&Spec, &mut Rng) -> Built<T> + Send + Sync + 'static,
    ) -> Run {
        Arc::new(move |source, entry, pass, tally| {
            let config = match source {
                Source::Course(configuration) => (self.course)().swap_remove(configuration),
                Source::Manifest(listed) => (self.declared)(listed)?,
            };
            self.compare(config, &build, entry, pass, tally)
        })
    }

    fn compare<T: Scalar>(
        &'static self,
        config: Arc<dyn Config>,
        build: &dyn Fn(&Spec, &mut Rng) -> Built<T>,
        entry: Entry<'_>,
        pass: Pass,
        tally: &mut Tally,
    ) -> Result<()> {
        let [x] = entry.inputs()?;
        let Some(spec) = self.spec_for(config, &x.shape()[1..]) else {
            let stacked = [&[1], x.shape()].concat();
            let expected = "(1, m, ...) with the axes that the layer takes".to_owned();
            return Err(entry.wrong_shape("input", expected, &stacked));
        };
        let case = format!("{}, input {:?}", spec.label(), x.shape());
        let mut layer = build(&spec, &mut Rng::new(0)).map_err(|e| entry.refused(e))?;
        let own: Vec<(&'static str, Vec<usize>)> =
            layer.parameters().iter().map(|(name, array)| (name, array.shape().to_vec())).collect();
        for (name, shape) in &own {
            let value = cast(&entry.shaped(name, shape)?);
            layer.set_parameter(name, &value).map_err(|e| entry.refused(e))?;
        }
        for name in self.restored {
            let value = cast(&entry.array(name)?);
            layer.set_buffer(name, &value).map_err(|e| entry.refused(e))?;
        }
        let output = entry.array("output")?;
        let y = layer.forward(cast(&x)).map_err(|e| entry.refused(e))?;
        if pass == Pass::Forward {
            return entry.compare(("output", output.shape()), &case, &y, tally);
        }
        if pass == Pass::Predict {
            let y = layer.predict(&cast(&x)).map_err(|e| entry.refused(e))?;
            return entry.compare(("predicted", output.shape()), &case, &y, tally);
        }
        let dl_dy = cast(&entry.shaped("upstream_grad", output.shape())?);
        let dl_dx = layer.backward(dl_dy).map_err(|e| entry.refused(e))?;
        if pass == Pass::Backward {
            return entry.compare(("backward", x.shape()), &case, &dl_dx, tally);
        }
        own.iter().try_for_each(|(name, shape)| {
            let gradient = layer.gradients().get(name).cloned().unwrap_or_default();
            entry.compare((&format!("d{name}"), shape), &case, &gradient, tally)
        })
    }
}
