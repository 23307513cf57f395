//! The options of both commands that concern data and record.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use datasets::{Preprocess, Splits};
use experiment::{Data, Program};

/// The origin of data and the place of the record.
#[derive(Args, Debug)]
#[command(next_help_heading = "Data and record")]
pub(crate) struct RecordArguments {
    /// Folder with iris_{train,val,test}_{data,labels}.npy [default: the split that ships with the
    /// program]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Folder that gets the record, in a folder named by the model
    #[arg(long, value_name = "DIR", default_value_os_t = experiment::default_root())]
    pub(crate) output: PathBuf,
    /// Replace a record of that name
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Print nothing but errors
    #[arg(long)]
    pub(crate) quiet: bool,
}

impl RecordArguments {
    /// The data, scaled.
    pub(crate) fn load(&self, preprocess: Preprocess) -> Result<Splits<f32>> {
        let splits = match &self.data_dir {
            Some(directory) => Splits::from_directory(directory, "iris")?,
            None => Splits::iris()?,
        };
        Ok(splits.preprocess(preprocess)?)
    }
}

pub(crate) fn describe(splits: &Splits<f32>) -> Data {
    Data {
        name: splits.name.clone(),
        sha256: splits.sha256.clone(),
        train: splits.train.len(),
        validation: splits.validation.len(),
        test: splits.test.len(),
    }
}

pub(crate) fn program() -> Program {
    Program::current(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
}

/// The beginning of every command line of this program.
pub(crate) const PROGRAM: &str = "cargo run -p ffnn --";

/// A fraction as it is read: `4.0 %`.
pub(crate) fn percent(fraction: f64) -> String {
    format!("{:.1} %", 100.0 * fraction)
}
