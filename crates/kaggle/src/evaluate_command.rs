//! `kaggle evaluate`: the quality of the predictions.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use acquire::AcquireError;
use anyhow::{Context, Result};
use clap::Args;
use datasets::{CIFAR10_CLASSES, ImageSet, argmax, cifar10_sample};
use experiment::{Confusion, Predictions};
use kaggle::{
    KaggleError, Submission, accuracy_line, class_table, confusion_table, labelled_test_batch,
    predict,
};
use ndarray::ArrayViewD;

use crate::options::{DataOptions, Messages, ModelOptions};

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
    let threads = model.threads.start()?;
    let submission = csv.as_deref().map(Submission::read).transpose()?;
    let weights = model.weights()?;
    let folder = match output {
        Some(folder) => folder.clone(),
        None if *sample => experiment::default_root().join("cifar10-evaluation-sample"),
        None => experiment::default_root().join("cifar10-evaluation"),
    };
    fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create the folder {}", folder.display()))?;
    let (set, source) = labelled_images(*sample, data, messages)?;
    let of_file = submission.as_ref().zip(csv.as_deref());
    let of_file = of_file.map(|(file, path)| compare(file, path, &set)).transpose()?;

    messages.say(format!("images: {} from {source}", set.len()));
    messages.say_weights(&weights, model.augmentation());
    let started = Instant::now();
    let probabilities = predict(&weights.model, set.images().view(), model.augmentation())
        .with_context(|| weights.source.to_string())?;
    messages.say_time(started, threads, model.augmentation());

    let predictions = Predictions::new(
        set.images().view(),
        set.labels(),
        probabilities.view(),
        &CIFAR10_CLASSES,
    )?;
    let confusion = predictions.confusion();
    messages.say(format!("\naccuracy: {}", accuracy_line(confusion)));
    if let (Some(confusion), Some(submission), Some(path)) = (of_file, submission, csv) {
        let predicted = argmax(probabilities.view())?;
        let pairs = submission.classes().iter().zip(predicted);
        let same = pairs.filter(|(a, b)| usize::from(**a) == *b).count();
        messages.say(format!("accuracy of {}: {}", path.display(), accuracy_line(&confusion)));
        messages.say(format!("  it agrees with this model on {same} of {} images", set.len()));
    }
    messages.say(format!("\n{}", class_table(confusion)));
    messages.say(confusion_table(confusion));
    predictions.write(&folder, None::<ArrayViewD<'_, f32>>)?;
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
        return Ok((
            cifar10_sample()?,
            "sample of CIFAR-10 that ships with the program".to_owned(),
        ));
    }
    match labelled_test_batch(&data.request()?, &messages.reporter()) {
        Ok((set, source)) => Ok((set, source.to_string())),
        Err(error @ KaggleError::Acquire(AcquireError::Nowhere { .. })) => Err(error)
            .context("the labelled test batch is needed (--sample tries it on 100 sample images)"),
        Err(error) => Err(error.into()),
    }
}

/// The classes of the submission against the true ones.
fn compare(submission: &Submission, path: &Path, set: &ImageSet) -> Result<Confusion> {
    let classes = submission.classes();
    if classes.len() != set.len() {
        return Err(KaggleError::Predictions {
            what: path.display().to_string(),
            expected: format!("a row for each of the {} labelled images", set.len()),
            got: format!("{}; it is for other images", classes.len()),
        }
        .into());
    }
    let names = CIFAR10_CLASSES.map(str::to_owned).to_vec();
    let pairs = set.labels().iter().zip(classes).map(|(&truth, &said)| (truth.into(), said.into()));
    Ok(Confusion::of_predictions(names, pairs)?)
}
