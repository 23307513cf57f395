//! `kaggle mlp`, `kaggle train` and `kaggle ablate`: training, and its record.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use clap::builder::RangedU64ValueParser;
use experiment::{
    Config, Evaluation, LAST_CHECKPOINT, ModelName, Predictions, Program, Record, Status, Summary,
};
use serde::Serialize;
use training::{
    BatchSource, Finished, INTERRUPTED, ImageBatches, Interrupt, ModelSpec, Monitor, Progress, Run,
    RunConfig, TaskOptions, Tasks, UsageError,
};

use crate::component::Component;
use crate::options::{DataOptions, Messages, ThreadOptions, command_line, program};
use crate::prediction::{TestTimeAugmentation, evaluate};
use crate::recipe::{Recipe, Whitening};
use crate::recipes::RecipeName;
use crate::training_images::{Images, TrainingImages};

/// The options of every training.
#[derive(Args, Clone, Debug)]
pub(crate) struct TrainingOptions {
    /// Epochs [default: the recipe's]
    #[arg(long, allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// Images in a mini-batch [default: the recipe's]; the rates of fast and best are in proportion to it
    #[arg(long, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..))]
    batch_size: Option<u32>,
    /// Largest learning rate [default: the recipe's]; rates of parameter groups change in proportion
    #[arg(long, allow_negative_numbers = true, value_parser = learning_rate)]
    lr: Option<f64>,
    /// A subset of the data and two epochs: less than a minute; fails if the loss does not fall
    #[arg(long)]
    smoke: bool,
    /// Say at the end where the time of a step went, layer by layer
    #[arg(long)]
    profile: bool,
    /// Write a checkpoint after so many steps too, not only after each epoch
    #[arg(long, value_name = "STEPS", allow_negative_numbers = true)]
    checkpoint_every: Option<NonZeroU64>,
    /// Folder that gets the record, in a folder named by the model
    #[arg(long, value_name = "DIR", default_value_os_t = experiment::default_root())]
    output: PathBuf,
    /// Replace a record of that name
    #[arg(long, conflicts_with = "resume")]
    overwrite: bool,
    /// Continue an interrupted training of that name
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    threads: ThreadOptions,
    #[command(flatten)]
    data: DataOptions,
    #[command(flatten)]
    messages: Messages,
}

#[derive(Args, Debug)]
pub(crate) struct OneRun {
    /// Seed of everything random
    #[arg(long, default_value_t = 0, allow_negative_numbers = true, value_parser = seed())]
    seed: u64,
    /// Name of the record [default: fashion-mnist-mlp; or cifar10, cifar10-fast or cifar10-best]
    #[arg(long, value_name = "NAME")]
    model_name: Option<ModelName>,
    /// Measure the official test set after the last epoch: once, to report it, never to choose by it
    #[arg(long)]
    test: bool,
    #[command(flatten)]
    options: TrainingOptions,
}

#[derive(Args, Debug)]
pub(crate) struct TrainArguments {
    /// What is trained, and how
    #[arg(long, value_name = "RECIPE", default_value = "plain")]
    recipe: RecipeName,
    /// Leave a part of the recipe out
    #[arg(long, value_name = "PART")]
    without: Option<Component>,
    /// Learn from all 50,000 training images, and hold none out
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    run: OneRun,
}

#[derive(Args, Debug)]
pub(crate) struct AblateArguments {
    /// What is trained, and how
    #[arg(long, value_name = "RECIPE", default_value = "plain")]
    recipe: RecipeName,
    /// Seeds, each of which is run once
    #[arg(long, value_delimiter = ',', default_value = "0")]
    #[arg(allow_negative_numbers = true, value_parser = seed())]
    seeds: Vec<u64>,
    /// Parts to leave out, each in turn [default: all]
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    parts: Option<Vec<Component>>,
    #[command(flatten)]
    options: TrainingOptions,
    #[command(flatten)]
    tasks: TaskOptions,
}

/// What the runs of an ablation share.
#[derive(Serialize)]
struct Shared<'a> {
    recipe: &'a str,
    epochs: u64,
    batch_size: usize,
    lr: f64,
    smoke: bool,
}

/// The largest mini-batch of a smoke test.
const SMOKE_BATCH: usize = 128;

/// A seed that a record can hold.
fn seed() -> RangedU64ValueParser {
    clap::value_parser!(u64).range(..=i64::MAX as u64)
}

fn learning_rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(lr) if 0.0 < lr && lr < f64::INFINITY => Ok(lr),
        _ => Err("the learning rate must be a finite number above 0".to_owned()),
    }
}

/// `kaggle mlp`.
pub(crate) fn mlp(arguments: &OneRun) -> Result<ExitCode> {
    let recipe = Recipe::fashion_mnist_mlp();
    one_run(arguments, Images::FashionMnist, recipe, None, true, "fashion-mnist-mlp")
}

/// `kaggle train`.
pub(crate) fn train(arguments: &TrainArguments) -> Result<ExitCode> {
    let TrainArguments { recipe, without, all, run } = arguments;
    one_run(run, Images::Cifar10, recipe.recipe(), *without, !all, recipe.record())
}

fn one_run(
    arguments: &OneRun,
    images: Images,
    recipe: Recipe,
    without: Option<Component>,
    validate: bool,
    name: &str,
) -> Result<ExitCode> {
    let OneRun { seed, model_name, test, options } = arguments;
    let recipe = &options.recipe(recipe, without)?;
    options.threads.start()?;
    let images = &options.images(images, validate)?;
    let name = match model_name {
        Some(name) => name.clone(),
        None => options.named(name).parse()?,
    };
    let interrupt = &Interrupt::on_ctrl_c()?;
    Plan { recipe, without, seed: *seed, name, test: *test, options, images, interrupt }.execute()
}

/// `kaggle ablate`: the full recipe, then without each part, each with every seed as a task of its own.
pub(crate) fn ablate(arguments: &AblateArguments) -> Result<ExitCode> {
    let AblateArguments { recipe: named, seeds, parts, options, tasks } = arguments;
    let full = named.recipe();
    let parts = parts.clone().unwrap_or_else(|| Component::of(&full));
    let parts = std::iter::once(None).chain(parts.into_iter().map(Some)).map(|without| {
        let recipe = options.recipe(full.clone(), without)?;
        Ok((without.map_or("full".to_owned(), Component::name), without, recipe))
    });
    let parts: Vec<_> = parts.collect::<Result<_>>()?;
    let runs = parts.iter().flat_map(|part| seeds.iter().map(move |&seed| (part, seed)));
    let runs: Vec<_> = runs.collect();

    let root = options.output.join(options.named(&format!("{}-ablation", named.record())));
    let names = runs.iter().map(|((part, ..), seed)| format!("{part}/seed-{seed}")).collect();
    let Recipe { epochs, batch_size, lr, .. } = parts[0].2;
    let shared = Shared { recipe: &full.model.name, epochs, batch_size, lr, smoke: options.smoke };
    let (status, program) = (experiment::status, program());
    let tasks = Tasks::new(root.clone(), names, &shared, tasks, status, program)?;
    options.threads.start()?;
    let (numbers, collects) = tasks.asked()?;
    if !numbers.is_empty() {
        let images = &options.images(Images::Cifar10, true)?;
        let interrupt = &Interrupt::on_ctrl_c()?;
        tasks.plan(options.overwrite)?;
        for n in numbers {
            let ((part, without, recipe), seed) = runs[n];
            let (without, record) = (*without, tasks.path(n));
            let label = format!("{part}, seed {seed}");
            let Some(claim) = tasks.claim(n, options.overwrite)? else {
                options.messages.say(format!("{label}: there already, {}", record.display()));
                continue;
            };
            options.messages.say(format!("\n{label}"));
            let resume = matches!(
                experiment::status(&record)?,
                Some(Status::Interrupted | Status::Running) if !options.overwrite
            ) && record.join(LAST_CHECKPOINT).exists();
            let output = root.join(part);
            let options = &TrainingOptions { resume, output, ..options.clone() };
            let name = format!("seed-{seed}").parse()?;
            let plan =
                Plan { recipe, without, seed, name, test: false, options, images, interrupt };
            let code = plan.execute()?;
            if code != ExitCode::SUCCESS {
                return Ok(code);
            }
            claim.finish()?;
        }
    }
    if collects {
        tasks.check_finished()?;
        let parts: Vec<_> = parts.iter().map(|(part, ..)| part.as_str()).collect();
        options.messages.say(ablation_table(&root, &parts, seeds)?);
    }
    Ok(ExitCode::SUCCESS)
}

/// The validation accuracies of finished runs, in %: of each seed, their mean, and its difference from that of the full
/// recipe, in points.
fn ablation_table(root: &Path, parts: &[&str], seeds: &[u64]) -> Result<String> {
    let columns: String =
        seeds.iter().map(|seed| format!("  {:>8}", format!("seed {seed}"))).collect();
    let mut table = format!("\n{:15}{columns}      mean  difference", "without");
    let mut full = None;
    for part in parts {
        let accuracy = |seed| {
            let record = Record::read(&root.join(part).join(format!("seed-{seed}")))?;
            let validation = record.summary.validation.context("a run without a validation")?;
            Ok(100.0 * (1.0 - validation.error))
        };
        let accuracies = seeds.iter().map(accuracy).collect::<Result<Vec<f64>>>()?;
        let mean = accuracies.iter().sum::<f64>() / accuracies.len() as f64;
        let (name, full) =
            (if full.is_some() { part } else { "nothing" }, full.get_or_insert(mean));
        let cells: String = accuracies.iter().map(|accuracy| format!("  {accuracy:8.2}")).collect();
        table += &format!("\n{name:15}{cells}  {mean:8.2}  {:10.2}", mean - *full);
    }
    Ok(table)
}

impl TrainingOptions {
    /// A recipe as these options change it, without a part of it. The mini-batch comes first, and a learning
    /// rate that was typed last: parts depend on the one, and the other is meant as it is.
    fn recipe(&self, mut recipe: Recipe, without: Option<Component>) -> Result<Recipe> {
        recipe.epochs = self.epochs.unwrap_or(if self.smoke { 2 } else { recipe.epochs });
        // A subset is a few large mini-batches, or less than one.
        let usual = if self.smoke { recipe.batch_size.min(SMOKE_BATCH) } else { recipe.batch_size };
        recipe.set_batch_size(self.batch_size.map_or(usual, |size| size as usize));
        if let Some(component) = without {
            component.remove_from(&mut recipe)?;
        }
        if let Some(lr) = self.lr {
            recipe.set_lr(lr);
        }
        Ok(recipe)
    }

    /// The name of a record: one of a subset must not take the place of a training.
    fn named(&self, name: &str) -> String {
        format!("{name}{}", if self.smoke { "-smoke" } else { "" })
    }

    fn images(&self, images: Images, validate: bool) -> Result<TrainingImages> {
        let images = images.split(validate, self.smoke, &self.data.request(&self.messages)?)?;
        let (data, found) = (&images.data, &images.found);
        self.messages.say(format!(
            "{}: {} images to learn from, {} held out, {} to test, from {} ({})",
            data.name,
            data.train,
            data.validation,
            data.test,
            found.folder.display(),
            found.source
        ));
        Ok(images)
    }
}

/// One training.
struct Plan<'a> {
    recipe: &'a Recipe,
    without: Option<Component>,
    seed: u64,
    name: ModelName,
    test: bool,
    options: &'a TrainingOptions,
    images: &'a TrainingImages,
    interrupt: &'a Interrupt,
}

/// The hyperparameters in the record.
#[derive(Serialize)]
struct Hyperparameters<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    without: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    whitening: Option<Whitening>,
    #[serde(skip_serializing_if = "is_plain")]
    test_time_augmentation: TestTimeAugmentation,
    #[serde(flatten)]
    run: &'a RunConfig,
    model: &'a ModelSpec,
}

fn is_plain(augmentation: &TestTimeAugmentation) -> bool {
    *augmentation == TestTimeAugmentation::None
}

impl Plan<'_> {
    /// On a thread of the pool: from any other, each parallel loop wakes one of them and then waits to be woken,
    /// and the training of an MLP takes 1.1 times as long.
    fn execute(&self) -> Result<ExitCode> {
        rayon::scope(|_| self.train())
    }

    fn train(&self) -> Result<ExitCode> {
        let Self { seed, recipe, options, images, .. } = *self;
        let model = recipe.build(&images.train, seed)?;
        let (batch_size, augmentation) = (recipe.batch_size, recipe.augmentation);
        let batches = ImageBatches::new(&images.train, &model, batch_size, seed, augmentation)
            .map_err(UsageError::new)?;
        let config = recipe.run_config(seed, batches.per_epoch(), &images.data.sha256);
        let hyperparameters = Hyperparameters {
            without: self.without.map(Component::name),
            whitening: recipe.whitening,
            test_time_augmentation: recipe.test_time_augmentation,
            run: &config,
            model: &recipe.model,
        };
        let (name, data) = (self.name.clone(), images.data.clone());
        let record = Config::new(name, command_line(), seed, data, &hyperparameters)?;
        let monitor = Monitor::new(&images.train, images.validation.as_ref(), seed)?;
        let program = Program::current(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        let mut run = if options.resume {
            let directory = options.output.join(self.name.to_string());
            Run::resume(&directory, &record, program, &recipe.model, config)?
        } else {
            Run::begin(&options.output, &record, program, options.overwrite, model, config)?
        };
        if options.profile {
            run.profile();
        }
        if let Some(steps) = options.checkpoint_every {
            run.checkpoint_every(steps);
        }
        let mut progress = Progress::new(options.messages.quiet);
        match run.train(&batches, &monitor, self.interrupt, &mut progress)? {
            Some(finished) => self.report(finished).map(|()| ExitCode::SUCCESS),
            None => Ok(INTERRUPTED.into()),
        }
    }

    /// The pictures of the record, and its end.
    fn report(&self, finished: Finished) -> Result<()> {
        let Self { options, images, .. } = *self;
        let messages = &options.messages;
        let directory = finished.run.directory().to_owned();
        let model = finished.run.model();
        let tested = self.test.then_some(("test", &images.test));
        let shown = tested.or(images.validation.as_ref().map(|set| ("validation", set)));
        let mut test = None;
        if let Some((what, set)) = shown {
            let augmentation = self.recipe.test_time_augmentation;
            // The record's validation is that of every epoch, of single images.
            let recorded = if self.test { augmentation } else { TestTimeAugmentation::None };
            let (evaluation, probabilities) = evaluate(model, set, recorded)?;
            let classes = &model.spec().class_names;
            let predictions =
                Predictions::new(set.images().view(), set.labels(), probabilities.view(), classes)?;
            let mut layers = model.network().layers().iter();
            let first_weights = layers.find_map(|layer| layer.parameters().get("W"));
            predictions.write(&directory, first_weights.map(|w| w.view()))?;
            let said = |evaluation, of: TestTimeAugmentation| {
                format!("{what}: {}{}", accuracy(evaluation), of.description())
            };
            messages.say(said(&evaluation, recorded));
            if recorded != augmentation {
                messages.say(said(&evaluate(model, set, augmentation)?.0, augmentation));
            }
            for pair in predictions.confusion().most_confused(3) {
                let (truth, predicted) = (&classes[pair.truth], &classes[pair.predicted]);
                messages.say(format!("  {} x {truth} taken for {predicted}", pair.count));
            }
            test = self.test.then_some(evaluation);
        }
        let (_, summary) = finished.finish(test)?;
        if options.smoke {
            check_that_the_loss_fell(&directory, &summary)?;
            messages.say("smoke: the loss fell");
        }
        messages.say(format!("record: {}", directory.display()));
        Ok(())
    }
}

fn accuracy(evaluation: &Evaluation) -> String {
    let Evaluation { loss, error, examples, .. } = evaluation;
    let accuracy = 100.0 * (1.0 - error);
    format!("accuracy {accuracy:.2} % of {examples} images, loss {loss:.4}")
}

fn check_that_the_loss_fell(directory: &Path, summary: &Summary) -> Result<()> {
    let record = Record::read(directory)?;
    let before = record.history.rows().first().and_then(|row| row.train_loss);
    let before = before.context("the record has no loss from before the training")?;
    let after = summary.train.context("the record has no loss from after the training")?.loss;
    // Not a matter of chance: two epochs take more than this off.
    if after < 0.9 * before {
        return Ok(());
    }
    bail!(
        "smoke: expected the training loss to fall below 0.9 of {before:.4}, but it is {after:.4}"
    )
}
