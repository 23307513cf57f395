//! `kaggle export`: weights to hand on.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use training::Checkpoint;

use crate::options::Voice;

#[derive(Args, Debug)]
pub(crate) struct ExportArguments {
    /// Checkpoint to read
    #[arg(long, value_name = "FILE")]
    checkpoint: PathBuf,
    /// File to write
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    voice: Voice,
}

pub(crate) fn execute(arguments: &ExportArguments) -> Result<()> {
    let ExportArguments { checkpoint, output, voice } = arguments;
    Checkpoint::load(checkpoint)?.weights_only().save(output)?;
    let bytes = std::fs::metadata(output)?.len();
    voice.say(format!("written: {} ({bytes} bytes)", output.display()));
    Ok(())
}
