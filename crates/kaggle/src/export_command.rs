//! `kaggle export`: weights to hand on.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use training::Checkpoint;

use crate::options::Messages;

#[derive(Args, Debug)]
pub(crate) struct ExportArguments {
    /// Checkpoint to read
    #[arg(long, value_name = "FILE")]
    checkpoint: PathBuf,
    /// File to write
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Round the parameters to half precision, which halves the file; `evaluate --checkpoint` says what
    /// that costs
    #[arg(long)]
    half: bool,
    #[command(flatten)]
    messages: Messages,
}

pub(crate) fn execute(arguments: &ExportArguments) -> Result<()> {
    let ExportArguments { checkpoint, output, half, messages } = arguments;
    let checkpoint = Checkpoint::load(checkpoint)?;
    let weights = if *half { checkpoint.rounded_to_half()? } else { checkpoint.weights_only() };
    weights.save(output)?;
    let bytes = std::fs::metadata(output)?.len();
    messages.say(format!("written: {} ({bytes} bytes)", output.display()));
    Ok(())
}
