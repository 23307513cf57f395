//! `kaggle` without a command: predictions as a file for the competition.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;
use datasets::{CIFAR10_CLASSES, argmax};
use system::quoted;

use crate::options::{DataOptions, Messages, ModelOptions};
use crate::output_file::writable;
use crate::submission::Submission;
use crate::test_images::{COMPETITION_FILE, Source, TestImages};

/// The file of predictions unless told otherwise.
const SUBMISSION: &str = "submission.csv";

/// The file of the sample's predictions, which must not be taken for a submission.
const SAMPLE_SUBMISSION: &str = "sample_submission.csv";

#[derive(Args, Debug)]
pub(crate) struct PredictArguments {
    /// Images to predict: .npy of uint8, shape (n, 3072) channel by channel, (n, 3, 32, 32) or
    /// (n, 32, 32, 3)
    #[arg(long, value_name = "FILE")]
    test_data: Option<PathBuf>,
    /// File to write [default: submission.csv; sample_submission.csv for the sample, for which the name
    /// submission.csv is refused]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    data: DataOptions,
    #[command(flatten)]
    messages: Messages,
}

pub(crate) fn execute(arguments: &PredictArguments) -> Result<()> {
    let started = Instant::now();
    let PredictArguments { test_data, output, model, data, messages } = arguments;
    // What can be refused is refused before anything is fetched or computed.
    output.as_deref().map(writable).transpose()?;
    model.threads.start()?;
    let weights = model.weights()?;
    let images = TestImages::find(test_data.as_deref(), &data.request()?, &messages.reporter())?;
    let output = output_for(&images.source, output.as_deref())?;
    writable(&output)?;
    if let Source::Sample { reason } = &images.source {
        messages.warn(sample_warning(reason, &output));
    }

    messages.say(format!("images: {} from {}", images.count(), images.source));
    let probabilities = model.predict(&weights, images.images.view(), messages)?;
    let classes = argmax(probabilities.view())?.into_iter().map(|class| class as u8).collect();
    let submission = Submission::new(classes, images.count())?;
    let histogram = CIFAR10_CLASSES.iter().zip(submission.histogram());
    let histogram: Vec<_> = histogram.map(|(name, count)| format!("{name} {count}")).collect();
    messages.say(format!("predictions: {}", histogram.join(", ")));
    if let Some(class) = submission.only_class() {
        messages.warn(format!(
            "every image is predicted as class {class} ({}): the weights are untrained, or the images \
             are not what they were trained on",
            CIFAR10_CLASSES[usize::from(class)]
        ));
    }
    let replaced = if output.exists() { ", in place of the one that was there" } else { "" };
    submission.write(&output)?;
    messages.say(format!(
        "written: {} ({} rows and the header, read again and compared{replaced}) after {:.1} s",
        output.display(),
        images.count(),
        started.elapsed().as_secs_f64()
    ));
    messages.say(what_to_do(&images.source, &output, &model.as_arguments()));
    Ok(())
}

/// The file that the predictions go to.
fn output_for(source: &Source, named: Option<&Path>) -> Result<PathBuf> {
    if !matches!(source, Source::Sample { .. }) {
        return Ok(named.unwrap_or(Path::new(SUBMISSION)).to_owned());
    }
    match named {
        None => Ok(SAMPLE_SUBMISSION.into()),
        Some(path) if path.file_name().is_some_and(|name| name == SUBMISSION) => bail!(
            "there are only the sample images, whose predictions are no submission and do not go to a \
             file named {SUBMISSION}; give another name with --output, or images with --test-data"
        ),
        Some(path) => Ok(path.to_owned()),
    }
}

fn sample_warning(reason: &str, output: &Path) -> String {
    format!(
        "NO TEST IMAGES. Only the 100 sample images that ship with the program are predicted; this is \
         a demonstration, and {} is not a submission.\n{reason}\n\
         or, for the competition's images: --test-data {COMPETITION_FILE}\n",
        output.display()
    )
}

/// The use of the file; `options` are those of the weights.
fn what_to_do(source: &Source, output: &Path, options: &str) -> String {
    let (file, argument) = (output.display(), quoted(output));
    let command = format!(
        "  kaggle competitions submit <COMPETITION> -f {argument} -m \"CNN of this workspace\""
    );
    match source {
        Source::Given(_) | Source::Competition(_) if source.is_competition() => format!(
            "To submit it (this program never does):\n{command}\n\
             If that fails: <COMPETITION> is the last part of the competition's address, and a typing \
             mistake in it gives 403; 400 or 403 also means that you have not joined and accepted the \
             rules, or that the day's submissions are used up. `kaggle competitions submissions \
             <COMPETITION>` shows the score."
        ),
        Source::Given(path) => format!(
            "If {} is the competition's file under another name (it is published as \
             {COMPETITION_FILE}), this submits it:\n{command}",
            path.display()
        ),
        Source::Competition(_) | Source::OfficialTestBatch { .. } => format!(
            "NOT FOR SUBMISSION: {file} is for the official test batch, which stands in for the \
             competition's file; its rows are not known to be in the competition's order. With that \
             file: --test-data {COMPETITION_FILE}\n\
             Its accuracy: cargo run -p kaggle -- evaluate --csv {argument}{options}"
        ),
        Source::Sample { .. } => format!("NOT FOR SUBMISSION: {file} is for the sample images."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_official_test_batch_is_not_for_submission() {
        let (folder, found) = ("cache".into(), "npm".to_owned());
        let source = Source::OfficialTestBatch { folder, found };
        let text = what_to_do(&source, Path::new("my file.csv"), " --tta none");
        assert!(text.starts_with("NOT FOR SUBMISSION: my file.csv is for the official test batch"));
        assert!(!text.contains("competitions submit"), "{text}");
        let command = "cargo run -p kaggle -- evaluate --csv 'my file.csv' --tta none";
        assert!(text.ends_with(command), "{text}");
        assert_eq!(output_for(&source, None).unwrap(), Path::new("submission.csv"));
    }
}
