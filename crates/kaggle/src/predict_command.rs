//! `kaggle` without a command: predictions as a file for the competition.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;
use datasets::{CIFAR10_CLASSES, argmax};
use ndarray::Axis;
use system::quoted;

use crate::options::{DataOptions, Messages, ModelOptions};
use crate::output_file::writable;
use crate::submission::Submission;
use crate::test_images::{COMPETITION_FILE, Source, find_images, is_competition};

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
    let (images, source) = find_images(test_data.as_deref(), &data.request(messages)?)?;
    let output = output_for(&source, output.as_deref())?;
    writable(&output)?;
    if let Source::Sample(reason) = &source {
        messages.warn(sample_warning(reason, &output));
    }

    let n = images.len_of(Axis(0));
    messages.say(format!("images: {n} from {source}"));
    let probabilities = model.predict(&weights, images.view(), messages)?;
    let classes = argmax(probabilities.view())?;
    let count = |class| classes.iter().filter(|&&predicted| predicted == class).count();
    let counts = CIFAR10_CLASSES.iter().zip(0..).map(|(name, class)| (name, class, count(class)));
    let histogram = counts.clone().map(|(name, _, count)| format!("{name} {count}"));
    messages.say(format!("predictions: {}", histogram.collect::<Vec<_>>().join(", ")));
    if n > 1
        && let Some((name, class, _)) = counts.clone().find(|&(_, _, count)| count == n)
    {
        messages.warn(format!(
            "every image is predicted as class {class} ({name}): the weights are untrained, or the images \
             are not what they were trained on"
        ));
    }
    let replaced = if output.exists() { ", in place of the one that was there" } else { "" };
    Submission { classes }.write(&output)?;
    messages.say(format!(
        "written: {} ({n} rows and the header, read again and compared{replaced}) after {:.1} s",
        output.display(),
        started.elapsed().as_secs_f64()
    ));
    messages.say(what_to_do(&source, &output, &model.as_arguments()));
    Ok(())
}

/// The file that the predictions go to.
fn output_for(source: &Source, named: Option<&Path>) -> Result<PathBuf> {
    if !matches!(source, Source::Sample(_)) {
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
        Source::File(path, _) if is_competition(path) => format!(
            "To submit it (this program never does):\n{command}\n\
             If that fails: <COMPETITION> is the last part of the competition's address, and a typing \
             mistake in it gives 403; 400 or 403 also means that you have not joined and accepted the \
             rules, or that the day's submissions are used up. `kaggle competitions submissions \
             <COMPETITION>` shows the score."
        ),
        Source::File(path, _) => format!(
            "If {} is the competition's file under another name (it is published as \
             {COMPETITION_FILE}), this submits it:\n{command}",
            path.display()
        ),
        Source::OfficialTestBatch(_) => format!(
            "NOT FOR SUBMISSION: {file} is for the official test batch, which stands in for the \
             competition's file; its rows are not known to be in the competition's order. With that \
             file: --test-data {COMPETITION_FILE}\n\
             Its accuracy: cargo run -p kaggle -- evaluate --csv {argument}{options}"
        ),
        Source::Sample(_) => format!("NOT FOR SUBMISSION: {file} is for the sample images."),
    }
}

#[cfg(test)]
mod tests {
    use acquire::Found;

    use super::*;

    #[test]
    fn the_official_test_batch_is_not_for_submission() {
        let found = Found { folder: "cache".into(), source: "npm".to_owned() };
        let source = Source::OfficialTestBatch(found);
        let text = what_to_do(&source, Path::new("my file.csv"), " --tta none");
        assert!(text.starts_with("NOT FOR SUBMISSION: my file.csv is for the official test batch"));
        assert!(!text.contains("competitions submit"), "{text}");
        let command = "cargo run -p kaggle -- evaluate --csv 'my file.csv' --tta none";
        assert!(text.ends_with(command), "{text}");
        assert_eq!(output_for(&source, None).unwrap(), Path::new("submission.csv"));
    }
}
