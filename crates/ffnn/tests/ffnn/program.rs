//! The program as a user types it.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use experiment::{Record, Status};
use ffnn::SweepRecord;
use ndarray::{Array2, ArrayD, array};
use ndarray_npy::{NpzReader, write_npy};
use system::for_tests::{names, ran, survives_without_output};
use tempfile::TempDir;

/// The program with its records in a folder of its own.
struct Program {
    folder: TempDir,
}

impl Program {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ffnn"));
        command.current_dir(self.folder.path());
        command
    }

    fn succeed(&self, arguments: &str) -> String {
        let [said, error] = ran(self.command().args(arguments.split_whitespace()), 0);
        assert_eq!(error, "");
        said
    }

    /// The message of a command that must end with this exit code.
    fn fail(&self, arguments: &str, code: i32) -> String {
        let [_, error] = ran(self.command().args(arguments.split_whitespace()), code);
        assert!(error.starts_with("error: "), "{error}");
        error
    }

    fn record(&self, name: &str) -> PathBuf {
        self.folder.path().join("experiments").join(name)
    }

    fn is_untouched(&self) -> bool {
        !self.folder.path().join("experiments").exists()
    }
}

#[test]
fn a_run_is_recorded_and_not_overwritten_unawares() {
    let program = Program::new();
    let output = program.succeed("train --epochs 3");
    assert!(output.contains("iris: 100 training, 25 validation, 25 test examples"), "{output}");
    assert!(output.contains("record: experiments/iris"), "{output}");
    assert!(!output.contains("test:"), "the test set is for the end: {output}");
    let record = Record::read(&program.record("iris")).unwrap();
    assert_eq!((record.summary.status, record.summary.epochs), (Status::Finished, 3));
    assert_eq!(record.summary.test, None);
    assert_eq!(record.config.command, "cargo run -p ffnn -- train --epochs 3");
    let arrays = File::open(program.record("iris").join("parameters.npz")).unwrap();
    let names = NpzReader::new(arrays).unwrap().names().unwrap();
    assert_eq!(names, ["0.W", "0.b", "1.W", "1.b"]);

    let error = program.fail("train --epochs 4", 1);
    assert!(error.contains("choose another model name, or pass --overwrite"), "{error}");
    assert_eq!(Record::read(&program.record("iris")).unwrap().summary.epochs, 3);
    assert_eq!(program.succeed("train --epochs 4 --overwrite --quiet"), "");
    assert_eq!(Record::read(&program.record("iris")).unwrap().summary.epochs, 4);
}

#[test]
fn every_flag_reaches_the_record() {
    let program = Program::new();
    let output = program.succeed(
        "train --lr 0.2 --hidden 6,5 --activation tanh --weight-init he_normal --loss cross_entropy \
         --preprocess normalise --epochs 2 --batch-size 50 --momentum 0.5 --clip-norm 2 --decay 0.9 \
         --decay-steps 2 --staircase --seed 3 --model-name all --output here --test",
    );
    assert!(output.contains("test: loss "), "{output}");
    let record = Record::read(&program.folder.path().join("here/all")).unwrap();
    let table = record.config.hyperparameters.to_string();
    for expected in [
        "lr = 0.2",
        "hidden = \"6,5\"",
        "activation = \"tanh\"",
        "weight_init = \"he_normal\"",
        "loss = \"cross_entropy\"",
        "preprocess = \"normalise\"",
        "epochs = 2",
        "batch_size = 50",
        "momentum = 0.5",
        "clip_norm = 2.0",
        "factor = 0.9",
        "steps = 2",
        "staircase = true",
    ] {
        assert!(table.contains(expected), "{expected} in {table}");
    }
    assert_eq!(record.config.seed, 3);
    assert_eq!(record.summary.test.unwrap().examples, 25);
    let lrs = record.history.column(|row| row.lr);
    assert_eq!(lrs, [(1.0, 0.2), (2.0, 0.2), (3.0, 0.2 * 0.9), (4.0, 0.2 * 0.9)], "two steps");
    let arrays = File::open(program.folder.path().join("here/all/parameters.npz")).unwrap();
    let b: ArrayD<f32> = NpzReader::new(arrays).unwrap().by_name("1.b").unwrap();
    assert_eq!(b.shape(), [1, 5]);
}

#[test]
fn from_a_folder_of_a_workspace_the_record_goes_to_its_root() {
    let program = Program::new();
    let inner = program.folder.path().join("crates/one");
    fs::create_dir_all(&inner).unwrap();
    fs::write(program.folder.path().join("Cargo.toml"), "[workspace]\n").unwrap();
    let mut command = program.command();
    let output = command.current_dir(&inner).args(["train", "--epochs", "1"]).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("record: ../../experiments/iris"));
    assert!(Record::read(&program.record("iris")).is_ok());
    assert!(!inner.join("experiments").exists());
}

#[test]
fn a_command_that_makes_no_sense_ends_with_2_and_writes_nothing() {
    let program = Program::new();
    for (arguments, expected) in [
        ("train --lr 0", "the learning rate must be finite and above 0, but is 0"),
        ("train --lr inf", "the learning rate must be finite and above 0, but is inf"),
        ("train --lr nan", "the learning rate must be finite and above 0, but is NaN"),
        ("train --lr=-1", "the learning rate must be finite and above 0, but is -1"),
        ("train --hidden 0", "n_out must be at least 1, but is 0"),
        (
            "train --hidden 8,x",
            "the sizes of hidden layers must be numbers separated by commas, or none",
        ),
        ("train --epochs 0", "the number of epochs must be at least 1"),
        ("train --batch-size 0", "from 1 to the number of examples, 100, but is 0"),
        ("train --momentum 1", "the momentum must be in [0, 1), but is 1"),
        ("train --momentum nan", "the momentum must be in [0, 1), but is NaN"),
        ("train --clip-norm 0", "the norm to clip gradients to must be finite and above 0"),
        ("train --clip-norm inf", "the norm to clip gradients to must be finite and above 0"),
        ("train --decay 2", "the decay must be in (0, 1], but is 2"),
        ("train --decay 0.5 --decay-steps 0", "decay_steps must be at least 1"),
        ("train --decay-steps 5", "--decay"),
        ("train --activation rleu", "expected one of linear, sigmoid, tanh, relu, softmax, arctan"),
        ("train --loss mse", "expected one of cross_entropy, l2, softmax_cross_entropy"),
        ("train --weight-init xavier", "xavier_uniform, xavier_normal"),
        ("train --preprocess scale", "expected one of `none`, `normalise`, `standardise`"),
        ("train --model-name ../iris", "a model name must be"),
        ("train --seed 9223372036854775808", "9223372036854775807"),
        ("train --seed -1", "invalid digit"),
        ("train --lr -1", "the learning rate must be finite and above 0, but is -1"),
        ("train --epochs -1", "invalid digit"),
        ("train --batch-size 101", "from 1 to the number of examples, 100, but is 101"),
        ("train --momentum -0.5", "the momentum must be in [0, 1), but is -0.5"),
        ("sweep --lr 0.1,-1", "the learning rate must be finite and above 0, but is -1"),
        ("sweep --batch-size 101", "from 1 to the number of examples, 100, but is 101"),
        ("sweep --threads 65535", "65535 is not in 1..=1024"),
        ("learn", "unrecognized subcommand"),
        ("sweep --seeds 99999999999999", "99999999999999 is not in 2..=10000"),
        ("sweep --seeds 1", "1 is not in 2..=10000"),
        ("sweep --lr 0.1,0", "the learning rate must be finite and above 0, but is 0"),
        ("sweep --hidden 4,0", "n_out must be at least 1, but is 0"),
        ("sweep --threads 0", "0 is not in 1..=1024"),
        // Layers that no memory holds.
        (
            "train --hidden 18446744073709551615",
            "an output example of shape [18446744073709551615]",
        ),
        ("sweep --lr 0.1 --hidden 99999999999", "an output example of shape [99999999999]"),
        ("train --hidden 99999999,99999999", "layer 1 (from 0): FullyConnected: W of shape"),
    ] {
        let error = program.fail(arguments, 2);
        assert!(error.contains(expected), "{arguments}: {error}");
    }
    assert!(program.is_untouched());
}

#[test]
fn data_that_cannot_be_used_end_with_1_and_write_nothing() {
    let program = Program::new();
    let error = program.fail("train --data-dir nowhere", 1);
    assert_eq!(
        error,
        "error: cannot read nowhere/iris_train_data.npy: No such file or directory (os error 2)\n",
        "the cause is told once"
    );

    let folder = program.folder.path();
    let write = |labels: &Array2<f64>| {
        for split in ["train", "val", "test"] {
            let data = Array2::<f64>::zeros((2, 4));
            write_npy(folder.join(format!("iris_{split}_data.npy")), &data).unwrap();
            write_npy(folder.join(format!("iris_{split}_labels.npy")), labels).unwrap();
        }
    };
    for bad in [[f64::NAN, 1.0], [1.0, 1.0], [0.5, 0.5]] {
        write(&array![[1.0, 0.0], bad]);
        for command in ["train", "sweep"] {
            let error = program.fail(&format!("{command} --data-dir ."), 1);
            assert!(error.contains("iris_train_labels.npy: row 1 must be one-hot"), "{error}");
        }
    }
    assert!(program.is_untouched());
    write(&array![[1.0, 0.0], [0.0, 1.0]]);
    program.succeed("train --data-dir . --batch-size 2 --epochs 1");
}

#[test]
fn runs_that_diverge_say_where_and_keep_their_log() {
    let program = Program::new();
    let error = program.fail("train --lr 1e30", 1);
    assert!(error.contains("the training diverged in epoch 1, iteration "), "{error}");
    assert!(error.contains("the log is kept in experiments/iris"), "{error}");
    let record = Record::read(&program.record("iris")).unwrap();
    assert_eq!(record.summary.status, Status::Diverged);
    let divergence = record.summary.diverged.unwrap();
    assert!(error.contains(&format!("iteration {}:", divergence.iteration)), "{error}");
    assert!(!record.history.rows().is_empty());
    let error = program.fail("train", 1);
    assert!(error.contains("holds a diverged record"), "{error}");
    let error = program.fail("sweep --lr 1e30 --hidden 3,6 --seeds 2 --epochs 20", 1);
    assert!(error.contains("in each of the 2 sets of the grid a run diverged"), "{error}");
    assert_eq!(names(&program.record("")), ["iris"], "a sweep that is given up leaves nothing");
}

#[test]
fn a_sweep_is_recorded_and_gives_the_same_again() {
    let program = Program::new();
    let sweep = "sweep --lr 0.03,0.3,1e30 --hidden 3,6 --seeds 3 --epochs 20";
    let output = program.succeed(&format!("{sweep} --threads 2"));
    assert!(output.contains("chosen by least mean validation error"), "{output}");
    assert!(output.contains("one test example is 4.0 %"), "{output}");
    assert!(output.contains("experiments/iris-sweep (27 runs"), "{output}");
    assert_eq!(
        names(&program.record("iris-sweep")),
        [
            "best",
            "loss.svg",
            "runs.csv",
            "summary.json",
            "sweep.toml",
            "table.csv",
            "validation-error.svg"
        ]
    );
    let record = SweepRecord::read(&program.record("iris-sweep")).unwrap();
    assert_eq!((record.table[2].diverged, record.table[2].val_loss_mean), (3, None));
    let table = fs::read_to_string(program.record("iris-sweep/table.csv")).unwrap();
    let diverged = "2,candidate,1000000000000000000000000000000,3,3,3,,,,,,";
    assert_eq!(table.lines().nth(3), Some(diverged));
    // The runs that are tested are those that were chosen by.
    let best = Record::read(&program.record("iris-sweep/best")).unwrap();
    let choice = &record.summary.best;
    assert_eq!(best.summary.test.unwrap(), choice.test[0].evaluation);
    let validation = best.summary.validation.unwrap();
    let run = &record.runs[3 * choice.set];
    let expected = (Some(validation.loss), Some(validation.error));
    assert_eq!((run.val_loss, run.val_error), expected);

    let runs = fs::read(program.record("iris-sweep/runs.csv")).unwrap();
    let error = program.fail(sweep, 1);
    assert!(
        error.contains("holds a finished record: choose another model name, or pass"),
        "{error}"
    );
    program.succeed(&format!("{sweep} --overwrite --threads 1"));
    assert_eq!(fs::read(program.record("iris-sweep/runs.csv")).unwrap(), runs, "to the bit");
    assert_eq!(names(&program.record("")), ["iris-sweep"], "nothing else is left");
    fs::write(program.record("iris-sweep/notes.txt"), "mine").unwrap();
    let error = program.fail(&format!("{sweep} --overwrite"), 1);
    assert!(error.contains("it holds notes.txt, which is no part of such a record"), "{error}");
}

/// The sets of a sweep as tasks, in any order and by any process, give the record that the plain command gives.
#[test]
fn a_sweep_by_tasks_is_the_same_sweep() {
    let program = Program::new();
    let sweep = "sweep --lr 0.03,0.3,1e30 --hidden 3,6 --seeds 3 --epochs 20";
    program.succeed(&format!("{sweep} --output plain"));
    let error = program.fail(&format!("{sweep} --task 9"), 2);
    assert!(error.contains("--task must be from 0 to 8, but is 9; --status lists"), "{error}");
    let error = program.fail(&format!("{sweep} --task 0 --status"), 2);
    assert!(error.contains("cannot be used with"), "{error}");
    assert!(program.is_untouched());

    let script = program.succeed(&format!("{sweep} --emit slurm --at-a-time=2"));
    let worker = format!("ffnn {sweep} --task \"$SLURM_ARRAY_TASK_ID\" &\n");
    for expected in ["#SBATCH --array=0-8%2\n", "#SBATCH --signal=B:USR1@120\n", &worker] {
        assert!(script.contains(expected), "{expected:?} in {script}");
    }
    for n in [8, 2, 4, 2] {
        program.succeed(&format!("{sweep} --task {n}"));
    }
    let tasks = program.record("iris-sweep.tasks");
    let held = File::create(tasks.join("hidden-3-lr-0.03.lock")).unwrap();
    held.try_lock().unwrap();
    let error = program.fail(&format!("{sweep} --task 0"), 1);
    assert!(
        error.contains("task 0 (hidden-3-lr-0.03) is being done by another process"),
        "{error}"
    );
    let list = program.succeed(&format!("{sweep} --status"));
    let states = ["running", "waiting", "finished", "waiting", "finished"];
    for (n, (line, state)) in list.lines().zip(states).enumerate() {
        assert!(line.starts_with(&format!("{n:4}  {state} ")), "{list}");
    }
    assert_eq!(list.lines().count(), 9);
    drop(held);
    let error = program.fail(&format!("{sweep} --collect"), 1);
    assert!(error.contains("6 of 9 tasks are not finished"), "{error}");
    let remedy =
        format!("task 3 (hidden-6-lr-0.03, waiting): cargo run -p ffnn -- {sweep} --task 3\n");
    assert!(error.contains(&remedy), "{error}");

    // Others take up neither the tasks of other settings nor, by number, those of another list.
    let error = program.fail(&sweep.replace("--epochs 20", "--epochs 21"), 1);
    assert!(error.contains("settings.epochs: 20 in the plan, 21 now"), "{error}");
    let error = program.fail(&format!("{} --task 0", sweep.replace("3,6", "3")), 1);
    assert!(error.contains("tasks[3]: \"hidden-6-lr-0.03\" in the plan, "), "{error}");

    let script = program.succeed(&format!("{sweep} --emit shell"));
    let mut shell = Command::new("sh");
    ran(shell.arg("-c").arg(script), 0);
    assert_eq!(names(&program.record("")), ["iris-sweep"], "the tasks are in the record");
    for file in ["runs.csv", "table.csv", "best/metrics.csv", "best/parameters.npz"] {
        let read = |folder: PathBuf| fs::read(folder.join(file)).unwrap();
        let plain = program.folder.path().join("plain/iris-sweep");
        assert_eq!(read(program.record("iris-sweep")), read(plain), "{file}");
    }
    let record = SweepRecord::read(&program.record("iris-sweep")).unwrap();
    assert_eq!(record.config.command, format!("cargo run -p ffnn -- {sweep}"));
}

#[test]
fn a_training_that_nobody_reads_leaves_its_record() {
    let program = Program::new();
    let arguments = ["train", "--epochs", "3", "--overwrite"];
    survives_without_output(|| program.command(), &arguments);
    let record = Record::read(&program.record("iris")).unwrap();
    assert_eq!((record.summary.status, record.summary.epochs), (Status::Finished, 3));
}
