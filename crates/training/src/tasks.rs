//! Independent runs as numbered tasks, which any number of processes do, each task by one of them.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::Args;
use experiment::{ExperimentError, SCHEMA, Status, files};
use serde::{Deserialize, Serialize};
use system::{print, println};

use crate::difference::differences;
use crate::job_script::Form;
use crate::{TrainingError, UsageError, command_line};

/// The options of a command that consists of independent runs. Without any of them it does all tasks, one after
/// the other, and collects.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Tasks, for several processes or machines with one output folder")]
pub struct TaskOptions {
    /// Do only the task of this number, from 0: it is skipped if it is finished, and continued if it was interrupted
    #[arg(long, value_name = "N", allow_negative_numbers = true, group = "tasks")]
    task: Option<usize>,
    /// List the tasks and how far they are
    #[arg(long, group = "tasks", conflicts_with = "overwrite")]
    status: bool,
    /// Sum up the tasks, all of which have to be finished
    #[arg(long, group = "tasks")]
    collect: bool,
    /// Print a script that does the tasks: a job array of Slurm, GNU parallel, or a loop of the shell
    #[arg(long, value_name = "FORM", group = "tasks", conflicts_with = "overwrite")]
    emit: Option<Form>,
    /// The most tasks at a time by such a script
    #[arg(long, value_name = "K", allow_negative_numbers = true, default_value = "4")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..), requires = "emit")]
    at_a_time: u16,
}

/// The tasks of a command, in the order of their numbers.
#[derive(Debug)]
pub struct Tasks<S> {
    folder: PathBuf,
    plan: Plan,
    options: TaskOptions,
    status: S,
    program: String,
}

/// `tasks.toml`: what every process of a command has to agree on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    schema: u32,
    tasks: Vec<String>,
    settings: toml::Table,
}

/// A task that no other process does as long as this lives.
#[derive(Debug)]
pub struct Claim {
    _locked: File,
    path: PathBuf,
}

const PLAN: &str = "tasks.toml";

impl<S: Fn(&Path) -> Result<Option<Status>, ExperimentError>> Tasks<S> {
    /// The tasks with these names, which are paths in `folder`, and the settings that all of them share. `status` says
    /// how far the task is whose path it gets; `program` is the beginning of the command line, such as
    /// `cargo run -p ffnn --`.
    ///
    /// # Errors
    /// If there is no task of the number that is asked for.
    pub fn new(
        folder: PathBuf,
        tasks: Vec<String>,
        settings: &impl Serialize,
        options: &TaskOptions,
        status: S,
        program: String,
    ) -> Result<Self, UsageError> {
        let settings = toml::Table::try_from(settings).map_err(UsageError::new)?;
        let last = tasks.len() - 1;
        if let Some(n) = options.task.filter(|&n| n > last) {
            let error =
                format!("--task must be from 0 to {last}, but is {n}; --status lists the tasks");
            return Err(UsageError::new(error));
        }
        let plan = Plan { schema: SCHEMA, tasks, settings };
        Ok(Self { folder, plan, options: options.clone(), status, program })
    }

    /// The numbers of the tasks that are asked for, and whether they are to be collected then. Prints the script or
    /// the list that is asked for instead.
    ///
    /// # Errors
    /// If the plan of other processes is another one, or cannot be read or written.
    pub fn asked(&self) -> Result<(Range<usize>, bool), TrainingError> {
        let all = self.plan.tasks.len();
        let TaskOptions { task, status, collect, emit, at_a_time } = self.options;
        if let Some(form) = emit {
            self.plan(false)?;
            print!("{}", form.script(&self.folder, all, at_a_time));
            return Ok((0..0, false));
        }
        if task.is_some() || status || collect {
            self.agree(true)?;
        }
        if status {
            for n in 0..all {
                println!("{n:4}  {:11}  {}", self.state(n)?, self.name(n));
            }
        }
        Ok(match task {
            Some(n) => (n..n + 1, false),
            None if status || collect => (0..0, collect),
            None => (0..all, true),
        })
    }

    /// The name of a task.
    pub fn name(&self, n: usize) -> &str {
        &self.plan.tasks[n]
    }

    /// The path of a task without the extension that its result may have.
    pub fn path(&self, n: usize) -> PathBuf {
        self.folder.join(self.name(n))
    }

    /// Writes the plan, so that no process takes up the tasks with other settings. Only if all tasks are done anew, with
    /// `overwrite`, may the settings be other than those of a plan that is there; a list of other tasks takes
    /// its place.
    pub fn plan(&self, overwrite: bool) -> Result<(), TrainingError> {
        if !overwrite || self.options.task.is_some() {
            self.agree(false)?;
        }
        system::create_folder(&self.folder).map_err(ExperimentError::io("create", &self.folder))?;
        Ok(files::write_toml(&self.folder.join(PLAN), &self.plan)?)
    }

    /// Checks that the plan is that of other processes, if there is one: its settings and, if `numbered`, its tasks.
    fn agree(&self, numbered: bool) -> Result<(), TrainingError> {
        let path = self.folder.join(PLAN);
        if !path.exists() {
            return Ok(());
        }
        let mut planned: Plan = files::read_toml(&path)?;
        if !numbered {
            planned.tasks.clone_from(&self.plan.tasks);
        }
        let differences = differences(&planned, &self.plan, "the plan");
        if differences.is_empty() {
            return Ok(());
        }
        Err(TrainingError::Refused(format!(
            "{} plans other tasks:\n  {}\nGive the same settings as there, name another folder with --output, \
             or begin anew with --overwrite",
            path.display(),
            differences.join("\n  ")
        )))
    }

    fn lock_file(&self, n: usize) -> PathBuf {
        self.folder.join(format!("{}.lock", self.name(n)))
    }

    fn state(&self, n: usize) -> Result<String, ExperimentError> {
        let held = File::open(self.lock_file(n));
        if held.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock))) {
            return Ok("running".to_owned());
        }
        Ok(match (self.status)(&self.path(n))? {
            None => "waiting".to_owned(),
            // Nobody holds it, so its process died.
            Some(Status::Running) => Status::Interrupted.to_string(),
            Some(status) => status.to_string(),
        })
    }

    /// Takes a task, or nothing if it is finished; with `overwrite` a finished one, too. Where a file system has no
    /// locks, nobody else is kept out.
    ///
    /// # Errors
    /// If another process has taken it.
    pub fn claim(&self, n: usize, overwrite: bool) -> Result<Option<Claim>, TrainingError> {
        let is_done =
            || (self.status)(&self.path(n)).map(|s| s == Some(Status::Finished) && !overwrite);
        if is_done()? {
            return Ok(None);
        }
        let path = self.lock_file(n);
        let folder = path.parent().unwrap_or(&self.folder);
        system::create_folder(folder).map_err(ExperimentError::io("create", folder))?;
        let file = File::options().create(true).append(true).open(&path);
        let file = file.map_err(ExperimentError::io("create", &path))?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(TrainingError::Refused(format!(
                "task {n} ({}) is being done by another process, which has locked {}: leave it to that one, or wait \
                 until it ends",
                self.name(n),
                path.display()
            )));
        }
        // Whoever held the lock until now may have finished.
        let claim = Claim { _locked: file, path };
        if is_done()? {
            claim.finish()?;
            return Ok(None);
        }
        Ok(Some(claim))
    }

    /// Checks that all tasks are finished.
    ///
    /// # Errors
    /// [`TrainingError::Refused`] with those that are not, and the command that does each.
    pub fn check_finished(&self) -> Result<(), TrainingError> {
        let mut missing = Vec::new();
        for n in 0..self.plan.tasks.len() {
            if (self.status)(&self.path(n))? != Some(Status::Finished) {
                let (name, state) = (self.name(n), self.state(n)?);
                let command = command_line(&self.program);
                missing.push(format!("\n  task {n} ({name}, {state}): {command} --task {n}"));
            }
        }
        match missing.len() {
            0 => Ok(()),
            count => Err(TrainingError::Refused(format!(
                "{count} of {} tasks are not finished; first do{}",
                self.plan.tasks.len(),
                missing.concat()
            ))),
        }
    }

    /// Removes the folder of the tasks, if it is there.
    pub fn remove(&self) -> Result<(), ExperimentError> {
        match self.folder.exists() {
            true => fs::remove_dir_all(&self.folder)
                .map_err(ExperimentError::io("remove", &self.folder)),
            false => Ok(()),
        }
    }
}

impl Claim {
    /// Gives up a task that is finished. A process that has opened the file which is removed here finds that it is.
    pub fn finish(self) -> Result<(), ExperimentError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(ExperimentError::io("remove", &self.path)),
        }
    }
}
