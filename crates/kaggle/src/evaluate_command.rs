//! `kaggle evaluate`: the quality of the predictions.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use datasets::{CIFAR10_CLASSES, ImageSet, argmax, cifar10_sample};
use experiment::{Confusion, Predictions};

use crate::evaluation::{accuracy_line, class_table, confusion_table};
use crate::options::{DataOptions, Messages, ModelOptions};
use crate::submission::Submission;
use crate::test_images::labelled_test_batch;

#[derive(Args, Debug)]
pub(crate) struct EvaluateArguments {
    /// A submission to compare with the labels too, such as submission.csv
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Use the 100 sample images that ship with the program; an accuracy on them is no result
    #[arg(long)]
    sample: bool,
    /// Folder for pictures and confusion.csv [default: experiments/cifar10-evaluation, with -sample
    /// after it for the sample]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    data: DataOptions,
    #[command(flatten)]
    messages: Messages,
}

pub(crate) fn execute(arguments: &EvaluateArguments) -> Result<()> {
    let EvaluateArguments { csv, sample, output, model, data, messages } = arguments;
    model.threads.start()?;
    let submission = csv.as_deref().map(Submission::read).transpose()?;
    let weights = model.weights()?;
    let name = if *sample { "cifar10-evaluation-sample" } else { "cifar10-evaluation" };
    let folder = output.clone().unwrap_or_else(|| experiment::default_root().join(name));
    system::create_folder(&folder)
        .with_context(|| format!("cannot create the folder {}", folder.display()))?;
    let (set, source) = labelled_images(*sample, data, messages)?;
    let of_file = submission.as_ref().zip(csv.as_deref());
    let of_file = of_file.map(|(file, path)| compare(file, path, &set)).transpose()?;

    messages.say(format!("images: {} from {source}", set.len()));
    let (images, labels) = (set.images().view(), set.labels());
    let probabilities = model.predict(&weights, images, messages)?;
    let predictions = Predictions::new(images, labels, probabilities.view(), &CIFAR10_CLASSES)?;
    let confusion = predictions.confusion();
    messages.say(format!("\naccuracy: {}", accuracy_line(confusion)));
    if let (Some(confusion), Some(submission), Some(path)) = (of_file, submission, csv) {
        let predicted = argmax(probabilities.view())?;
        let pairs = submission.classes.iter().zip(&predicted);
        let same = pairs.filter(|(said, predicted)| said == predicted).count();
        messages.say(format!("accuracy of {}: {}", path.display(), accuracy_line(&confusion)));
        messages.say(format!("  it agrees with this model on {same} of {} images", set.len()));
    }
    messages.say(format!("\n{}", class_table(confusion)));
    messages.say(confusion_table(confusion));
    predictions.write(&folder, None)?;
    messages.say(format!("pictures of the worst mistakes and more: {}", folder.display()));
    Ok(())
}

/// Images whose classes are known, and where they come from.
fn labelled_images(
    sample: bool,
    data: &DataOptions,
    messages: &Messages,
) -> Result<(ImageSet, String)> {
    if sample {
        messages.warn("these are the 100 sample images, not the test set: no accuracy is a result");
        let source = "sample of CIFAR-10 that ships with the program";
        return Ok((cifar10_sample()?, source.to_owned()));
    }
    let (set, source) = labelled_test_batch(&data.request(messages)?)
        .context("the labelled test batch is needed (--sample tries it on 100 sample images)")?;
    Ok((set, source.to_string()))
}

/// The classes of the submission against the true ones.
fn compare(submission: &Submission, path: &Path, set: &ImageSet) -> Result<Confusion> {
    let classes = &submission.classes;
    if classes.len() != set.len() {
        bail!(
            "{}: expected a row for each of the {} labelled images, but got {}; it is for other images",
            path.display(),
            set.len(),
            classes.len()
        );
    }
    let names = CIFAR10_CLASSES.map(str::to_owned).to_vec();
    let pairs = set.labels().iter().zip(classes).map(|(&truth, &said)| (truth.into(), said));
    Ok(Confusion::of_predictions(names, pairs)?)
}
